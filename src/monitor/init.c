#include "monitor/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/fs_ids.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "monitor/monitor.h"

enum { STATUS_BYTES_MAX = 16384, NAME_MAX_BYTES = 256 };

/* ---- those who are told by a file ---- */

/* initctl(5) of sysvinit, initreq.h: what telinit(8) writes to its pipe. */
struct initctl_request {
	int32_t magic;
	int32_t command;
	int32_t runlevel;
	int32_t sleeptime;
	char rest[368];
};
enum { INITCTL_MAGIC = 0x03091969, INITCTL_RUNLEVEL = 1 };

static int open_pipe(int root_fd, struct err *e)
{
	static const char *const names[] = { "/run/initctl", "/dev/initctl" };
	struct stat st;

	/* looked at first: opening what somebody inside has put there may do anything */
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		own_fd int found = path_try_open(root_fd, names[i], O_PATH, 0);
		if (found < 0 || fstat(found, &st) < 0 || !S_ISFIFO(st.st_mode))
			continue;
		own_free char *self = mem_format("/proc/self/fd/%d", found);
		own_fd int fd = open(self, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0)
			return take_fd(&fd);
	}
	return err_set(e, ERR_STATE, "its init does not listen at /run/initctl yet");
}

static int tell_sysvinit(int root_fd, int proc_fd, enum monitor_init_wish wish, struct err *e)
{
	(void)proc_fd;
	const struct initctl_request request = {
		.magic = INITCTL_MAGIC,
		.command = INITCTL_RUNLEVEL,
		.runlevel = wish == MONITOR_INIT_REBOOT ? '6' : '0',
		.sleeptime = 3,
	};

	own_fd int fd = open_pipe(root_fd, e);
	if (fd < 0)
		return fd;
	int r = fd_write_all(fd, &request, sizeof(request));
	return r < 0 ? err_number(e, -r, "write to /run/initctl") : 0;
}

/* runit(8): on SIGCONT it looks whether stopit, and then reboot, may be executed. */
static int set_runit_file(int root_fd, const char *path, mode_t mode, struct err *e)
{
	struct stat st;
	const char *name;

	own_fd int dir = path_open_parent(root_fd, path, false, &name, e);
	if (dir < 0)
		return dir;
	own_fd int made =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	own_fd int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_STATE, "%s is not a file", path);
	own_free char *self = mem_format("/proc/self/fd/%d", fd);
	return chmod(self, mode) < 0 ? err_sys(e, "change the mode of %s", path) : 0;
}

/* Which pair it looks at was chosen when it was built: runit's own, which may be links into /run
 * (Void), or Debian's. */
static int write_runit_files(int root_fd, enum monitor_init_wish wish, struct err *e)
{
	static const struct {
		const char *stop, *reboot;
	} pairs[] = {
		{ "/etc/runit/stopit", "/etc/runit/reboot" },
		{ "/run/runit/stopit", "/run/runit/reboot" },
		{ "/run/runit.stopit", "/run/runit.reboot" },
	};
	size_t written = 0;

	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		int r = set_runit_file(root_fd, pairs[i].reboot,
				       wish == MONITOR_INIT_REBOOT ? 0100 : 0, e);
		if (r == 0)
			r = set_runit_file(root_fd, pairs[i].stop, 0100, e);
		written += r == 0;
	}
	return written ? 0 : -e->number;
}

/* As its root, since the guest's own filesystems take no file of the host's. */
static int tell_runit(int root_fd, int proc_fd, enum monitor_init_wish wish, struct err *e)
{
	struct stat st;
	struct err ignored;

	if (fstat(proc_fd, &st) < 0)
		return err_set(e, ERR_STATE, "the container's init has ended");
	int r = fs_ids_set(st.st_uid, st.st_gid, e);
	if (r < 0)
		return r;
	r = write_runit_files(root_fd, wish, e);
	fs_ids_set(geteuid(), getegid(), &ignored);
	return r;
}

/* ---- who is who ---- */

#define BIT(signal) (UINT64_C(1) << ((signal)-1))

/* The kernel's SIGRTMIN; the C library keeps the first two for itself, and systemd counts from its
 * own. */
enum { RTMIN = 34 };

