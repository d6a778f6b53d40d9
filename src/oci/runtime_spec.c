#include "oci/runtime_spec.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"

#define SHAPE(name, type, ...)                                                                     \
	static const struct shape name = { sizeof(type),                                           \
					   (const struct shape_field[]){ __VA_ARGS__, { 0 } } }
#define AT(type, member) offsetof(struct type, member)

/* ---- process ---- */

SHAPE(user_shape, struct oci_user, { "uid", SHAPE_U32, AT(oci_user, uid), .keep = true },
      { "gid", SHAPE_U32, AT(oci_user, gid), .keep = true },
      { "umask", SHAPE_OPTIONAL_UINT, AT(oci_user, umask) },
      { "additionalGids", SHAPE_U32S, AT(oci_user, additional_gids) },
      { "username", SHAPE_STRING, AT(oci_user, username) });

SHAPE(console_size_shape, struct oci_console_size,
      { "height", SHAPE_UINT, AT(oci_console_size, height), .keep = true },
      { "width", SHAPE_UINT, AT(oci_console_size, width), .keep = true });

SHAPE(capabilities_shape, struct oci_capabilities,
      { "bounding", SHAPE_STRINGS, AT(oci_capabilities, bounding) },
      { "effective", SHAPE_STRINGS, AT(oci_capabilities, effective) },
      { "inheritable", SHAPE_STRINGS, AT(oci_capabilities, inheritable) },
      { "permitted", SHAPE_STRINGS, AT(oci_capabilities, permitted) },
      { "ambient", SHAPE_STRINGS, AT(oci_capabilities, ambient) });

SHAPE(rlimit_shape, struct oci_rlimit, { "type", SHAPE_STRING, AT(oci_rlimit, type), .keep = true },
      { "hard", SHAPE_UINT, AT(oci_rlimit, hard), .keep = true },
      { "soft", SHAPE_UINT, AT(oci_rlimit, soft), .keep = true });

SHAPE(scheduler_shape, struct oci_scheduler,
      { "policy", SHAPE_STRING, AT(oci_scheduler, policy), .keep = true },
      { "nice", SHAPE_INT, AT(oci_scheduler, nice) },
      { "priority", SHAPE_INT, AT(oci_scheduler, priority) },
      { "flags", SHAPE_STRINGS, AT(oci_scheduler, flags) },
      { "runtime", SHAPE_UINT, AT(oci_scheduler, runtime) },
      { "deadline", SHAPE_UINT, AT(oci_scheduler, deadline) },
      { "period", SHAPE_UINT, AT(oci_scheduler, period) });

SHAPE(io_priority_shape, struct oci_io_priority,
      { "class", SHAPE_STRING, AT(oci_io_priority, class), .keep = true },
      { "priority", SHAPE_INT, AT(oci_io_priority, priority), .keep = true });

SHAPE(cpu_affinity_shape, struct oci_cpu_affinity,
      { "initial", SHAPE_STRING, AT(oci_cpu_affinity, initial) },
      { "final", SHAPE_STRING, AT(oci_cpu_affinity, final) });

const struct shape oci_process_shape = {
	sizeof(struct oci_process),
	(const struct shape_field[]){
		{ "terminal", SHAPE_BOOL, AT(oci_process, terminal) },
		{ "consoleSize", SHAPE_OPTIONAL_OBJECT, AT(oci_process, console_size),
		  &console_size_shape },
		{ "user", SHAPE_OBJECT, AT(oci_process, user), &user_shape, .keep = true },
		{ "args", SHAPE_STRINGS, AT(oci_process, args) },
		{ "env", SHAPE_STRINGS, AT(oci_process, env) },
		{ "cwd", SHAPE_STRING, AT(oci_process, cwd), .keep = true },
		{ "capabilities", SHAPE_OPTIONAL_OBJECT, AT(oci_process, capabilities),
		  &capabilities_shape },
		{ "rlimits", SHAPE_LIST, AT(oci_process, rlimits), &rlimit_shape },
		{ "noNewPrivileges", SHAPE_BOOL, AT(oci_process, no_new_privileges) },
		{ "apparmorProfile", SHAPE_STRING, AT(oci_process, apparmor_profile) },
		{ "oomScoreAdj", SHAPE_OPTIONAL_INT, AT(oci_process, oom_score_adj) },
		{ "scheduler", SHAPE_OPTIONAL_OBJECT, AT(oci_process, scheduler),
		  &scheduler_shape },
		{ "selinuxLabel", SHAPE_STRING, AT(oci_process, selinux_label) },
		{ "ioPriority", SHAPE_OPTIONAL_OBJECT, AT(oci_process, io_priority),
		  &io_priority_shape },
		{ "execCPUAffinity", SHAPE_OPTIONAL_OBJECT, AT(oci_process, exec_cpu_affinity),
		  &cpu_affinity_shape },
		{ 0 },
	},
};

