/* hook.h - one program of the spec's hooks, run to its end. Knows nothing of containers.
 * runtime-spec v1.3 config.md#posix-platform-hooks: path is absolute, args is the whole argv, env
 * the whole environment: none is none, as with crun (runc passes on its own). */
#pragma once
#include <stddef.h>

struct err;
struct oci_hook;

struct runtime_hook_streams {
	const char *input;  /* the hook's standard input */
	const char *bundle; /* its working directory; NULL: the caller's. "/" if it is gone */
	int output;         /* becomes its standard output; -1: /dev/null */
	int stop_fd;        /* once it is readable, the hook is killed; -1: none */
	int error;          /* standard error; -1: what it says last goes into the error */
	void (*turn)(void *context); /* called several times a second while it runs; NULL: not */
	void *context;
};

/* Is it one that can be run: an absolute path, a timeout above 0? ERR_INVALID names the member. */
int runtime_hook_check(const struct oci_hook *hook, struct err *e);

/* Returns once it has ended, not once all that it left in the background has. It leads a session
 * of its own; after its timeout that is killed (ERR_TIMEOUT), at stop_fd's word, and when the
 * caller's thread ends. Fails for an exit status that is not 0 and for a signal, with its path. */
int runtime_hook_run(const struct oci_hook *hook, const struct runtime_hook_streams *streams,
		     struct err *e);
