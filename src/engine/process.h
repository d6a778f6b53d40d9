/* process.h - a container's run folder and its monitor: made, started, taken back. */
#pragma once
#include "engine/engine.h"

struct err;

/* Writes the run folder (spec, monitor.json) of a container that nobody runs, starts the monitor
 * and waits until the container's command runs. folder_fd is the container's folder, locked by
 * the caller. On failure nothing of it is left. */
int engine_process_start(struct engine *engine, const struct container *c, int folder_fd,
			 const struct start_options *o, struct engine_session *ret, struct err *e);

/* Tells the monitor of a container that runs its name, labels and restart policy anew. One that
 * does not run is success. */
int engine_process_tell(struct engine *engine, const struct container *c, struct err *e);

/* "$run/containers/ID"; the caller frees. */
char *engine_process_run_dir(const struct engine *engine, const char *id);

/* A connection to the monitor of the running container with this full id. ERR_STATE. */
int engine_process_connect(struct engine *engine, const char *id, struct monitor_client *ret,
			   struct err *e);