/* ---- root, mounts, hooks ---- */

SHAPE(root_shape, struct oci_root, { "path", SHAPE_STRING, AT(oci_root, path), .keep = true },
      { "readonly", SHAPE_BOOL, AT(oci_root, readonly) });

const struct shape oci_id_mapping_shape = {
	sizeof(struct oci_id_mapping),
	(const struct shape_field[]){
		{ "containerID", SHAPE_U32, AT(oci_id_mapping, container_id), .keep = true },
		{ "hostID", SHAPE_U32, AT(oci_id_mapping, host_id), .keep = true },
		{ "size", SHAPE_U32, AT(oci_id_mapping, size), .keep = true },
		{ 0 },
	},
};

const struct shape oci_mount_shape = {
	sizeof(struct oci_mount),
	(const struct shape_field[]){
		{ "destination", SHAPE_STRING, AT(oci_mount, destination), .keep = true },
		{ "type", SHAPE_STRING, AT(oci_mount, type) },
		{ "source", SHAPE_STRING, AT(oci_mount, source) },
		{ "options", SHAPE_STRINGS, AT(oci_mount, options) },
		{ "uidMappings", SHAPE_LIST, AT(oci_mount, uid_mappings), &oci_id_mapping_shape },
		{ "gidMappings", SHAPE_LIST, AT(oci_mount, gid_mappings), &oci_id_mapping_shape },
		{ 0 },
	},
};

const struct shape oci_hook_shape = {
	sizeof(struct oci_hook),
	(const struct shape_field[]){
		{ "path", SHAPE_STRING, AT(oci_hook, path), .keep = true },
		{ "args", SHAPE_STRINGS, AT(oci_hook, args) },
		{ "env", SHAPE_STRINGS, AT(oci_hook, env) },
		{ "timeout", SHAPE_OPTIONAL_INT, AT(oci_hook, timeout) },
		{ 0 },
	},
};

SHAPE(hooks_shape, struct oci_hooks,
      { "prestart", SHAPE_LIST, AT(oci_hooks, prestart), &oci_hook_shape },
      { "createRuntime", SHAPE_LIST, AT(oci_hooks, create_runtime), &oci_hook_shape },
      { "createContainer", SHAPE_LIST, AT(oci_hooks, create_container), &oci_hook_shape },
      { "startContainer", SHAPE_LIST, AT(oci_hooks, start_container), &oci_hook_shape },
      { "poststart", SHAPE_LIST, AT(oci_hooks, poststart), &oci_hook_shape },
      { "poststop", SHAPE_LIST, AT(oci_hooks, poststop), &oci_hook_shape });

/* ---- linux.resources ---- */

const struct shape oci_device_rule_shape = {
	sizeof(struct oci_device_rule),
	(const struct shape_field[]){
		{ "allow", SHAPE_BOOL, AT(oci_device_rule, allow), .keep = true },
		{ "type", SHAPE_STRING, AT(oci_device_rule, type) },
		{ "major", SHAPE_OPTIONAL_INT, AT(oci_device_rule, major) },
		{ "minor", SHAPE_OPTIONAL_INT, AT(oci_device_rule, minor) },
		{ "access", SHAPE_STRING, AT(oci_device_rule, access) },
		{ 0 },
	},
};

