/* stop.h - the end of one running container, for stop, restart and rm -f. */
#pragma once
struct container_state;
struct engine;
struct err;
struct monitor_stop;

/* Stops the container with this full id and returns when it is stopped for good. One that does not
 * run is success. */
int engine_stop_one(struct engine *engine, const char *id, const struct monitor_stop *stop,
		    struct err *e);
