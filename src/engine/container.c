#include "engine/container.h"

#include <stdlib.h>

#include "base/str.h"
#include "runtime/apparmor.h"

#define FIELD(type, member, kind)                                                                  \
	{                                                                                          \
#member, kind, offsetof(struct type, member)                                       \
	}
#define KEEP(type, member, kind)                                                                   \
	{                                                                                          \
#member, kind, offsetof(struct type, member), NULL, true                           \
	}
#define NESTED(type, member, kind, shape)                                                          \
	{                                                                                          \
#member, kind, offsetof(struct type, member), &(shape)                             \
	}
#define SHAPE_OF(type)                                                                             \
	{                                                                                          \
		sizeof(struct type), type##_fields                                                 \
	}

static const struct shape_field container_image_fields[] = {
	FIELD(container_image, name, SHAPE_STRING),
	FIELD(container_image, reference, SHAPE_STRING),
	FIELD(container_image, id, SHAPE_STRING),
	FIELD(container_image, digest, SHAPE_STRING),
	FIELD(container_image, layers, SHAPE_STRINGS),
	FIELD(container_image, rootfs, SHAPE_STRING),
	FIELD(container_image, disk, SHAPE_BOOL),
	FIELD(container_image, in_place, SHAPE_BOOL),
	{ 0 },
};
const struct shape container_image_shape = SHAPE_OF(container_image);

static const struct shape_field container_process_fields[] = {
	FIELD(container_process, entrypoint, SHAPE_STRINGS),
	FIELD(container_process, command, SHAPE_STRINGS),
	FIELD(container_process, env, SHAPE_STRINGS),
	FIELD(container_process, workdir, SHAPE_STRING),
	FIELD(container_process, user, SHAPE_STRING),
	FIELD(container_process, groups, SHAPE_STRINGS),
	FIELD(container_process, hostname, SHAPE_STRING),
	FIELD(container_process, domainname, SHAPE_STRING),
	FIELD(container_process, umask, SHAPE_STRING),
	FIELD(container_process, tty, SHAPE_BOOL),
	FIELD(container_process, open_stdin, SHAPE_BOOL),
	FIELD(container_process, init, SHAPE_BOOL),
	FIELD(container_process, stop_signal, SHAPE_STRING),
	FIELD(container_process, stop_timeout_s, SHAPE_OPTIONAL_INT),
	FIELD(container_process, timeout_s, SHAPE_INT),
	FIELD(container_process, attach_stdin, SHAPE_BOOL),
	FIELD(container_process, attach_stdout, SHAPE_BOOL),
	FIELD(container_process, attach_stderr, SHAPE_BOOL),
	{ 0 },
};
static const struct shape process_shape = SHAPE_OF(container_process);

static const struct shape_field container_mount_fields[] = {
	FIELD(container_mount, type, SHAPE_STRING),
	FIELD(container_mount, name, SHAPE_STRING),
	FIELD(container_mount, source, SHAPE_STRING),
	FIELD(container_mount, target, SHAPE_STRING),
	FIELD(container_mount, subpath, SHAPE_STRING),
	FIELD(container_mount, read_only, SHAPE_BOOL),
	FIELD(container_mount, shallow_read_only, SHAPE_BOOL),
	FIELD(container_mount, strict_read_only, SHAPE_BOOL),
	FIELD(container_mount, non_recursive, SHAPE_BOOL),
	FIELD(container_mount, create_source, SHAPE_BOOL),
	FIELD(container_mount, give, SHAPE_BOOL),
	FIELD(container_mount, idmap, SHAPE_BOOL),
	FIELD(container_mount, no_copy, SHAPE_BOOL),
	FIELD(container_mount, anonymous, SHAPE_BOOL),
	FIELD(container_mount, of_image, SHAPE_BOOL),
	FIELD(container_mount, relabel, SHAPE_STRING),
	FIELD(container_mount, propagation, SHAPE_STRING),
	FIELD(container_mount, options, SHAPE_STRINGS),
	FIELD(container_mount, layers, SHAPE_STRINGS),
	FIELD(container_mount, digest, SHAPE_STRING),
	FIELD(container_mount, volume_labels, SHAPE_MAP),
	{ 0 },
};
const struct shape container_mount_shape = SHAPE_OF(container_mount);

