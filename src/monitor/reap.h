/* reap.h - clearing up behind a monitor that has ended or was killed. Under the container's lock
 * (flock on its durable folder). */
#pragma once
#include <stdbool.h>

struct err;

/* run_dir, $run/containers/ID, has no live monitor (monitor_state_alive() is 0): kills what is left
 * in the container's cgroup, removes the cgroups, writes exit.json (137) if it had been started
 * and has none, removes the run folder. With --rm the durable folder, the name and the anonymous
 * volumes go, too: *ret_removed. container_fd is the durable folder, or -1 when it is gone.
 * A run folder that is not there is success; so is one whose monitor lives after all (nothing is
 * done). */
int monitor_reap(bool *ret_removed, const char *run_dir, int container_fd, struct err *e);

/* Before run_dir is made anew, or the container removed: an ended monitor may still be at its last
 * work, in the folder .dead-ID beside run_dir. Waits for it, and clears up if it was killed.
 * ERR_TIMEOUT: it has not ended in a minute; by force it is killed after 10 seconds. */
int monitor_reap_settle(const char *run_dir, struct err *e);
int monitor_reap_settle_by_force(const char *run_dir, struct err *e);

/* The run folder, locked (flock) for who fills or clears it: stores that share $run do not share
 * the container's lock. -ENOENT: it is not there, or was replaced meanwhile; -EWOULDBLOCK: another
 * process has it and we are not to wait. */
int monitor_reap_lock(const char *run_dir, bool wait);

/* An entry of containers ($run/containers): clears a .dead-ID whose monitor does not live, and a
 * run folder without a durable folder, in records_fd ($root/containers) or in the store that it
 * names. No lock is needed. */
void monitor_reap_entry(const char *containers, const char *entry, int records_fd);
