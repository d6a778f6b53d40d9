/* inherited.h - descriptors of the caller's that a process in a container is to keep, each under
 * the number that it has here. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct err;
struct runtime_options;

enum { RUNTIME_INHERITED_FIRST = 3, RUNTIME_INHERITED_MAX = 1024 };

/* Zeroed: none. */
struct runtime_inherited {
	int items[RUNTIME_INHERITED_MAX]; /* what becomes descriptor 3 + i; -1: nothing */
	size_t count;
	size_t listen; /* so many of them, the first, are LISTEN_FDS; 0: it is not told */
	char *names;   /* LISTEN_FDNAMES, or NULL; borrowed from the environment */
};

/* The sockets of a service manager (listen.h). ERR_INVALID. */
int runtime_inherited_listen(struct runtime_inherited *to, struct err *e);

/* Descriptors first, first + 1...: so many. From then on they are close-on-exec, so that no other
 * program that is started has them. ERR_INVALID: one is not open, or is not the caller's but was
 * opened by this program; a standard stream; too many. */
int runtime_inherited_add(struct runtime_inherited *to, int64_t first, int64_t count,
			  struct err *e);

/* Into the options of a start or an exec; *inherited is borrowed. */
void runtime_inherited_pass(struct runtime_options *options,
			    const struct runtime_inherited *inherited);