static const struct shape_field oci_id_mapping_fields[] = {
	KEEP(oci_id_mapping, container_id, SHAPE_U32),
	KEEP(oci_id_mapping, host_id, SHAPE_U32),
	KEEP(oci_id_mapping, size, SHAPE_U32),
	{ 0 },
};
static const struct shape id_mapping_shape = SHAPE_OF(oci_id_mapping);

static const struct shape_field runtime_idmap_fields[] = {
	NESTED(runtime_idmap, uids, SHAPE_LIST, id_mapping_shape),
	NESTED(runtime_idmap, gids, SHAPE_LIST, id_mapping_shape),
	{ 0 },
};
static const struct shape idmap_shape = SHAPE_OF(runtime_idmap);

static const struct shape_field container_frozen_fields[] = {
	FIELD(container_frozen, layers, SHAPE_STRINGS),
	NESTED(container_frozen, ids, SHAPE_OBJECT, idmap_shape),
	{ 0 },
};
static const struct shape frozen_shape = SHAPE_OF(container_frozen);

static const struct shape_field container_storage_fields[] = {
	NESTED(container_storage, mounts, SHAPE_LIST, container_mount_shape),
	NESTED(container_storage, frozen, SHAPE_LIST, frozen_shape),
	FIELD(container_storage, read_only, SHAPE_BOOL),
	FIELD(container_storage, immutable, SHAPE_STRING),
	FIELD(container_storage, shm_bytes, SHAPE_INT),
	FIELD(container_storage, size, SHAPE_INT),
	FIELD(container_storage, quota, SHAPE_STRING),
	FIELD(container_storage, volumes_from, SHAPE_STRINGS),
	FIELD(container_storage, lower, SHAPE_STRINGS),
	FIELD(container_storage, upper, SHAPE_STRING),
	FIELD(container_storage, copied, SHAPE_BOOL),
	{ 0 },
};
static const struct shape storage_shape = SHAPE_OF(container_storage);

static const struct shape_field container_device_limit_fields[] = {
	FIELD(container_device_limit, path, SHAPE_STRING),
	KEEP(container_device_limit, rate, SHAPE_UINT),
	{ 0 },
};
static const struct shape device_limit_shape = SHAPE_OF(container_device_limit);

static const struct shape_field container_ulimit_fields[] = {
	FIELD(container_ulimit, name, SHAPE_STRING),
	KEEP(container_ulimit, soft, SHAPE_INT),
	KEEP(container_ulimit, hard, SHAPE_INT),
	{ 0 },
};
static const struct shape ulimit_shape = SHAPE_OF(container_ulimit);

static const struct shape_field container_rule_fields[] = {
	FIELD(container_rule, resource, SHAPE_STRING),
	FIELD(container_rule, action, SHAPE_STRING),
	FIELD(container_rule, amount, SHAPE_INT),
	{ 0 },
};
static const struct shape rule_shape = SHAPE_OF(container_rule);

