/* memory_policy.h - linux.memoryPolicy: set_mempolicy(2), runtime-spec v1.3
 * config-linux.md#memory-policy. Which modes take nodes and flags is the manual page's. */
#pragma once

struct err;
struct oci_memory_policy;
struct runtime_word;

/* ERR_INVALID with the member's path. NULL is fine. */
int runtime_memory_policy_check(const struct oci_memory_policy *policy, struct err *e);

/* After the cgroup is entered: the nodes must be among its cpuset.mems. */
int runtime_memory_policy_apply_in_child(const struct oci_memory_policy *policy, struct err *e);

/* What can be said, for `features`. */
extern const struct runtime_word *const runtime_memory_policy_modes;
extern const struct runtime_word *const runtime_memory_policy_flags;