SHAPE(pids_shape, struct oci_resources_pids,
      { "limit", SHAPE_OPTIONAL_INT, AT(oci_resources_pids, limit) });

SHAPE(weight_device_shape, struct oci_weight_device,
      { "major", SHAPE_INT, AT(oci_weight_device, major), .keep = true },
      { "minor", SHAPE_INT, AT(oci_weight_device, minor), .keep = true },
      { "weight", SHAPE_OPTIONAL_UINT, AT(oci_weight_device, weight) },
      { "leafWeight", SHAPE_OPTIONAL_UINT, AT(oci_weight_device, leaf_weight) });

SHAPE(throttle_shape, struct oci_throttle_device,
      { "major", SHAPE_INT, AT(oci_throttle_device, major), .keep = true },
      { "minor", SHAPE_INT, AT(oci_throttle_device, minor), .keep = true },
      { "rate", SHAPE_UINT, AT(oci_throttle_device, rate), .keep = true });

SHAPE(block_io_shape, struct oci_resources_block_io,
      { "weight", SHAPE_OPTIONAL_UINT, AT(oci_resources_block_io, weight) },
      { "leafWeight", SHAPE_OPTIONAL_UINT, AT(oci_resources_block_io, leaf_weight) },
      { "weightDevice", SHAPE_LIST, AT(oci_resources_block_io, weight_device),
	&weight_device_shape },
      { "throttleReadBpsDevice", SHAPE_LIST, AT(oci_resources_block_io, throttle_read_bps_device),
	&throttle_shape },
      { "throttleWriteBpsDevice", SHAPE_LIST, AT(oci_resources_block_io, throttle_write_bps_device),
	&throttle_shape },
      { "throttleReadIOPSDevice", SHAPE_LIST, AT(oci_resources_block_io, throttle_read_iops_device),
	&throttle_shape },
      { "throttleWriteIOPSDevice", SHAPE_LIST,
	AT(oci_resources_block_io, throttle_write_iops_device), &throttle_shape });

SHAPE(cpu_shape, struct oci_resources_cpu,
      { "shares", SHAPE_OPTIONAL_UINT, AT(oci_resources_cpu, shares) },
      { "quota", SHAPE_OPTIONAL_INT, AT(oci_resources_cpu, quota) },
      { "burst", SHAPE_OPTIONAL_UINT, AT(oci_resources_cpu, burst) },
      { "period", SHAPE_OPTIONAL_UINT, AT(oci_resources_cpu, period) },
      { "realtimeRuntime", SHAPE_OPTIONAL_INT, AT(oci_resources_cpu, realtime_runtime) },
      { "realtimePeriod", SHAPE_OPTIONAL_UINT, AT(oci_resources_cpu, realtime_period) },
      { "cpus", SHAPE_STRING, AT(oci_resources_cpu, cpus) },
      { "mems", SHAPE_STRING, AT(oci_resources_cpu, mems) },
      { "idle", SHAPE_OPTIONAL_INT, AT(oci_resources_cpu, idle) });

SHAPE(hugepage_shape, struct oci_hugepage_limit,
      { "pageSize", SHAPE_STRING, AT(oci_hugepage_limit, page_size), .keep = true },
      { "limit", SHAPE_UINT, AT(oci_hugepage_limit, limit), .keep = true });

SHAPE(memory_shape, struct oci_resources_memory,
      { "limit", SHAPE_OPTIONAL_INT, AT(oci_resources_memory, limit) },
      { "reservation", SHAPE_OPTIONAL_INT, AT(oci_resources_memory, reservation) },
      { "swap", SHAPE_OPTIONAL_INT, AT(oci_resources_memory, swap) },
      { "kernel", SHAPE_OPTIONAL_INT, AT(oci_resources_memory, kernel) },
      { "kernelTCP", SHAPE_OPTIONAL_INT, AT(oci_resources_memory, kernel_tcp) },
      { "swappiness", SHAPE_OPTIONAL_UINT, AT(oci_resources_memory, swappiness) },
      { "disableOOMKiller", SHAPE_OPTIONAL_BOOL, AT(oci_resources_memory, disable_oom_killer) },
      { "useHierarchy", SHAPE_OPTIONAL_BOOL, AT(oci_resources_memory, use_hierarchy) },
      { "checkBeforeUpdate", SHAPE_OPTIONAL_BOOL, AT(oci_resources_memory, check_before_update) });

