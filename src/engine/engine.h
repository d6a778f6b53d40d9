/* engine.h - the verbs on containers, for whoever faces the person: cli/ and later api/. Every
 * verb does all of its work or undoes it, says what failed in *e and prints nothing. A container
 * is named by name, id or the beginning of an id; what a beginning fits twice is ERR_INVALID.
 *
 * One verb per file: engine_stop() is in engine/stop.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/container.h"
#include "engine/options.h"
#include "engine/state.h"
#include "monitor/client.h"

struct err;
struct store;
struct json_object;

struct engine {
	struct store *store; /* both folders; images, layers, volumes */
	int containers_fd;   /* $root/containers */
	int names_fd;        /* $root/names */
	int run_fd;          /* $run/containers */
};

/* Opens (and makes, where missing) both folders. NULL: $HOLM_ROOT and $HOLM_RUN, else
 * /var/lib/holm and /run/holm. The caller ends *ret with engine_close(). */
int engine_open(struct engine *ret, const char *root, const char *run, struct err *e);
void engine_close(struct engine *engine);

/* Resolves the image (pulls it as --pull says), checks every option, takes the name, writes the
 * record. On success *ret is the caller's (container_clear). */
int engine_create(struct engine *engine, const struct create_options *o, struct container *ret,
		  struct err *e);

/* A connection to a container's monitor, for the attach loop. Ended by engine_session_close(). */
struct engine_session {
	struct monitor_client client; /* fd -1: detached, all is done */
	char id[CONTAINER_ID_LENGTH + 1];
	pid_t pid; /* of the process, on the host */
	bool tty;
	bool open_stdin;
};

void engine_session_close(struct engine_session *session);

/* Starts a created or exited container and returns once its process runs. With o->attach the
 * session (output, input with o->interactive) was connected before that, so that nothing it says
 * is lost; without, ret->client has no descriptor. ERR_NOT_EXECUTABLE and ERR_COMMAND_NOT_FOUND
 * tell 126 and 127. A running container: without attach no error, else as engine_attach(). */
int engine_start(struct engine *engine, const char *name, const struct start_options *o,
		 struct engine_session *ret, struct err *e);

/* Both in one, under one lock: a --rm container whose maker is killed before it runs is found and
 * removed by the next command. On success *ret is the caller's (container_clear), and the session
 * as from engine_start(). */
int engine_run(struct engine *engine, const struct create_options *o,
	       const struct start_options *start, struct container *ret,
	       struct engine_session *ret_session, struct err *e);

/* Connects to a running container's standard streams. */
int engine_attach(struct engine *engine, const char *name, const struct start_options *o,
		  struct engine_session *ret, struct err *e);

/* Starts one more process in a running container; returns once it runs. With a terminal its
 * streams are frames of the session; without, it has this process's own 0, 1 and 2 (/dev/null
 * for 0 unless interactive) and the session brings the EXIT frame alone. With detach nothing is
 * left to do. */
int engine_exec(struct engine *engine, const struct exec_options *o, struct engine_session *ret,
		struct err *e);

/* Called once for each name as it is done; e is NULL for success. */
typedef void engine_report(void *arg, const char *name, const struct err *e);

/* Stops all of them at the same time: signal, grace time, SIGKILL. Returns how many failed. A
 * container that does not run is no error. */
int engine_stop(struct engine *engine, const struct strv *names, const struct stop_options *o,
		engine_report *report, void *arg);

/* stop, then start, each. Returns how many failed. */
int engine_restart(struct engine *engine, const struct strv *names, const struct stop_options *o,
		   engine_report *report, void *arg);

/* signal: "KILL", "SIGHUP", "9"; NULL: SIGKILL. */
int engine_kill(struct engine *engine, const char *name, const char *signal, struct err *e);

int engine_remove(struct engine *engine, const char *name, const struct remove_options *o,
		  struct err *e);

/* Other limits and another restart policy: of *o the memory, cpu, cpuset, pids and blkio-weight
 * members and restart. Recorded first; one that runs has them at once. What cannot be done is
 * taken back. ERR_INVALID for limits that contradict each other or those it has. */
int engine_update(struct engine *engine, const char *name, const struct create_options *o,
		  struct err *e);

/* Docker's {"Titles": [...], "Processes": [[...]...]} of what runs in it, as ps(1) of the host sees
 * it; ps_args: "aux" or the like, empty for "-ef". The caller's (json_object_put). */
