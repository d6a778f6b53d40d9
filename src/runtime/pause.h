/* pause.h - the freezer, for a whole container. Documentation/admin-guide/cgroup-v1/
 * freezer-subsystem.rst; cgroup-v2.rst, "cgroup.freeze". */
#pragma once

struct err;
struct runtime_container;

/* Return when all processes have stopped, or run again; ERR_TIMEOUT after 10 s, and then a pause
 * has been taken back. ERR_STATE: "container not running", "container is paused" already or "not
 * paused" at all, or one of the cgroups above is frozen, which alone can be thawed. */
int runtime_pause(const struct runtime_container *container, struct err *e);
int runtime_resume(const struct runtime_container *container, struct err *e);
