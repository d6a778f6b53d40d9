/* reap.h - clearing up behind a monitor that was killed. */
#pragma once
#include <stdbool.h>

struct err;

/* Under the container's lock (flock on its durable folder), when run_dir has a state.json or
 * monitor.json and monitor_state_alive() is 0: kills what is left in the container's cgroup,
 * removes the cgroups, writes exit.json (137) if the container had started and there is none,
 * removes the run folder. With --rm, the durable folder, the name and the anonymous volumes go
 * too; *ret_removed says so. container_fd may be -1 when the durable folder is gone. */
int monitor_reap(bool *ret_removed, const char *run_dir, int container_fd, struct err *e);