int engine_top(struct engine *engine, const char *name, const struct strv *ps_args,
	       struct json_object **ret, struct err *e);

/* Gives it another name; whether it runs makes no difference. ERR_EXISTS. */
int engine_rename(struct engine *engine, const char *name, const char *new_name, struct err *e);
int engine_pause(struct engine *engine, const char *name, struct err *e);
int engine_unpause(struct engine *engine, const char *name, struct err *e);

/* One health check now, or the one that runs; *ret_code is its exit code, -1: it had none.
 * ERR_STATE: it does not run, or is paused; ERR_UNSUPPORTED: it has no check. */
int engine_health_check(struct engine *engine, const char *name, int *ret_code, struct err *e);

enum engine_wait_for {
	ENGINE_WAIT_NOT_RUNNING,
	ENGINE_WAIT_NEXT_EXIT, /* also of one that does not run yet */
	ENGINE_WAIT_REMOVED,
	ENGINE_WAIT_CREATED, /* the state is this one now */
	ENGINE_WAIT_RUNNING,
	ENGINE_WAIT_PAUSED,
	ENGINE_WAIT_HEALTHY,
	ENGINE_WAIT_UNHEALTHY,
};

/* Blocks until then; *ret_code is the exit code. */
int engine_wait(struct engine *engine, const char *name, enum engine_wait_for condition,
		int *ret_code, struct err *e);

/* ps: one row a container. */
struct engine_row {
	struct container container;
	struct container_state state;
};

struct engine_rows {
	struct engine_row *items;
	size_t count;
	size_t damaged; /* so many could not be read and are left out, each with a warning */
};

struct list_options {
	bool all;           /* also those that do not run */
	struct strv filter; /* "name=web", "status=exited"...; see engine/filter.c */
	bool quiet;         /* no warnings */
	int64_t last;       /* -n: the newest so many, of all; 0: no bound */
};

/* Newest first. The caller ends *ret with engine_rows_clear(). */
int engine_list(struct engine *engine, const struct list_options *o, struct engine_rows *ret,
		struct err *e);
void engine_rows_clear(struct engine_rows *rows);

/* For who removes what no container needs: ERR_CORRUPT if some could not be read. */
int engine_rows_whole(const struct engine_rows *rows, struct err *e);

/* The full id of the container that name means. */
int engine_find(struct engine *engine, const char *name, char ret_id[CONTAINER_ID_LENGTH + 1],
		struct err *e);

/* The same of a name alone: ids that begin so do not count. */
bool engine_find_name(struct engine *engine, const char *name,
		      char ret_id[CONTAINER_ID_LENGTH + 1]);

/* Record and state of one container; either pointer may be NULL. */
int engine_load(struct engine *engine, const char *name, struct container *ret,
		struct container_state *ret_state, struct err *e);

/* Docker's JSON of `inspect`, and a member "Holm" that shows the primitives one by one. The
 * caller's (json_object_put). */
int engine_inspect(struct engine *engine, const char *name, struct json_object **ret,
		   struct err *e);

/* The container as a table of primitives (engine/explain.h): an object with its Name, Id and State,
 * and Rows, an array of { Group, Primitive, Value, Compared, Flag }. The caller's. */
int engine_explain(struct engine *engine, const char *name, struct json_object **ret,
		   struct err *e);

/* Docker's JSON of `image inspect`. */
int engine_image_inspect(struct engine *engine, const char *name, struct json_object **ret,
			 struct err *e);
int engine_image_inspect_for(struct engine *engine, const char *name, const char *platform,
			     struct json_object **ret, struct err *e);

/* Where a container's log lies, for `logs`. */
struct engine_log {
	bool journal; /* it lies in the journal of systemd instead: see id */
	char id[CONTAINER_ID_LENGTH + 1];
	struct shape_map details; /* labels, variables and tag that --log-opt asked for */
	int folder_fd;            /* the caller's: holds log, log.1... (format: monitor/log.h) */
	int run_fd; /* the caller's; -1: not running. engine_log_alive() tells of later */
	bool tty;
};

int engine_log_open(struct engine *engine, const char *name, struct engine_log *ret, struct err *e);
void engine_log_close(struct engine_log *log);
bool engine_log_alive(const struct engine_log *log);
