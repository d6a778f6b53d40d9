/* intel_rdt.h - linux.intelRdt: shares of caches and memory bandwidth, by the resctrl filesystem
 * (Linux Documentation/filesystems/resctrl.rst). runtime-spec v1.3 config-linux.md#intelrdt:
 *
 *	closID, no schema	the group must be there
 *	closID and a schema	made if it is not there; one that is must have this schema
 *	no closID		a group of the container's own, named after it, gone with it
 *	enableMonitoring	a monitoring group of its own in that group, gone with it */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "base/shape.h"

struct err;
struct oci_intel_rdt;

/* The part of container.json. Zeroed: there is none. */
struct runtime_intel_rdt {
	char *group;   /* below resctrl's root; ".": the root's; NULL: none */
	bool own;      /* the group goes with the container */
	char *monitor; /* in the group's mon_groups; NULL: none */
};
extern const struct shape runtime_intel_rdt_shape;
void runtime_intel_rdt_clear(struct runtime_intel_rdt *rdt);

/* resctrl's root, its f_type checked; ERR_UNSUPPORTED where it is not mounted. */
int runtime_intel_rdt_open(struct err *e);

/* Which groups make is about to make, or would have made. */
void runtime_intel_rdt_choose(struct runtime_intel_rdt *ret, const struct oci_intel_rdt *spec,
			      const char *id);

/* Makes the groups below root_fd. ERR_NOT_FOUND, ERR_INVALID; on failure nothing is left. */
int runtime_intel_rdt_make(struct runtime_intel_rdt *ret, int root_fd,
			   const struct oci_intel_rdt *spec, const char *id, struct err *e);

/* The process, and all that it will fork. */
int runtime_intel_rdt_join(const struct runtime_intel_rdt *rdt, int root_fd, pid_t pid,
			   struct err *e);

/* Another schema for the group; what spec does not name stays. ERR_STATE: it is the root's, which
 * is the host's own. */
int runtime_intel_rdt_change(const struct runtime_intel_rdt *rdt, int root_fd,
			     const struct oci_intel_rdt *spec, struct err *e);

/* What was made for the container alone; gone already is success. */
int runtime_intel_rdt_remove(const struct runtime_intel_rdt *rdt, int root_fd, struct err *e);

/* The same three for a container: the root is opened, and nothing done where spec is NULL or rdt
 * zeroed. */
int runtime_intel_rdt_make_in_parent(struct runtime_intel_rdt *ret,
				     const struct oci_intel_rdt *spec, const char *id,
				     struct err *e);
int runtime_intel_rdt_join_in_parent(const struct runtime_intel_rdt *rdt, pid_t pid, struct err *e);
int runtime_intel_rdt_remove_in_parent(const struct runtime_intel_rdt *rdt, struct err *e);
