/* given.h - what the command line gives to RUN --mount: --secret and --ssh. Pure but for the
 * environment. */
#pragma once
#include <stdbool.h>

struct build_options;
struct err;

/* --secret id=ID[,src=FILE|,env=NAME]: exactly one of *file and *env is set, borrowed from the
 * options. Returns 1; 0: nobody gave one of that id; ERR_INVALID. */
struct build_given {
	char *id;
	char *file;
	char *env;
};
int build_given_secret(struct build_given *ret, const struct build_options *o, const char *id,
		       struct err *e);

/* Are all of them written so? Before the first step, whichever of them will want one. */
int build_given_check(const struct build_options *o, struct err *e);

/* --ssh ID[=SOCKET]: the socket of the agent. The same. That of key files is in agent.h. */
int build_given_ssh(struct build_given *ret, const struct build_options *o, const char *id,
		    struct err *e);
void build_given_clear(struct build_given *given);
