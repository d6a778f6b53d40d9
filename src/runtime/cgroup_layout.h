/* cgroup_layout.h - what cgroup.c asks of each layout. The contracts are those of cgroup.h.
 * Private to cgroup*.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oci_resources;
struct runtime_cgroup;

/* cgroup->path is set, and what it is of systemd's. On failure nothing is left of it. */
int runtime_cgroup_create_prepared(struct runtime_cgroup *cgroup,
				   const struct oci_resources *resources, struct err *e);

/* cgroup->path is set; hierarchies are filled in. On failure the caller removes what is there. */
int runtime_cgroup_v1_create(struct runtime_cgroup *cgroup, const struct runtime_cgroup *host,
			     const struct oci_resources *resources, struct err *e);
int runtime_cgroup_v2_create(struct runtime_cgroup *cgroup, const struct runtime_cgroup *host,
			     const struct oci_resources *resources, struct err *e);

int runtime_cgroup_v1_update(struct runtime_cgroup *cgroup, const struct oci_resources *resources,
			     struct err *e);
int runtime_cgroup_v2_update(const struct runtime_cgroup *cgroup,
			     const struct oci_resources *resources, struct err *e);

int runtime_cgroup_v1_freeze(const struct runtime_cgroup *cgroup, bool frozen, int64_t deadline_ms,
			     struct err *e);
int runtime_cgroup_v2_freeze(const struct runtime_cgroup *cgroup, bool frozen, int64_t deadline_ms,
			     struct err *e);
bool runtime_cgroup_v1_is_frozen(const struct runtime_cgroup *cgroup);
bool runtime_cgroup_v2_is_frozen(const struct runtime_cgroup *cgroup);

/* 0 if the kernel did it in one step (cgroup.kill, Linux 5.14), else -errno and no sentence. */
int runtime_cgroup_v2_kill(const struct runtime_cgroup *cgroup);

/* The folder of the hierarchy that has this controller (v2: of the cgroup); -ENOENT without a
 * sentence if it is no member of any. */
int runtime_cgroup_open_controller(const struct runtime_cgroup *cgroup, const char *controller);

/* The folder of hierarchy number index. */
int runtime_cgroup_open(const struct runtime_cgroup *cgroup, size_t index, struct err *e);

/* Where the v2 tree is mounted, the caller's, or NULL. */
int runtime_cgroup_host_v2_mount(char **ret, struct err *e);

bool runtime_cgroup_is_v2(const struct runtime_cgroup *cgroup);

/* Also of the v2 tree that is beside the hierarchies of v1 (cgroup_guest.h). */
bool runtime_cgroup_hierarchy_is_v2(const struct runtime_cgroup *cgroup, size_t index);

/* Anything but rules for devices? resources may be NULL. */
bool runtime_cgroup_asks_for_limits(const struct oci_resources *resources);

/* Fails with ERR_EXISTS if the folder has processes. */
int runtime_cgroup_check_empty(int folder, const char *path, struct err *e);

/* ERR_STATE for a cgroup whose processes would stop where they enter. */
int runtime_cgroup_frozen_above(const char *path, struct err *e);

/* ERR_UNSUPPORTED for a limit whose controller the host lacks. */
int runtime_cgroup_missing(const char *controller, const char *file, struct err *e);
