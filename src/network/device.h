/* device.h - devices that are given to a container as they are: made on top of one of the host's
 * (macvlan, ipvlan, vlan), or moved. All take a NETLINK_ROUTE socket (wire/netlink.h). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "network/link.h"

struct err;

struct network_device {
	const char *kind; /* "macvlan", "ipvlan", "vlan" */
	const char *name;
	int parent;               /* index */
	int namespace_fd;         /* where it is born; -1: here */
	uint32_t mode;            /* MACVLAN_MODE_*, IPVLAN_MODE_* (linux/if_link.h); a vlan's id */
	uint16_t flags;           /* IPVLAN_F_* */
	const unsigned char *mac; /* NULL: as the kernel likes */
	uint32_t mtu;             /* 0: the parent's */
};

/* ERR_EXISTS: the name, or another user of the parent; ERR_UNSUPPORTED: the kernel has none such,
 * the message says which module is missing. */
int network_device_make(int socket, const struct network_device *device, struct err *e);

/* Does the kernel (after loading its module) know such devices: "macvlan", "vxlan"...? */
bool network_device_supported(int socket, const char *kind);

/* Says so: ERR_UNSUPPORTED, with the module that has such devices. */
int network_device_unsupported(const char *kind, struct err *e);

/* Moves a device into the namespace, down, under another name. ERR_EXISTS: the name is taken
 * there. */
int network_device_move(int socket, int index, int namespace_fd, const char *name, struct err *e);

/* NULL and 0 leave as it is. The device must be down for a new MAC. */
int network_device_set(int socket, int index, const unsigned char *mac, uint32_t mtu,
		       struct err *e);
