/* state.h - what a container is: state.json in its run folder, written by its monitor alone, and
 * exit.json in its durable folder, how it ended last. See ARCHITECTURE.md, "State". What only
 * those need who join or clear up lies in container.json beside state.json, written once a start:
 * a list of a hundred containers reads the small file alone. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/shape.h"
#include "runtime/runtime.h"

struct err;

#define MONITOR_STATE_RUNNING    "running"
#define MONITOR_STATE_PAUSED     "paused"
#define MONITOR_STATE_RESTARTING "restarting"

struct monitor_state {
	char *status;                       /* one of the three above */
	struct runtime_container container; /* in state.json pid and start time; while restarting
					     * the pid is 0 */
	int64_t monitor_pid;
	uint64_t monitor_start; /* base/process.h */
	char *started_at;       /* RFC 3339; of the last start */
	char *finished_at;      /* of the last exit while restarting, else NULL */
	int64_t exit_code;      /* the same */
	int64_t restart_count;
	char *health; /* health.h: monitor_health_name(); NULL: there is no check */
};

struct monitor_exit_record {
	int64_t exit_code;
	char *error; /* why it could not start; NULL */
	bool oom_killed;
	bool stopped;     /* holm stop or kill asked for it: unless-stopped leaves it at boot */
	char *started_at; /* NULL when it never ran */
	char *finished_at;
	int64_t restart_count;
};

extern const struct shape monitor_exit_record_shape;

/* Is there a live monitor of this run folder? Asks for the lock on `alive` and changes nothing.
 * Its pid, 0 for none (also when the folder is not there), or -errno. */
pid_t monitor_state_alive(int run_dir_fd);

/* The same for the run folder of this name below parent_fd. */
pid_t monitor_state_alive_in(int parent_fd, const char *folder);

/* state.json. -ENOENT (ERR_NOT_FOUND): none. End it with monitor_state_clear(). */
int monitor_state_read_at(struct monitor_state *ret, int run_dir_fd, struct err *e);
int monitor_state_read_in(struct monitor_state *ret, int parent_fd, const char *folder,
			  struct err *e);

/* The same with all of ret->container. */
int monitor_state_read_whole_at(struct monitor_state *ret, int run_dir_fd, struct err *e);
void monitor_state_clear(struct monitor_state *state);

int monitor_state_write_at(int run_dir_fd, const struct monitor_state *state, struct err *e);
int monitor_state_write_container_at(int run_dir_fd, const struct runtime_container *container,
				     struct err *e);

/* exit.json in the container's durable folder of this name; the same rules. */
int monitor_exit_record_read_in(struct monitor_exit_record *ret, int parent_fd, const char *folder,
				struct err *e);

/* Before a start: takes the disk space of exit.json, and removes the one of the last run. Writing
 * it later works on a full disk, too. Until then its place tells what is true if nobody comes to
 * write it: the host went down while the container ran. */
int monitor_exit_record_reserve_at(int container_fd, struct err *e);

/* Takes it back: the container was not started. */
void monitor_exit_record_release_at(int container_fd);

/* That record, of a container without a run folder and exit.json. -ENOENT: it did not run. */
int monitor_exit_record_read_lost_in(struct monitor_exit_record *ret, int parent_fd,
				     const char *folder, struct err *e);

/* Of a container that ran when the host went down: Docker's code. */
enum { MONITOR_EXIT_CODE_LOST = 255 };
#define MONITOR_EXIT_WORDS_LOST "the host went down"
int monitor_exit_record_write_at(int container_fd, const struct monitor_exit_record *record,
				 struct err *e);