SHAPE(interface_priority_shape, struct oci_interface_priority,
      { "name", SHAPE_STRING, AT(oci_interface_priority, name), .keep = true },
      { "priority", SHAPE_U32, AT(oci_interface_priority, priority), .keep = true });

SHAPE(network_shape, struct oci_resources_network,
      { "classID", SHAPE_OPTIONAL_UINT, AT(oci_resources_network, class_id) },
      { "priorities", SHAPE_LIST, AT(oci_resources_network, priorities),
	&interface_priority_shape });

SHAPE(rdma_shape, struct oci_rdma, { "", SHAPE_STRING, AT(oci_rdma, name) },
      { "hcaHandles", SHAPE_OPTIONAL_UINT, AT(oci_rdma, hca_handles) },
      { "hcaObjects", SHAPE_OPTIONAL_UINT, AT(oci_rdma, hca_objects) });

const struct shape oci_resources_shape = {
	sizeof(struct oci_resources),
	(const struct shape_field[]){
		{ "devices", SHAPE_LIST, AT(oci_resources, devices), &oci_device_rule_shape },
		{ "memory", SHAPE_OPTIONAL_OBJECT, AT(oci_resources, memory), &memory_shape },
		{ "cpu", SHAPE_OPTIONAL_OBJECT, AT(oci_resources, cpu), &cpu_shape },
		{ "pids", SHAPE_OPTIONAL_OBJECT, AT(oci_resources, pids), &pids_shape },
		{ "blockIO", SHAPE_OPTIONAL_OBJECT, AT(oci_resources, block_io), &block_io_shape },
		{ "hugepageLimits", SHAPE_LIST, AT(oci_resources, hugepage_limits),
		  &hugepage_shape },
		{ "network", SHAPE_OPTIONAL_OBJECT, AT(oci_resources, network), &network_shape },
		{ "rdma", SHAPE_OBJECTS, AT(oci_resources, rdma), &rdma_shape },
		{ "unified", SHAPE_MAP, AT(oci_resources, unified) },
		{ 0 },
	},
};

/* ---- linux ---- */

SHAPE(namespace_shape, struct oci_namespace,
      { "type", SHAPE_STRING, AT(oci_namespace, type), .keep = true },
      { "path", SHAPE_STRING, AT(oci_namespace, path) });

const struct shape oci_device_shape = {
	sizeof(struct oci_device),
	(const struct shape_field[]){
		{ "path", SHAPE_STRING, AT(oci_device, path), .keep = true },
		{ "type", SHAPE_STRING, AT(oci_device, type), .keep = true },
		{ "major", SHAPE_INT, AT(oci_device, major), .keep = true },
		{ "minor", SHAPE_INT, AT(oci_device, minor), .keep = true },
		{ "fileMode", SHAPE_OPTIONAL_UINT, AT(oci_device, file_mode) },
		{ "uid", SHAPE_OPTIONAL_UINT, AT(oci_device, uid) },
		{ "gid", SHAPE_OPTIONAL_UINT, AT(oci_device, gid) },
		{ 0 },
	},
};

SHAPE(net_device_shape, struct oci_net_device, { "", SHAPE_STRING, AT(oci_net_device, host_name) },
      { "name", SHAPE_STRING, AT(oci_net_device, name) });

SHAPE(time_offset_shape, struct oci_time_offset, { "", SHAPE_STRING, AT(oci_time_offset, clock) },
      { "secs", SHAPE_INT, AT(oci_time_offset, secs), .keep = true },
      { "nanosecs", SHAPE_U32, AT(oci_time_offset, nanosecs) });

