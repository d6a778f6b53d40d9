/* program.h - starts the program holm-monitor; client.c is its user. */
#pragma once
#include <sys/types.h>

struct err;

enum {
	MONITOR_PROGRAM_FIRST = 3,
	MONITOR_PROGRAM_GIVEN = 8,
	MONITOR_PROGRAM_SELF = MONITOR_PROGRAM_FIRST + MONITOR_PROGRAM_GIVEN,
};

/* Runs `holm-monitor mode run_dir` in a session of its own with given as its descriptors 3 to 10
 * (-1: closed there) and its program as 11, which it keeps: that is a detached mount, and whoever
 * closes it last waits for a grace period of RCU (up to 20 ms on a busy machine). All other
 * descriptors of the caller must be O_CLOEXEC, 0 to 2 are inherited. The program is
 * $HOLM_LIBEXEC/holm-monitor, or that of the installed folder. Returns its pid, a child of the
 * caller's. */
pid_t monitor_program_spawn(const char *mode, const char *run_dir,
			    const int given[MONITOR_PROGRAM_GIVEN], struct err *e);
