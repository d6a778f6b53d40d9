/* foreground.h - the end that run, start -a, attach and exec have in common: a session of the
 * engine, relayed until the container ends or the person leaves it. */
#pragma once
#include <stdbool.h>

struct cli_relay_options;
struct engine_session;
struct err;
struct start_options;
struct strv;

/* Which of our streams are wanted, from the words of --attach ("" wants output and error, and
 * input if interactive). ERR_INVALID for other words. */
int cli_foreground_streams(struct cli_relay_options *relay, const struct strv *attach,
			   bool interactive, struct err *e);

/* The size of our terminal, where there is one. */
void cli_foreground_size(struct start_options *start);

/* Relays and closes the session. Returns the exit status of holm, or a negative errno. name is for
 * the sentence that tells how to come back. */
int cli_foreground(struct engine_session *session, const struct cli_relay_options *relay,
		   const char *name, struct err *e);