static const struct row {
	const char *name; /* comm, or the program that links lead to */
	int power_off;    /* a signal */
	int reboot;
	int (*prepare)(int root_fd, int proc_fd, enum monitor_init_wish wish, struct err *e);
	bool unseen; /* it waits by sigtimedwait(2), which /proc does not show */
} rows[] = {
	/* systemd(1), "SIGNALS": halt.target (in a container the end, too), reboot.target */
	{ "systemd", RTMIN + 3, RTMIN + 5, NULL, false },
	/* init/init.c of busybox */
	{ "busybox", SIGUSR2, SIGTERM, NULL, true },
	/* openrc-init(8) */
	{ "openrc-init", SIGTERM, SIGINT, NULL, false },
	{ "runit", SIGCONT, SIGCONT, tell_runit, false },
	{ "runit-init", SIGCONT, SIGCONT, tell_runit, false },
	/* dinit(8) */
	{ "dinit", SIGTERM, SIGINT, NULL, false },
	/* sysvinit; its own name, so it is known by nothing else having it */
	{ "init", 0, 0, tell_sysvinit, false },
};

static const struct row *find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

struct monitor_init_way monitor_init_choose(const char *comm, const char *program, uint64_t signals,
					    enum monitor_init_wish wish)
{
	bool off = wish == MONITOR_INIT_POWER_OFF;
	const struct row *row = find(str_starts(program, "busybox") ? "busybox" : program);

	if (!row || !row->power_off) /* a link named init may lead to any of them */
		row = find(comm) && find(comm)->power_off ? find(comm) : row;
	/* lxc's test: only systemd waits for that one */
	if ((!row || !row->power_off) && signals & BIT(RTMIN + 3))
		row = find("systemd");
	if (!row && !strcmp(comm, "init") && !*program)
		row = find("init");
	if (row)
		return (struct monitor_init_way){ row->name, off ? row->power_off : row->reboot,
						  row->prepare, row->unseen };
	if (off && signals & BIT(SIGPWR))
		return (struct monitor_init_way){ "unknown", SIGPWR, NULL, false };
	return (struct monitor_init_way){ "unknown", off ? SIGTERM : SIGINT, NULL, true };
}

/* ---- asking /proc ---- */

static void read_comm(char to[NAME_MAX_BYTES], int proc)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err ignored;

	*to = '\0';
	if (fd_read_file_at(proc, "comm", NAME_MAX_BYTES - 1, &text, &ignored) == 0 && text.text)
		snprintf(to, NAME_MAX_BYTES, "%.*s", (int)strcspn(text.text, "\n"), text.text);
}

/* The last part of where exe leads, as text. */
static void read_program(char to[NAME_MAX_BYTES], int proc)
{
	char path[4096];
	ssize_t n = readlinkat(proc, "exe", path, sizeof(path) - 1);
	const char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	snprintf(to, NAME_MAX_BYTES, "%.200s", slash ? slash + 1 : "");
}

static uint64_t read_mask(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? strtoull(at + strlen(key), NULL, 16) : 0;
}

static uint64_t read_signals(int proc)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err ignored;

	if (fd_read_file_at(proc, "status", STATUS_BYTES_MAX, &text, &ignored) < 0 || !text.text)
		return 0;
	return read_mask(text.text, "\nSigBlk:\t") | read_mask(text.text, "\nSigCgt:\t");
}

bool monitor_init_notifies(pid_t pid)
{
	char path[32], program[NAME_MAX_BYTES];

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	own_fd int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return false;
	read_program(program, proc);
	return !strcmp(program, "systemd");
}

int monitor_init_ask(pid_t pid, int pidfd, enum monitor_init_wish wish, int *ret_signal,
		     struct err *e)
{
	char path[32], comm[NAME_MAX_BYTES], program[NAME_MAX_BYTES];

	*ret_signal = 0;
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	own_fd int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return err_set(e, ERR_STATE, "the container's init has ended");
	read_comm(comm, proc);
	read_program(program, proc);
	uint64_t signals = read_signals(proc);
	const struct monitor_init_way way = monitor_init_choose(comm, program, signals, wish);
	log_debug("the init is %s (%s): %s", comm, program, way.name);
	if (way.signal && !way.unseen && !(signals & BIT(way.signal)))
		return err_set(e, ERR_STATE, "the init (%s) does not listen to signal %d", comm,
			       way.signal);
	if (way.prepare) {
		own_fd int root = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			return err_sys(e, "open the root of the container's init");
		int r = way.prepare(root, proc, wish, e);
		if (r < 0)
			return r;
	}
	*ret_signal = way.signal;
	if (!way.signal)
		return 0;
	int r = process_signal(pidfd, way.signal);
	if (r < 0 && r != -ESRCH)
		return err_number(e, -r, "send signal %d", way.signal);
	return way.unseen;
}