SHAPE(seccomp_arg_shape, struct oci_seccomp_arg,
      { "index", SHAPE_U32, AT(oci_seccomp_arg, index), .keep = true },
      { "value", SHAPE_UINT, AT(oci_seccomp_arg, value), .keep = true },
      { "valueTwo", SHAPE_UINT, AT(oci_seccomp_arg, value_two) },
      { "op", SHAPE_STRING, AT(oci_seccomp_arg, op), .keep = true });

SHAPE(seccomp_syscall_shape, struct oci_seccomp_syscall,
      { "names", SHAPE_STRINGS, AT(oci_seccomp_syscall, names), .keep = true },
      { "action", SHAPE_STRING, AT(oci_seccomp_syscall, action), .keep = true },
      { "errnoRet", SHAPE_OPTIONAL_UINT, AT(oci_seccomp_syscall, errno_ret) },
      { "args", SHAPE_LIST, AT(oci_seccomp_syscall, args), &seccomp_arg_shape });

const struct shape oci_seccomp_shape = {
	sizeof(struct oci_seccomp),
	(const struct shape_field[]){
		{ "defaultAction", SHAPE_STRING, AT(oci_seccomp, default_action), .keep = true },
		{ "defaultErrnoRet", SHAPE_OPTIONAL_UINT, AT(oci_seccomp, default_errno_ret) },
		{ "architectures", SHAPE_STRINGS, AT(oci_seccomp, architectures) },
		{ "flags", SHAPE_STRINGS, AT(oci_seccomp, flags) },
		{ "listenerPath", SHAPE_STRING, AT(oci_seccomp, listener_path) },
		{ "listenerMetadata", SHAPE_STRING, AT(oci_seccomp, listener_metadata) },
		{ "syscalls", SHAPE_LIST, AT(oci_seccomp, syscalls), &seccomp_syscall_shape },
		{ 0 },
	},
};

SHAPE(intel_rdt_shape, struct oci_intel_rdt, { "closID", SHAPE_STRING, AT(oci_intel_rdt, clos_id) },
      { "schemata", SHAPE_STRINGS, AT(oci_intel_rdt, schemata) },
      { "l3CacheSchema", SHAPE_STRING, AT(oci_intel_rdt, l3_cache_schema) },
      { "memBwSchema", SHAPE_STRING, AT(oci_intel_rdt, mem_bw_schema) },
      { "enableMonitoring", SHAPE_BOOL, AT(oci_intel_rdt, enable_monitoring) });

SHAPE(memory_policy_shape, struct oci_memory_policy,
      { "mode", SHAPE_STRING, AT(oci_memory_policy, mode), .keep = true },
      { "nodes", SHAPE_STRING, AT(oci_memory_policy, nodes) },
      { "flags", SHAPE_STRINGS, AT(oci_memory_policy, flags) });

SHAPE(personality_shape, struct oci_personality,
      { "domain", SHAPE_STRING, AT(oci_personality, domain), .keep = true },
      { "flags", SHAPE_STRINGS, AT(oci_personality, flags) });

SHAPE(linux_shape, struct oci_linux,
      { "namespaces", SHAPE_LIST, AT(oci_linux, namespaces), &namespace_shape },
      { "uidMappings", SHAPE_LIST, AT(oci_linux, uid_mappings), &oci_id_mapping_shape },
      { "gidMappings", SHAPE_LIST, AT(oci_linux, gid_mappings), &oci_id_mapping_shape },
      { "timeOffsets", SHAPE_OBJECTS, AT(oci_linux, time_offsets), &time_offset_shape },
      { "devices", SHAPE_LIST, AT(oci_linux, devices), &oci_device_shape },
      { "netDevices", SHAPE_OBJECTS, AT(oci_linux, net_devices), &net_device_shape },
      { "cgroupsPath", SHAPE_STRING, AT(oci_linux, cgroups_path) },
      { "resources", SHAPE_OPTIONAL_OBJECT, AT(oci_linux, resources), &oci_resources_shape },
      { "rootfsPropagation", SHAPE_STRING, AT(oci_linux, rootfs_propagation) },
      { "seccomp", SHAPE_OPTIONAL_OBJECT, AT(oci_linux, seccomp), &oci_seccomp_shape },
      { "sysctl", SHAPE_MAP, AT(oci_linux, sysctl) },
      { "maskedPaths", SHAPE_STRINGS, AT(oci_linux, masked_paths) },
      { "readonlyPaths", SHAPE_STRINGS, AT(oci_linux, readonly_paths) },
      { "mountLabel", SHAPE_STRING, AT(oci_linux, mount_label) },
      { "intelRdt", SHAPE_OPTIONAL_OBJECT, AT(oci_linux, intel_rdt), &intel_rdt_shape },
      { "memoryPolicy", SHAPE_OPTIONAL_OBJECT, AT(oci_linux, memory_policy), &memory_policy_shape },
      { "personality", SHAPE_OPTIONAL_OBJECT, AT(oci_linux, personality), &personality_shape });

