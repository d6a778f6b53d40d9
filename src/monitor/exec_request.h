/* exec_request.h - what `holm-monitor exec` runs: JSON in a memfd. */
#pragma once
#include "monitor/config.h"
#include "oci/runtime_spec.h"

struct monitor_exec_request {
	/* terminal says whether a pty is made; consoleSize is its first size */
	struct oci_process process;
	struct monitor_listen_config listen;
	char *id;        /* execID of its events */
	bool detach;     /* nobody waits: it listens to nobody after STARTED; the streams are
			  * /dev/null */
	bool stdin_open; /* with a terminal: frames of input are passed on */
	bool bound;      /* with a terminal: it is killed when who asked for it has gone */
};

/* Ends with shape_clear(&monitor_exec_request_shape, request). */
extern const struct shape monitor_exec_request_shape;
