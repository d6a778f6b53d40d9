/* shell.h - a login session in a container, without a password or with one: what is run for it. */
#pragma once
#include <stdbool.h>

struct engine;
struct err;
struct exec_options;
struct strv;

struct system_shell {
	const char *container;
	const char *user;           /* NULL: root */
	const struct strv *command; /* empty: a shell to type into */
	bool tty;
	bool asks; /* for name and password, as at a console; on a terminal */
};

/* Fills the command of *to, zeroed by the caller and freed by it: the container's own login(1), or
 * su(1) where there is none or a command is to be run, so that PAM opens the session and logind
 * knows of it; where it has neither, a shell. Only looks at the container's files: what is found is
 * run inside. ERR_STATE: it does not run. ERR_UNSUPPORTED: it has nothing that asks. */
int system_shell_choose(struct engine *engine, const struct system_shell *shell,
			struct exec_options *to, struct err *e);
