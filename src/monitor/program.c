/* program.c - how the monitor program is started.
 *
 * What runs is a detached read-only clone of the mount that its file lies on (open_tree(2) and
 * mount_setattr(2), Linux 5.12): a process in the container that reaches the monitor through
 * /proc/PID/exe gets a descriptor it cannot write through. Who may not clone mounts has a sealed
 * copy in memory (base/sealed.h): a file that an ordinary user has installed is that user's, and so
 * the container's root's.
 *
 * posix_spawn is a vfork; it takes no descriptor to execute, hence the way through /proc/self/fd.
 * All are moved to high numbers first, since the low ones are given to the program. */
#include "monitor/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/sealed.h"
#include "base/str.h"

enum { FD_ABOVE_GIVEN = 16 };

static int open_program(struct err *e)
{
	const char *folder = secure_getenv("HOLM_LIBEXEC");
	own_free char *path =
		mem_format("%s/holm-monitor", str_empty(folder) ? HOLM_LIBEXEC : folder);

	own_fd int file = open(path, O_PATH | O_CLOEXEC);
	if (file < 0) {
		err_sys(e, "open %s", path);
		return err_hint(e, "is holm installed whole? HOLM_LIBEXEC names another folder");
	}
	own_fd int sealed = sealed_open(file, e);
	if (sealed < 0)
		return err_add(e, "%s", path);
	int high = fcntl(sealed, F_DUPFD_CLOEXEC, FD_ABOVE_GIVEN);
	return high < 0 ? err_sys(e, "duplicate a descriptor") : high;
}

/* Ours, and: freed memory is not kept for later in thread caches, which pins whole pages for the
 * life of the monitor. A tunable cannot be set otherwise. The caller frees the list alone. */
static char **make_environment(void)
{
	static const char name[] = "GLIBC_TUNABLES=";
	static char tunable[] = "GLIBC_TUNABLES=glibc.malloc.tcache_count=0";
	size_t count = 0, kept = 0;

	while (environ[count])
		count++;
	char **list = mem_new(count + 2, sizeof(*list));
	for (size_t i = 0; i < count; i++)
		if (!str_starts(environ[i], name))
			list[kept++] = environ[i];
	list[kept] = tunable;
	return list;
}

static int spawn(int program, const char *const argv[], const int given[MONITOR_PROGRAM_GIVEN])
{
	char path[40];
	own_free char **environment = make_environment();
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	pid_t pid;

	sigemptyset(&none);
	/* what the caller ignores, stays ignored over exec; handlers do not */
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGCHLD);
	sigaddset(&defaults, SIGTERM);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < MONITOR_PROGRAM_GIVEN; i++)
		if (given[i] >= 0)
			posix_spawn_file_actions_adddup2(&actions, given[i],
							 MONITOR_PROGRAM_FIRST + i);
		else
			posix_spawn_file_actions_addclose(&actions, MONITOR_PROGRAM_FIRST + i);
	posix_spawn_file_actions_adddup2(&actions, program, MONITOR_PROGRAM_SELF);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	int r = posix_spawn(&pid, path, &actions, &attr, (char *const *)argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return r ? -r : pid;
}

static int raise_all(int to[MONITOR_PROGRAM_GIVEN], const int given[MONITOR_PROGRAM_GIVEN],
		     struct err *e)
{
	for (int i = 0; i < MONITOR_PROGRAM_GIVEN; i++) {
		if (given[i] < 0)
			continue;
		to[i] = fcntl(given[i], F_DUPFD_CLOEXEC, FD_ABOVE_GIVEN);
		if (to[i] < 0)
			return err_sys(e, "duplicate a descriptor");
	}
	return 0;
}

pid_t monitor_program_spawn(const char *mode, const char *run_dir,
			    const int given[MONITOR_PROGRAM_GIVEN], struct err *e)
{
	const char *const argv[] = { "holm-monitor", mode, run_dir, NULL };
	int raised[MONITOR_PROGRAM_GIVEN] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	pid_t pid = -1;

	own_fd int program = open_program(e);
	if (program < 0)
		return program;
	int r = raise_all(raised, given, e);
	if (r == 0) {
		pid = spawn(program, argv, raised);
		r = pid < 0 ? err_number(e, -pid, "start holm-monitor") : 0;
	}
	for (int i = 0; i < MONITOR_PROGRAM_GIVEN; i++)
		if (raised[i] >= 0)
			close(raised[i]);
	return r < 0 ? r : pid;
}
