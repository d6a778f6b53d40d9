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

/* What the program gets from MONITOR_PROGRAM_FIRST on. */
struct places {
	int *fds; /* -1: closed */
	int count;
};

static void places_close(struct places *places)
{
	for (int i = 0; i < places->count; i++)
		if (places->fds[i] >= 0)
			close(places->fds[i]);
	free(places->fds);
}

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
	int sealed = sealed_open(file, e);
	return sealed < 0 ? err_add(e, "%s", path) : sealed;
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

static int spawn(const char *const argv[], const struct places *places)
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
	for (int i = 0; i < places->count; i++)
		if (places->fds[i] >= 0)
			posix_spawn_file_actions_adddup2(&actions, places->fds[i],
							 MONITOR_PROGRAM_FIRST + i);
		else
			posix_spawn_file_actions_addclose(&actions, MONITOR_PROGRAM_FIRST + i);

	snprintf(path, sizeof(path), "/proc/self/fd/%d",
		 places->fds[MONITOR_PROGRAM_SELF - MONITOR_PROGRAM_FIRST]);
	int r = posix_spawn(&pid, path, &actions, &attr, (char *const *)argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return r ? -r : pid;
}

/* Above all numbers that the program gets; -1 stays. */
static int raise_fd(struct places *places, int place, int fd, struct err *e)
{
	if (fd < 0)
		return 0;
	int raised = fcntl(fd, F_DUPFD_CLOEXEC, MONITOR_PROGRAM_FIRST + places->count);
	places->fds[place - MONITOR_PROGRAM_FIRST] = raised;
	if (raised >= 0)
		return 0;
	err_sys(e, "duplicate descriptor %d", fd);
	return err_hint(e, "'ulimit -n' is how many there may be");
}

static int raise_all(struct places *places, const struct monitor_program_given *given, int program,
		     struct err *e)
{
	int r = 0;

	for (int i = 0; i < places->count; i++)
		places->fds[i] = -1;
	for (int i = 0; r == 0 && i < MONITOR_PROGRAM_GIVEN; i++)
		r = raise_fd(places, MONITOR_PROGRAM_FIRST + i, given->fds[i], e);
	if (r == 0)
		r = raise_fd(places, MONITOR_PROGRAM_SELF, program, e);
	for (size_t i = 0; r == 0 && i < given->kept_count; i++)
		r = raise_fd(places, MONITOR_PROGRAM_KEPT + (int)i, given->kept[i], e);
	return r;
}

pid_t monitor_program_spawn(const char *mode, const char *run_dir,
			    const struct monitor_program_given *given, struct err *e)
{
	const int count = MONITOR_PROGRAM_KEPT - MONITOR_PROGRAM_FIRST + (int)given->kept_count;
	own_free char *kept = mem_format("%zu", given->kept_count);
	const char *const argv[] = { "holm-monitor", mode, run_dir, kept, NULL };

	own_fd int program = open_program(e);
	if (program < 0)
		return program;
	own_clear(places_close) struct places places = {
		mem_new((size_t)count, sizeof(*places.fds)), count
	};
	int r = raise_all(&places, given, program, e);
	if (r < 0)
		return r;
	pid_t pid = spawn(argv, &places);
	return pid < 0 ? err_number(e, -pid, "start holm-monitor") : pid;
}
