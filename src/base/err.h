/* err.h - what went wrong, as one sentence built from the inside out. A fixed-size value on the
 * stack: nobody frees it, and a child sends it up a pipe in one write (it is below PIPE_BUF). */
#pragma once
#include <stdarg.h>

/* The order is that of the table in err.c, which maps each kind to an exit status. */
enum err_kind {
	ERR_INTERNAL,
	ERR_INVALID,     /* what was asked for makes no sense */
	ERR_NOT_FOUND,   /* no such container, image, volume */
	ERR_EXISTS,      /* the name is taken */
	ERR_STATE,       /* the object is in the wrong state for this */
	ERR_PERMISSION,  /* the kernel, a policy or a registry refuses */
	ERR_UNSUPPORTED, /* this kernel, host or build cannot */
	ERR_NO_SPACE,    /* the disk or the quota is full */
	ERR_CORRUPT,     /* a digest, archive or record is not what it claims */
	ERR_UNREACHABLE, /* a registry or a monitor does not answer */
	ERR_TIMEOUT,
	ERR_NOT_EXECUTABLE,    /* the container's command was found and cannot be run: 126 */
	ERR_COMMAND_NOT_FOUND, /* the container's command was not found: 127 */
	ERR_SYSTEM,            /* a system call failed in a way that has no kind of its own */
	ERR_KINDS,
};

struct err {
	enum err_kind kind;
	int number;      /* a positive errno */
	char text[1536]; /* "connect network: bridge holm0: Operation not permitted" */
	char hint[512];  /* what a person can try, or "" */
};

/* All of these return a negative errno, so that `return err_set(e, ...)` is the way to fail. */

/* Starts an error of this kind. */
int err_set(struct err *e, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Starts an error from errno: "<format>: <strerror>"; the kind follows from errno. */
int err_sys(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for a given positive errno. */
int err_number(struct err *e, int number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts the caller's task in front: "<format>: <text so far>". Keeps kind, number and hint. */
int err_add(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says what to try; the first hint set wins, because it is nearest to the cause. */
int err_hint(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The exit status by Docker's convention: 125, 126, 127 or 1 (see the table in err.c). */
int err_exit_status(const struct err *e);

/* "not-found", "state"...: the kind's name, for JSON output and logs. */
const char *err_kind_name(enum err_kind kind);
