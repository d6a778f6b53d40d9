/* net_device.h - network devices of the host that become the container's (runtime-spec v1.3
 * config-linux.md#network-devices). They keep what is their own (address, MTU, queues), and their
 * permanent global addresses, which the kernel takes from a device that changes its namespace.
 * They are up then. When the namespace ends, physical ones go back to the host, virtual ones are
 * gone. */
#pragma once
#include <stdint.h>

struct err;
struct oci_spec;

/* Are the names fit for devices, each there once, and is there a namespace to move them to, among
 * those (CLONE_NEW*) that are not the host's? ERR_INVALID. */
int runtime_net_device_check(const struct oci_spec *spec, uint64_t namespaces, struct err *e);

/* Moves all of linux.netDevices from this network namespace to that one; inside is a netlink socket
 * that was made there. All or none: one that cannot be moved is named, and those before it go back
 * as they were. */
int runtime_net_device_move_in_parent(const struct oci_spec *spec, int namespace_fd, int inside,
				      struct err *e);