static const struct shape_field container_limits_fields[] = {
	FIELD(container_limits, memory, SHAPE_INT),
	FIELD(container_limits, memory_swap, SHAPE_INT),
	FIELD(container_limits, memory_reservation, SHAPE_INT),
	FIELD(container_limits, memory_swappiness, SHAPE_OPTIONAL_INT),
	FIELD(container_limits, oom_kill_disable, SHAPE_BOOL),
	FIELD(container_limits, oom_score_adj, SHAPE_INT),
	FIELD(container_limits, nanocpus, SHAPE_INT),
	FIELD(container_limits, cpu_shares, SHAPE_UINT),
	FIELD(container_limits, cpu_period, SHAPE_UINT),
	FIELD(container_limits, cpu_quota, SHAPE_INT),
	FIELD(container_limits, cpuset_cpus, SHAPE_STRING),
	FIELD(container_limits, cpuset_mems, SHAPE_STRING),
	FIELD(container_limits, pids, SHAPE_INT),
	FIELD(container_limits, blkio_weight, SHAPE_UINT),
	NESTED(container_limits, blkio_weight_device, SHAPE_LIST, device_limit_shape),
	NESTED(container_limits, read_bps, SHAPE_LIST, device_limit_shape),
	NESTED(container_limits, write_bps, SHAPE_LIST, device_limit_shape),
	NESTED(container_limits, read_iops, SHAPE_LIST, device_limit_shape),
	NESTED(container_limits, write_iops, SHAPE_LIST, device_limit_shape),
	NESTED(container_limits, ulimits, SHAPE_LIST, ulimit_shape),
	NESTED(container_limits, rules, SHAPE_LIST, rule_shape),
	FIELD(container_limits, cgroup_parent, SHAPE_STRING),
	FIELD(container_limits, view, SHAPE_STRING),
	{ 0 },
};
static const struct shape limits_shape = SHAPE_OF(container_limits);

static const struct shape_field container_device_fields[] = {
	FIELD(container_device, host, SHAPE_STRING),
	FIELD(container_device, target, SHAPE_STRING),
	FIELD(container_device, permissions, SHAPE_STRING),
	{ 0 },
};
const struct shape container_device_shape = SHAPE_OF(container_device);

static const struct shape_field container_security_fields[] = {
	FIELD(container_security, posture, SHAPE_STRING),
	FIELD(container_security, privileged, SHAPE_BOOL),
	FIELD(container_security, cap_add, SHAPE_STRINGS),
	FIELD(container_security, cap_drop, SHAPE_STRINGS),
	FIELD(container_security, options, SHAPE_STRINGS),
	FIELD(container_security, seccomp, SHAPE_STRING),
	FIELD(container_security, seccomp_path, SHAPE_STRING),
	FIELD(container_security, apparmor, SHAPE_STRING),
	FIELD(container_security, label, SHAPE_STRING),
	FIELD(container_security, no_new_privileges, SHAPE_BOOL),
	FIELD(container_security, unmask_all, SHAPE_BOOL),
	FIELD(container_security, mask, SHAPE_STRINGS),
	FIELD(container_security, unmask, SHAPE_STRINGS),
	FIELD(container_security, deny, SHAPE_STRINGS),
	FIELD(container_security, children_max, SHAPE_OPTIONAL_INT),
	NESTED(container_security, devices, SHAPE_LIST, container_device_shape),
	FIELD(container_security, device_rules, SHAPE_STRINGS),
	FIELD(container_security, gpus, SHAPE_STRINGS),
	FIELD(container_security, sysctls, SHAPE_MAP),
	FIELD(container_security, pid, SHAPE_STRING),
	FIELD(container_security, ipc, SHAPE_STRING),
	FIELD(container_security, uts, SHAPE_STRING),
	FIELD(container_security, cgroupns, SHAPE_STRING),
	FIELD(container_security, userns, SHAPE_STRING),
	NESTED(container_security, ids, SHAPE_OBJECT, idmap_shape),
	{ 0 },
};
static const struct shape security_shape = SHAPE_OF(container_security);

static const struct shape_field container_endpoint_fields[] = {
	FIELD(container_endpoint, network, SHAPE_STRING),
	FIELD(container_endpoint, address, SHAPE_STRING),
	FIELD(container_endpoint, address6, SHAPE_STRING),
	FIELD(container_endpoint, mac, SHAPE_STRING),
	FIELD(container_endpoint, device, SHAPE_STRING),
	FIELD(container_endpoint, options, SHAPE_MAP),
	FIELD(container_endpoint, aliases, SHAPE_STRINGS),
	FIELD(container_endpoint, gw_priority, SHAPE_INT),
	{ 0 },
};
static const struct shape endpoint_shape = SHAPE_OF(container_endpoint);

