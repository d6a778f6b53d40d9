/* command.h - the container's command: found the way execvp(3) would, by the container's own
 * PATH, from inside. */
#pragma once

struct err;
struct strv;

/* The path to exec for name in *ret (the caller frees). Without a slash it is looked for in env's
 * PATH (or the usual one). Fails as runtime_command_error() says. */
int runtime_command_find_in_container(char **ret, const char *name, const struct strv *env,
				      struct err *e);

/* 0 if path can be exec'ed as far as can be told before, else the errno of exec(2). */
int runtime_command_probe(const char *path);

/* The error of an exec(2) of a file that had been found: ENOENT then speaks of its interpreter. */
int runtime_command_exec_error(struct err *e, int number, const char *command);
