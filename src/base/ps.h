/* ps.h - what ps(1) of this host says of some processes; and of where there is none, the columns
 * that /proc tells by itself. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

struct err;
struct strv;

/* Runs `ps ARGS...` (args empty: -ef) and adds its heading and the lines of these pids to *ret.
 * ERR_INVALID: it failed, or has no column PID; ERR_UNSUPPORTED: there is no ps. */
int ps_lines(struct strv *ret, const pid_t *pids, size_t count, const struct strv *args,
	     struct err *e);

/* The same lines out of /proc: for no args, and for "-o LIST" or "-eo LIST" with pid, ppid, uid,
 * user, comm, args (cmd, command), state (s), vsz, rss, nlwp, time. Users are numbers. */
int ps_own_lines(struct strv *ret, const pid_t *pids, size_t count, const struct strv *args,
		 struct err *e);

/* The word of a line that stands in this column, from 0: blanks separate them. NULL: the line is
 * shorter. The caller frees. */
char *ps_column(const char *line, int which);
