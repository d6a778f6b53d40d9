/* relay.h - the foreground of a container: the caller's streams and terminal on one side, the
 * connection to its monitor on the other. Used by run, start -a, attach and exec. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;
struct engine_session;

struct cli_relay_options {
	bool input;  /* send our standard input */
	bool output; /* print what the container writes to its standard output, and error */
	bool error;
	bool sig_proxy; /* signals that this process gets go to the container */
	bool owner;     /* of run and start: when our output breaks the container gets SIGPIPE, as
			 * a process at this place of a pipeline would; else we only detach */
	bool redraw;    /* of attach: makes a full-screen program paint itself again */
	const char *detach_keys; /* checked by cli_relay_check(); NULL: the default */
};

enum cli_relay_end { CLI_RELAY_EXITED, CLI_RELAY_DETACHED };

/* What can be wrong before anything is started: detach keys, and -it without a terminal. */
int cli_relay_check(bool tty, bool input, const char *detach_keys, struct err *e);

/* Returns enum cli_relay_end when the container has ended, for good (*ret_code is its exit code)
 * or the person has left it (*ret_code is 0, or 128 + n when signal n ended us); the terminal is
 * then as it was before. What it wrote and we could not, on a full disk, is an error unless the
 * container failed by itself. */
int cli_relay(struct engine_session *session, const struct cli_relay_options *o, int *ret_code,
	      struct err *e);