const struct shape oci_spec_shape = {
	sizeof(struct oci_spec),
	(const struct shape_field[]){
		{ "ociVersion", SHAPE_STRING, AT(oci_spec, oci_version), .keep = true },
		{ "process", SHAPE_OPTIONAL_OBJECT, AT(oci_spec, process), &oci_process_shape },
		{ "root", SHAPE_OPTIONAL_OBJECT, AT(oci_spec, root), &root_shape },
		{ "hostname", SHAPE_STRING, AT(oci_spec, hostname) },
		{ "domainname", SHAPE_STRING, AT(oci_spec, domainname) },
		{ "mounts", SHAPE_LIST, AT(oci_spec, mounts), &oci_mount_shape },
		{ "hooks", SHAPE_OPTIONAL_OBJECT, AT(oci_spec, hooks), &hooks_shape },
		{ "annotations", SHAPE_MAP, AT(oci_spec, annotations) },
		{ "linux", SHAPE_OBJECT, AT(oci_spec, linux_), &linux_shape },
		{ 0 },
	},
};

static int check_version(struct oci_spec *spec, const char *path, struct err *e)
{
	if (spec->oci_version && str_starts(spec->oci_version, "1."))
		return 0;
	err_set(e, ERR_UNSUPPORTED, "%s: ociVersion '%s' is not of the 1.x that holm reads", path,
		spec->oci_version ? spec->oci_version : "");
	oci_spec_clear(spec);
	return -e->number;
}

/* Who asks for a virtual machine must not get less of a wall than that. The sections of other
 * systems (windows, solaris, zos) are for their runtimes, as the specification says. */
static int check_vm(struct json_object *object, const char *what, struct err *e)
{
	if (!json_object_object_get(object, "vm"))
		return 0;
	err_set(e, ERR_UNSUPPORTED, "%s: vm: this runtime makes no virtual machines", what);
	return err_hint(e, "a runtime as kata does; without \"vm\" the host's kernel is shared");
}

int oci_spec_parse(struct oci_spec *spec, const char *text, size_t length, const char *what,
		   struct err *e)
{
	own_json struct json_object *object = NULL;

	int r = json_parse(&object, text, length, what, e);
	if (r == 0)
		r = check_vm(object, what, e);
	if (r < 0)
		return r;
	r = shape_read(&oci_spec_shape, object, spec, e);
	return r < 0 ? err_add(e, "%s", what) : check_version(spec, what, e);
}

int oci_spec_read_at(struct oci_spec *spec, int dir_fd, const char *path, struct err *e)
{
	int r = shape_read_at(&oci_spec_shape, dir_fd, path, JSON_BYTES_MAX, spec, e);

	return r < 0 ? r : check_version(spec, path, e);
}

int oci_spec_write_at(const struct oci_spec *spec, int dir_fd, const char *path, struct err *e)
{
	return shape_write_at(&oci_spec_shape, dir_fd, path, spec, e);
}

void oci_spec_clear(struct oci_spec *spec)
{
	shape_clear(&oci_spec_shape, spec);
}

const struct oci_namespace *oci_spec_namespace(const struct oci_spec *spec, const char *type)
{
	for (size_t i = 0; i < spec->linux_.namespaces.count; i++)
		if (str_equal(spec->linux_.namespaces.items[i].type, type))
			return &spec->linux_.namespaces.items[i];
	return NULL;
}