static const struct shape_field container_port_fields[] = {
	FIELD(container_port, address, SHAPE_STRING),
	FIELD(container_port, host, SHAPE_STRING),
	FIELD(container_port, port, SHAPE_INT),
	FIELD(container_port, protocol, SHAPE_STRING),
	{ 0 },
};
static const struct shape port_shape = SHAPE_OF(container_port);

static const struct shape_field container_network_fields[] = {
	FIELD(container_network, mode, SHAPE_STRING),
	NESTED(container_network, endpoints, SHAPE_LIST, endpoint_shape),
	FIELD(container_network, links, SHAPE_STRINGS),
	FIELD(container_network, no_hosts, SHAPE_BOOL),
	FIELD(container_network, add_host, SHAPE_STRINGS),
	FIELD(container_network, dns, SHAPE_STRINGS),
	FIELD(container_network, dns_search, SHAPE_STRINGS),
	FIELD(container_network, dns_option, SHAPE_STRINGS),
	NESTED(container_network, ports, SHAPE_LIST, port_shape),
	FIELD(container_network, exposed, SHAPE_STRINGS),
	FIELD(container_network, publish_all, SHAPE_BOOL),
	FIELD(container_network, publish_open, SHAPE_BOOL),
	FIELD(container_network, publish_judged, SHAPE_BOOL),
	{ 0 },
};
static const struct shape network_shape = SHAPE_OF(container_network);

static const struct shape_field container_log_fields[] = {
	FIELD(container_log, driver, SHAPE_STRING),
	FIELD(container_log, options, SHAPE_MAP),
	{ 0 },
};
static const struct shape log_shape = SHAPE_OF(container_log);

static const struct shape_field container_restart_fields[] = {
	FIELD(container_restart, policy, SHAPE_STRING),
	FIELD(container_restart, max_retries, SHAPE_INT),
	{ 0 },
};
static const struct shape restart_shape = SHAPE_OF(container_restart);

static const struct shape_field container_pod_fields[] = {
	FIELD(container_pod, id, SHAPE_STRING),
	FIELD(container_pod, share, SHAPE_STRINGS),
	FIELD(container_pod, init, SHAPE_STRING),
	{ 0 },
};
static const struct shape pod_shape = SHAPE_OF(container_pod);

static const struct shape_field container_secret_fields[] = {
	FIELD(container_secret, name, SHAPE_STRING), FIELD(container_secret, id, SHAPE_STRING),
	FIELD(container_secret, env, SHAPE_BOOL),    FIELD(container_secret, target, SHAPE_STRING),
	FIELD(container_secret, uid, SHAPE_U32),     FIELD(container_secret, gid, SHAPE_U32),
	FIELD(container_secret, mode, SHAPE_U32),    { 0 },
};
static const struct shape secret_shape = SHAPE_OF(container_secret);

static const struct shape_field container_desktop_fields[] = {
	FIELD(container_desktop, display, SHAPE_STRING),
	FIELD(container_desktop, cookies, SHAPE_STRING),
	{ 0 },
};
static const struct shape desktop_shape = SHAPE_OF(container_desktop);

static const struct shape_field container_health_fields[] = {
	FIELD(container_health, test, SHAPE_STRINGS),
	FIELD(container_health, shell, SHAPE_STRINGS),
	FIELD(container_health, interval_ns, SHAPE_INT),
	FIELD(container_health, timeout_ns, SHAPE_INT),
	FIELD(container_health, start_period_ns, SHAPE_INT),
	FIELD(container_health, start_interval_ns, SHAPE_INT),
	FIELD(container_health, retries, SHAPE_INT),
	FIELD(container_health, on_failure, SHAPE_STRING),
	{ 0 },
};
static const struct shape health_shape = SHAPE_OF(container_health);

