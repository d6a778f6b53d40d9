/* program.h - starts the program holm-monitor; client.c is its user. */
#pragma once
#include <sys/types.h>

struct err;

/* Runs `holm-monitor mode run_dir` in a session of its own with socket as descriptor 3 and
 * other (-1: none) as 4; all other descriptors of the caller must be O_CLOEXEC, 0 to 2 are
 * inherited. The program is $HOLM_LIBEXEC/holm-monitor, or that of the installed folder. Returns
 * its pid, a child of the caller's. */
pid_t monitor_program_spawn(const char *mode, const char *run_dir, int socket, int other,
			    struct err *e);
