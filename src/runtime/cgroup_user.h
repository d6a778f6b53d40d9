/* cgroup_user.h - the cgroup of a container whose caller may not write everywhere in the host's:
 * an ordinary user, or root of an inner user namespace. Where nothing has been delegated to it and
 * no limit is asked for, the container has none of its own and stays in the caller's. */
#pragma once
#include <stdbool.h>

struct err;
struct oci_resources;
struct runtime_cgroup;
struct runtime_cgroup_request;

/* Where the cgroup of a container is whose spec names none: /holm-ID. For such a caller /holm/ID on
 * v1 and, on v2, holm-ID beside the caller's own cgroup. That holds processes, so that it could not
 * pass controllers on (cgroup-v2.rst, "No Internal Process Constraint"); what is beside it can have
 * limits if the folder above was delegated (systemd: Delegate=yes). The caller frees. */
char *runtime_cgroup_user_path(const char *id);

/* As runtime_cgroup_create_in_parent(). path: the spec's cgroupsPath, or NULL: the one above.
 * default_pids: nobody asked for the limit of processes, which is left out without a cgroup. */
int runtime_cgroup_user_create_in_parent(struct runtime_cgroup *ret,
					 const struct runtime_cgroup_request *request,
					 bool default_pids, struct err *e);

/* None at all. ERR_INVALID where resources ask for limits. */
int runtime_cgroup_user_none(struct runtime_cgroup *ret, const struct oci_resources *resources,
			     struct err *e);

/* May the caller make cgroups there, as far as the folders' owners go? *ret_where, the caller's to
 * free: the folder that has to be its own, NULL where no cgroups are mounted. */
bool runtime_cgroup_user_may(char **ret_where);
