/* runtime_spec.h - config.json of the OCI runtime-spec v1.3, Linux part, as one struct and its
 * table of fields. A format and nothing else: what the values mean, and which are refused, is the
 * business of runtime/. Names are the specification's own, in snake case; "optional" numbers are
 * pointers, NULL when absent. struct oci_spec owns all it points to: oci_spec_clear(). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"

struct err;

#define OCI_RUNTIME_SPEC_VERSION "1.3.0"

/* ---- process ---- */

struct oci_user {
	uint32_t uid;
	uint32_t gid;
	uint64_t *umask;
	struct shape_u32s additional_gids;
	/* The specification keeps this for Windows. In holm's bundles: "name[:group]" or
	 * "uid[:gid]", looked up in the container's own /etc/passwd and /etc/group by the runtime;
	 * uid and gid above are then ignored. NULL: uid and gid count. */
	char *username;
};

struct oci_console_size {
	uint64_t height;
	uint64_t width;
};

struct oci_capabilities { /* "CAP_KILL"...; unknown names are ignored with a warning */
	struct strv bounding;
	struct strv effective;
	struct strv inheritable;
	struct strv permitted;
	struct strv ambient;
};

struct oci_rlimit {
	char *type; /* "RLIMIT_NOFILE" */
	uint64_t hard;
	uint64_t soft;
};

struct oci_scheduler {
	char *policy; /* "SCHED_BATCH" */
	int64_t nice;
	int64_t priority;
	struct strv flags;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
};

struct oci_io_priority {
	char *class; /* "IOPRIO_CLASS_IDLE" */
	int64_t priority;
};

struct oci_cpu_affinity {
	char *initial; /* "0-3,7" */
	char *final;
};

struct oci_process {
	bool terminal;
	struct oci_console_size *console_size;
	struct oci_user user;
	struct strv args;
	struct strv env;
	char *cwd; /* absolute, in the container */
	struct oci_capabilities *capabilities;
	SHAPE_LIST_OF(struct oci_rlimit) rlimits;
	bool no_new_privileges;
	char *apparmor_profile;
	int64_t *oom_score_adj;
	struct oci_scheduler *scheduler;
	char *selinux_label;
	struct oci_io_priority *io_priority;
	struct oci_cpu_affinity *exec_cpu_affinity;
};

/* ---- root, mounts, hooks ---- */

struct oci_root {
	char *path; /* relative to the bundle, or absolute */
	bool readonly;
};