static const struct shape_field container_autostart_fields[] = {
	FIELD(container_autostart, when, SHAPE_STRING),
	FIELD(container_autostart, order, SHAPE_INT),
	FIELD(container_autostart, delay_s, SHAPE_INT),
	FIELD(container_autostart, groups, SHAPE_STRINGS),
	{ 0 },
};
static const struct shape autostart_shape = SHAPE_OF(container_autostart);

static const struct shape_field container_hook_fields[] = {
	FIELD(container_hook, point, SHAPE_STRING),
	FIELD(container_hook, path, SHAPE_STRING),
	FIELD(container_hook, args, SHAPE_STRINGS),
	FIELD(container_hook, timeout_s, SHAPE_INT),
	{ 0 },
};
static const struct shape hook_shape = SHAPE_OF(container_hook);

static const struct shape_field container_fields[] = {
	FIELD(container, id, SHAPE_STRING),
	FIELD(container, name, SHAPE_STRING),
	FIELD(container, kind, SHAPE_STRING),
	FIELD(container, created_ns, SHAPE_INT),
	NESTED(container, image, SHAPE_OBJECT, container_image_shape),
	NESTED(container, process, SHAPE_OBJECT, process_shape),
	NESTED(container, storage, SHAPE_OBJECT, storage_shape),
	NESTED(container, limits, SHAPE_OBJECT, limits_shape),
	NESTED(container, security, SHAPE_OBJECT, security_shape),
	NESTED(container, network, SHAPE_OBJECT, network_shape),
	NESTED(container, log, SHAPE_OBJECT, log_shape),
	NESTED(container, restart, SHAPE_OBJECT, restart_shape),
	NESTED(container, pod, SHAPE_OBJECT, pod_shape),
	NESTED(container, secrets, SHAPE_LIST, secret_shape),
	NESTED(container, desktop, SHAPE_OBJECT, desktop_shape),
	NESTED(container, health, SHAPE_OBJECT, health_shape),
	NESTED(container, autostart, SHAPE_OBJECT, autostart_shape),
	NESTED(container, hooks, SHAPE_LIST, hook_shape),
	FIELD(container, requires, SHAPE_STRINGS),
	FIELD(container, labels, SHAPE_MAP),
	FIELD(container, annotations, SHAPE_MAP),
	FIELD(container, auto_remove, SHAPE_BOOL),
	FIELD(container, copied_from, SHAPE_STRING),
	FIELD(container, user_data, SHAPE_STRING),
	FIELD(container, by_run, SHAPE_BOOL),
	FIELD(container, platform, SHAPE_STRING),
	{ 0 },
};
const struct shape container_shape = SHAPE_OF(container);

bool container_has_health(const struct container *c)
{
	const struct strv *test = &c->health.test;

	return test->count > 1 &&
	       (str_equal(test->items[0], "CMD") || str_equal(test->items[0], "CMD-SHELL") ||
		str_equal(test->items[0], CONTAINER_HEALTH_CONNECT));
}

struct container_endpoint *container_find_endpoint(const struct container *c, const char *network)
{
	for (size_t i = 0; i < c->network.endpoints.count; i++)
		if (str_equal(c->network.endpoints.items[i].network, network))
			return &c->network.endpoints.items[i];
	return NULL;
}

void container_endpoint_clear(struct container_endpoint *endpoint)
{
	shape_clear(&endpoint_shape, endpoint);
}

void container_network_leave(struct container *c)
{
	struct container_network *network = &c->network;

	for (size_t i = 0; i < network->endpoints.count; i++)
		container_endpoint_clear(&network->endpoints.items[i]);
	free(network->endpoints.items);
	network->endpoints.items = NULL;
	network->endpoints.count = 0;
}

void container_clear(struct container *c)
{
	shape_clear(&container_shape, c);
}

bool container_is_system(const struct container *c)
{
	return str_equal(c->kind, CONTAINER_SYSTEM);
}

const char *container_apparmor(const struct container *c)
{
	return container_is_system(c) ? RUNTIME_APPARMOR_SYSTEM : RUNTIME_APPARMOR_DEFAULT;
}
