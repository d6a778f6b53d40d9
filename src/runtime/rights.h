/* rights.h - what a process of the container may do: user, groups, capabilities, seccomp, resource
 * limits, LSM profile. Computed by the parent, taken on by the child as its last steps. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/capability.h"
#include "runtime/landlock_policy.h"
#include "runtime/seccomp.h"

struct err;
struct oci_spec;
struct oci_process;
struct runtime_user;

struct runtime_rlimit {
	const char *name; /* borrowed */
	uint64_t soft;
	uint64_t hard;
};

struct runtime_rights {
	struct runtime_capability_sets capabilities;
	struct runtime_seccomp_filter filter; /* count 0: none */
	struct runtime_landlock_policy landlock;
	struct runtime_rlimit *rlimits;
	size_t rlimits_count;
	bool no_new_privileges;
	bool groups_denied;   /* setgroups(2) is forbidden there: set by who enters it */
	bool keep_groups;     /* the caller's supplementary groups stay */
	const char *apparmor; /* borrowed, or NULL */
	const char *selinux;
};

/* Of process in the container of this spec. In an exec process is not spec->process: then what
 * it does not say is the container's, and its capabilities are at most the container's. Warns
 * (base/log.h) of defaults that it lowers (org.holm.defaults). The caller clears *ret. */
int runtime_rights_prepare_in_parent(struct runtime_rights *ret, const struct oci_spec *spec,
				     const struct oci_process *process, struct err *e);
void runtime_rights_clear(struct runtime_rights *rights);

/* Is process.oomScoreAdj another than this process's, which a child inherits? */
bool runtime_rights_has_oom_score(const struct oci_process *process);

/* process.oomScoreAdj for pid, lowered as far as allowed when it is a default. */
int runtime_rights_set_oom_score(int pid, const struct oci_spec *spec,
				 const struct oci_process *process, struct err *e);

/* Is this member of process one that nobody asked for (annotation org.holm.defaults)? */
bool runtime_rights_is_default(const struct oci_spec *spec, const char *member);

/* LSM profile and label, while the process is still privileged. proc_fd: of
 * runtime_procfs_open() in this PID namespace; -1 when there is no profile or label. */
int runtime_rights_label_in_child(const struct runtime_rights *rights, int proc_fd, struct err *e);

/* Resource limits, likewise; nothing that needs descriptors can come after RLIMIT_NOFILE. */
int runtime_rights_limit_in_child(const struct runtime_rights *rights, struct err *e);

/* Landlock (ruleset_fd, or -1), seccomp, groups, ids, capabilities. A listener of the filter goes
 * up the channel as LISTENER, at once: the next calls may be ones that wait for its answers. */
int runtime_rights_take_in_child(const struct runtime_rights *rights,
				 const struct runtime_user *user, int ruleset_fd, int channel,
				 struct err *e);
