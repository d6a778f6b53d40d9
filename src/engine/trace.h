/* trace.h - a running container's packets, seen from outside. */
#pragma once
struct engine;
struct err;
struct network_sift;

/* A packet socket (network/capture.h), the caller's, that hears what sift says of the device in the
 * container's network; NULL: its first one. *ret_process, the caller's, too, can be read once the
 * container's first process has ended. ERR_STATE: it does not run. */
int engine_trace_open(int *ret_process, struct engine *engine, const char *name, const char *device,
		      const struct network_sift *sift, struct err *e);
