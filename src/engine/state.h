/* state.h - what a container is now, derived from the files that ARCHITECTURE.md names and never
 * stored: no live monitor and no exit.json: created; no live monitor and exit.json: exited;
 * else what the monitor's state.json says. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "monitor/health.h"

struct engine;
struct err;

enum container_status {
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_RESTARTING,
	CONTAINER_EXITED,
	CONTAINER_DEAD,       /* being removed */
	CONTAINER_INCOMPLETE, /* it lacks layers or folders of its own (engine/whole.h) */
};

struct container_state {
	enum container_status status;
	pid_t pid;          /* of the first process, on the host; 0: none */
	uint64_t pid_start; /* its start time (base/process.h) */
	pid_t monitor_pid;  /* 0: none; of a created one that is just being started, too */
	int exit_code;
	bool oom_killed;
	bool stopped;        /* a person asked for its end */
	int64_t started_ns;  /* 0: never */
	int64_t finished_ns; /* 0: never, or it runs */
	int64_t restart_count;
	enum monitor_health_status health; /* of one that lives */
	char error[256];                   /* why it could not be started, or "" */
};

/* "created", "running", "paused", "restarting", "exited", "dead", "incomplete" */
const char *container_status_name(enum container_status status);

/* Is there a first process (running or paused)? */
bool container_state_live(const struct container_state *state);

/* Reads the state of the container with this full id. A run folder without a live monitor is
 * what a killed one left: it is cleared first, as far as its lock can be taken. So is a container
 * of `run --rm` that was killed before it started it: then ERR_NOT_FOUND. */
int engine_state_read(struct engine *engine, const char *id, struct container_state *ret,
		      struct err *e);

/* The same for who holds the container's lock: folder_fd. */
int engine_state_read_locked(struct engine *engine, const char *id, int folder_fd,
			     struct container_state *ret, struct err *e);

/* "Up 3 minutes", "Exited (0) 2 hours ago", "Created": docker ps's column. to has 64 bytes. */
void container_state_describe(char to[64], const struct container_state *state, int64_t now_ns);