struct oci_id_mapping {
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

struct oci_id_mappings {
	struct oci_id_mapping *items;
	size_t count;
};

struct oci_mount {
	char *destination; /* in the container; relative ones count from "/" */
	char *type;
	char *source; /* of binds: relative to the bundle, or absolute */
	struct strv options;
	struct oci_id_mappings uid_mappings;
	struct oci_id_mappings gid_mappings;
};

struct oci_hook {
	char *path;
	struct strv args;
	struct strv env;
	int64_t *timeout; /* seconds */
};

struct oci_hook_list {
	struct oci_hook *items;
	size_t count;
};

struct oci_hooks {
	struct oci_hook_list prestart;
	struct oci_hook_list create_runtime;
	struct oci_hook_list create_container;
	struct oci_hook_list start_container;
	struct oci_hook_list poststart;
	struct oci_hook_list poststop;
};

/* ---- linux.resources ---- */

struct oci_device_rule {
	bool allow;
	char *type;     /* "a", "b", "c"; NULL: a */
	int64_t *major; /* NULL: all */
	int64_t *minor;
	char *access; /* of "rwm"; NULL: all */
};

struct oci_resources_pids {
	int64_t *limit; /* -1 and, before v1.3, 0: no limit */
};

struct oci_weight_device {
	int64_t major;
	int64_t minor;
	uint64_t *weight;
	uint64_t *leaf_weight;
};

struct oci_throttle_device {
	int64_t major;
	int64_t minor;
	uint64_t rate;
};

struct oci_throttle_devices {
	struct oci_throttle_device *items;
	size_t count;
};

struct oci_resources_block_io {
	uint64_t *weight; /* 10-1000 */
	uint64_t *leaf_weight;
	SHAPE_LIST_OF(struct oci_weight_device) weight_device;
	struct oci_throttle_devices throttle_read_bps_device;
	struct oci_throttle_devices throttle_write_bps_device;
	struct oci_throttle_devices throttle_read_iops_device;
	struct oci_throttle_devices throttle_write_iops_device;
};

struct oci_resources_cpu {
	uint64_t *shares;
	int64_t *quota;   /* microseconds per period; -1: none */
	uint64_t *burst;  /* microseconds */
	uint64_t *period; /* microseconds */
	int64_t *realtime_runtime;
	uint64_t *realtime_period;
	char *cpus; /* "0-3,7" */
	char *mems;
	int64_t *idle;
};

struct oci_hugepage_limit {
	char *page_size; /* "2MB" */
	uint64_t limit;
};

struct oci_resources_memory { /* bytes; -1: no limit */
	int64_t *limit;
	int64_t *reservation;
	int64_t *swap; /* memory and swap together */
	int64_t *kernel;
	int64_t *kernel_tcp;
	uint64_t *swappiness;
	bool *disable_oom_killer;
	bool *use_hierarchy;
	bool *check_before_update;
};

struct oci_interface_priority {
	char *name;
	uint32_t priority;
};

struct oci_resources_network {
	uint64_t *class_id;
	SHAPE_LIST_OF(struct oci_interface_priority) priorities;
};

struct oci_rdma { /* name is the member's name in the JSON object */
	char *name;
	uint64_t *hca_handles;
	uint64_t *hca_objects;
};

struct oci_resources {
	SHAPE_LIST_OF(struct oci_device_rule) devices;
	struct oci_resources_memory *memory;
	struct oci_resources_cpu *cpu;
	struct oci_resources_pids *pids;
	struct oci_resources_block_io *block_io;
	SHAPE_LIST_OF(struct oci_hugepage_limit) hugepage_limits;
	struct oci_resources_network *network;
	SHAPE_LIST_OF(struct oci_rdma) rdma;
	struct shape_map unified; /* cgroup v2 file -> text */
};

/* ---- linux ---- */

struct oci_namespace {
	char *type; /* "pid" "network" "mount" "ipc" "uts" "user" "cgroup" "time" */
	char *path; /* NULL: a new one */
};

struct oci_device {
	char *path;
	char *type; /* "c", "u", "b", "p" */
	int64_t major;
	int64_t minor;
	uint64_t *file_mode;
	uint64_t *uid;
	uint64_t *gid;
};

struct oci_net_device {
	char *host_name; /* the member's name in the JSON object */
	char *name;      /* inside; NULL: the same */
};

struct oci_time_offset {
	char *clock; /* "monotonic", "boottime" */
	int64_t secs;
	uint32_t nanosecs;
};

struct oci_seccomp_arg {
	uint32_t index;
	uint64_t value;
	uint64_t value_two;
	char *op; /* "SCMP_CMP_EQ" */
};

struct oci_seccomp_syscall {
	struct strv names;
	char *action; /* "SCMP_ACT_ALLOW" */
	uint64_t *errno_ret;
	SHAPE_LIST_OF(struct oci_seccomp_arg) args;
};

struct oci_seccomp {
	char *default_action;
	uint64_t *default_errno_ret;
	struct strv architectures;
	struct strv flags;
	char *listener_path;
	char *listener_metadata;
	SHAPE_LIST_OF(struct oci_seccomp_syscall) syscalls;
};

struct oci_intel_rdt {
	char *clos_id;
	struct strv schemata;
	char *l3_cache_schema;
	char *mem_bw_schema;
	bool enable_monitoring;
};

struct oci_memory_policy {
	char *mode; /* "MPOL_BIND" */
	char *nodes;
	struct strv flags;
};

struct oci_personality {
	char *domain; /* "LINUX", "LINUX32" */
	struct strv flags;
};

struct oci_linux {
	SHAPE_LIST_OF(struct oci_namespace) namespaces;
	struct oci_id_mappings uid_mappings;
	struct oci_id_mappings gid_mappings;
	SHAPE_LIST_OF(struct oci_time_offset) time_offsets;
	SHAPE_LIST_OF(struct oci_device) devices;
	SHAPE_LIST_OF(struct oci_net_device) net_devices;
	char *cgroups_path;
	struct oci_resources *resources;
	char *rootfs_propagation; /* "shared", "slave", "private", "unbindable" */
	struct oci_seccomp *seccomp;
	struct shape_map sysctl;
	struct strv masked_paths;
	struct strv readonly_paths;
	char *mount_label;
	struct oci_intel_rdt *intel_rdt;
	struct oci_memory_policy *memory_policy;
	struct oci_personality *personality;
};

struct oci_spec {
	char *oci_version;
	struct oci_process *process; /* NULL: the container can be created, not started */
	struct oci_root *root;
	char *hostname;
	char *domainname;
	SHAPE_LIST_OF(struct oci_mount) mounts;
	struct oci_hooks *hooks;
	struct shape_map annotations;
	struct oci_linux linux_; /* JSON "linux"; gcc's gnu17 defines linux as a macro */
};

extern const struct shape oci_spec_shape;

/* The parts that travel alone: a process (runc exec --process, holm's exec requests) and a set
 * of limits (update). */
extern const struct shape oci_process_shape;
extern const struct shape oci_resources_shape;
extern const struct shape oci_device_shape;
extern const struct shape oci_device_rule_shape;
extern const struct shape oci_id_mapping_shape;
extern const struct shape oci_hook_shape;
extern const struct shape oci_mount_shape;   /* one of an array: crun's mounts add */
extern const struct shape oci_seccomp_shape; /* the argument of --security-opt seccomp=FILE */

/* Reads path below dir_fd into the zeroed *spec. Fails with ERR_CORRUPT naming the member, or
 * ERR_UNSUPPORTED for an ociVersion that is not 1.x. Values are not judged further. */
int oci_spec_read_at(struct oci_spec *spec, int dir_fd, const char *path, struct err *e);
/* The same for length bytes of text, which errors call what. */
int oci_spec_parse(struct oci_spec *spec, const char *text, size_t length, const char *what,
		   struct err *e);
int oci_spec_write_at(const struct oci_spec *spec, int dir_fd, const char *path, struct err *e);

void oci_spec_clear(struct oci_spec *spec);

/* The entry of this type, or NULL: the namespace is the host's (or the caller's). */
const struct oci_namespace *oci_spec_namespace(const struct oci_spec *spec, const char *type);
