/* cgroup.h - one face over cgroup v1, v2 and hybrid hosts, by files below the hierarchies' roots
 * ("cgroupfs manager"). Linux Documentation/admin-guide/cgroup-v1/ and cgroup-v2.rst;
 * runtime-spec config-linux.md#control-groups.
 *
 * A hybrid host (v1 hierarchies, and a v2 tree beside them) counts as v1, whatever controllers
 * have been left in the v2 tree. Every folder is opened below a mount whose f_type is that of a
 * cgroup filesystem; nothing is ever created in the tmpfs around them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/shape.h"

struct err;
struct oci_resources;

/* v1 allows any number of named hierarchies; controllers there are 14. */
enum { RUNTIME_CGROUP_HIERARCHIES_MAX = 24 };

#define RUNTIME_CGROUP_PARENT "/holm"

struct runtime_cgroup_hierarchy {
	char *controllers; /* v1: the mount option, "cpu,cpuacct", "name=systemd"; "" in layout v1:
			    * the v2 tree (cgroup_guest.h) */
	char *mount;       /* "/sys/fs/cgroup/memory" */
	uint64_t made;     /* how much of path was new, as a length: 2 if "/a" of "/a/b" was */
};

/* The cgroup of one container. The shape makes it part of container.json. */
struct runtime_cgroup {
	char *layout; /* "v1", "v2", or "none": the host has no cgroups at all */
	char *path;   /* "/holm/ID", below each mount: where its limits are */
	char *leaf; /* below path: where its processes are, without limits of their own; or NULL */
	char *unit; /* of systemd, "holm-ID.scope", or NULL */
	bool user_unit; /* the unit is one of the user's own manager */
	SHAPE_LIST_OF(struct runtime_cgroup_hierarchy) hierarchies; /* those it is a member of */
	pid_t holder; /* internal: keeps the unit from ending before its first process is there */
};
extern const struct shape runtime_cgroup_shape;
void runtime_cgroup_clear(struct runtime_cgroup *cgroup);

/* What the host offers: layout, and every mounted hierarchy; path is "/". v2's controllers are
 * those of the root's cgroup.controllers. For doctor and for choosing defaults. */
int runtime_cgroup_host_read(struct runtime_cgroup *ret, struct err *e);

/* Does the host have this controller ("memory", "pids") in the layout that is used? */
bool runtime_cgroup_host_has(const struct runtime_cgroup *host, const char *controller);

/* Could limits like these be set here at all? Looks at values and at what the host has, and makes
 * nothing. Errors as of runtime_cgroup_create_in_parent(). */
int runtime_cgroup_check(const struct oci_resources *resources, struct err *e);

/* Makes the cgroup and sets the limits (resources may be NULL). path is the spec's cgroupsPath; one
 * without a leading slash goes below /holm (for a spec that has none cgroup_user.h chooses). A
 * cgroup that has processes in it already is refused (ERR_EXISTS), and so is one below a frozen one
 * (ERR_STATE). ERR_UNSUPPORTED names a controller that a limit needs and the host does not have. On
 * failure nothing is left but what was there before. The caller clears *ret. */
int runtime_cgroup_create_in_parent(struct runtime_cgroup *ret, const char *path,
				    const struct oci_resources *resources, struct err *e);

/* How a child gets in without the grace period that writing a pid costs (8-13 ms): in a tree of v2
 * it is born, by clone3(CLONE_INTO_CGROUP) with .cgroup = folder; into those of v1 the child goes
 * by enter_self, while it has one thread. Where clone3 refuses the flag, enter_self works on v2,
 * too. A host with both has both.
 * A cgroup namespace must be unshared after this, in the child: CLONE_NEWCGROUP in clone3 would
 * take the parent's cgroup for its root. */
struct runtime_cgroup_entry {
	int folder;  /* of v2, or -1: no tree of v2 is among them */
	size_t tree; /* which of the files is that one's */
	int files[RUNTIME_CGROUP_HIERARCHIES_MAX];
	size_t count;
};

/* choices (NULL: none) lead to cgroups below the container's, which are there: "[CONTROLLER
 * [,CONTROLLER]:]PATH", as runc's "exec --cgroup". ERR_INVALID for a path that is none or leads up,
 * and for a controller on v2; ERR_NOT_FOUND. */
int runtime_cgroup_entry_open(struct runtime_cgroup_entry *ret, const struct runtime_cgroup *cgroup,
			      const struct strv *choices, struct err *e);

/* Where on v2 the container has handed controllers down to cgroups below its own (as systemd does)
 * no process may enter that any more: then it is the one that the first process is in. */
int runtime_cgroup_entry_open_with(struct runtime_cgroup_entry *ret,
				   const struct runtime_cgroup *cgroup, pid_t first, struct err *e);
void runtime_cgroup_entry_close(struct runtime_cgroup_entry *entry);

/* born: it is in the tree of v2 already. */
int runtime_cgroup_enter_self_in_child(const struct runtime_cgroup_entry *entry, bool born,
				       struct err *e);

/* Changes limits of a living cgroup; what resources does not name stays. When a part is refused,
 * the others are taken back (device rules of v1 excepted, which come last). ERR_STATE for a memory
 * limit below what is in use. A v1 hierarchy that it was no member of so far is joined with all
 * processes, hence the caller must store *cgroup, on failure, too. */
int runtime_cgroup_update(struct runtime_cgroup *cgroup, const struct oci_resources *resources,
			  struct err *e);

/* Stops or continues all processes and waits until it is so (10 s at most, ERR_TIMEOUT). ERR_STATE
 * at once where a cgroup above is frozen, so that these cannot continue. */
int runtime_cgroup_freeze(const struct runtime_cgroup *cgroup, bool frozen, struct err *e);
bool runtime_cgroup_is_frozen(const struct runtime_cgroup *cgroup);

/* SIGKILL for every process in it and below it, also new and frozen ones; returns when they have
 * been signalled, not when they are gone. Nothing to kill is success. */
int runtime_cgroup_kill(const struct runtime_cgroup *cgroup, struct err *e);

/* The pids in it and below it, as the caller's PID namespace sees them. The caller frees *ret. */
int runtime_cgroup_list(pid_t **ret, size_t *ret_count, const struct runtime_cgroup *cgroup,
			struct err *e);

/* Removes it with what lies below it, waiting up to 2 s for dying processes (ERR_STATE after
 * that). Also removes /holm when that was the last one. A cgroup that is gone is success. */
int runtime_cgroup_remove(const struct runtime_cgroup *cgroup, struct err *e);

/* The same without waiting: false where processes are left in it. */
bool runtime_cgroup_remove_empty(const struct runtime_cgroup *cgroup);

/* How many of its processes the kernel killed for want of memory. Read it before remove. */
uint64_t runtime_cgroup_oom_kills(const struct runtime_cgroup *cgroup);

static inline bool runtime_cgroup_oom_killed(const struct runtime_cgroup *cgroup)
{
	return runtime_cgroup_oom_kills(cgroup) > 0;
}
