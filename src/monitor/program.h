/* program.h - starts the program holm-monitor; client.c is its user. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

struct err;

enum {
	MONITOR_PROGRAM_FIRST = 3,
	MONITOR_PROGRAM_GIVEN = 8,
	MONITOR_PROGRAM_SELF = MONITOR_PROGRAM_FIRST + MONITOR_PROGRAM_GIVEN,
	MONITOR_PROGRAM_KEPT,
};

/* -1: closed there. */
struct monitor_program_given {
	int fds[MONITOR_PROGRAM_GIVEN]; /* from 3 on */
	const int *kept;                /* from 12 on, as its third argument says how many */
	size_t kept_count;
};

/* Runs `holm-monitor mode run_dir kept_count` in a session of its own with what it is given and
 * its program as descriptor 11, which it keeps: that is a detached mount, and whoever closes it
 * last waits for a grace period of RCU (up to 20 ms on a busy machine). All other descriptors of
 * the caller are closed there, but 0 to 2. The program is $HOLM_LIBEXEC/holm-monitor, or that of
 * the installed folder. Returns its pid, a child of the caller's. */
pid_t monitor_program_spawn(const char *mode, const char *run_dir,
			    const struct monitor_program_given *given, struct err *e);
