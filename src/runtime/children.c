#include "runtime/children.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/str.h"

/* Linux 6.11; <linux/nsfs.h> of the build host may not know it. */
#ifndef NS_GET_PID_IN_PIDNS
#define NS_GET_PID_IN_PIDNS _IOR(NSIO, 0x8, int)
#endif

enum {
	TEXT_MAX = 4096,
	STATUS_MAX = 1 << 20, /* 65536 groups, which a process may give itself, are most of it */
	LEVELS_MAX = 33,      /* MAX_PID_NS_LEVEL, and the host's */
	OVERFLOW_ID = 65534   /* of whoever has no id in this user namespace */
};

/* The beginning of a file of a process; -errno. A process that is gone: ESRCH or ENOENT. */
static int read_text(char to[TEXT_MAX], int folder, const char *name)
{
	own_fd int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t length = read(fd, to, TEXT_MAX - 1);
	if (length < 0)
		return -errno;
	to[length] = '\0';
	return 0;
}

/* What follows "\nKey:" in /proc/PID/status. The name of the process, which is its own choice,
 * comes first there, and newlines in it are escaped: proc(5). */
static const char *find_field(const char *status, const char *key)
{
	const char *found = strstr(status, key);

	return found ? found + strlen(key) : "";
}

/* ---- counting ---- */

/* NSpid has its number in each namespace, the host's first. Where it cannot be read it may be. */
static bool is_first_process(const char *status)
{
	const char *numbers = find_field(status, "\nNSpid:");
	size_t length = strcspn(numbers, "\n");

	if (!length)
		return true;
	return length >= 2 && numbers[length - 1] == '1' && numbers[length - 2] == '\t' &&
	       memchr(numbers + 1, '\t', length - 1);
}

static bool is_zombie(const char *status)
{
	return str_starts(find_field(status, "\nState:"), "\tZ");
}

/* A zombie without other threads: all that was in its namespace has ended before it. */
static bool has_ended(const char *status)
{
	return is_zombie(status) && strtol(find_field(status, "\nThreads:"), NULL, 10) <= 1;
}

/* Before Linux 6.11: from the process's namespace upwards. */
static bool lies_below(int folder, const char *status, int pid_namespace)
{
	struct stat wanted, at;
	int fd = openat(folder, "ns/pid", O_RDONLY | O_CLOEXEC);

	/* one that may not be looked at (an unreadable program) is ours if its id is */
	if (fd < 0)
		return errno == EACCES &&
		       strtol(find_field(status, "\nUid:"), NULL, 10) != OVERFLOW_ID;
	if (fstat(pid_namespace, &wanted) < 0)
		return true;
	for (int i = 0; fd >= 0 && i < LEVELS_MAX; i++) {
		int above = ioctl(fd, NS_GET_PARENT);
		close(fd);
		fd = above;
		if (fd >= 0 && fstat(fd, &at) == 0 && at.st_ino == wanted.st_ino &&
		    at.st_dev == wanted.st_dev) {
			close(fd);
			return true;
		}
	}
	return false;
}

static bool is_child(int proc, const char *name, int pid_namespace)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err ignored;

	own_fd int folder = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = folder < 0 ? folder
			   : fd_read_file_at(folder, "status", STATUS_MAX, &text, &ignored);
	if (folder < 0 || r == -ESRCH || r == -ENOENT)
		return false; /* it has gone */
	const char *status = text.text ? text.text : "";
	if (!is_first_process(status) || has_ended(status))
		return false;
	int number = ioctl(pid_namespace, NS_GET_PID_IN_PIDNS, strtol(name, NULL, 10));
	if (number >= 0)
		return number != 1;
	return errno == ENOTTY && lies_below(folder, status, pid_namespace);
}

int runtime_children_count(int pid_namespace)
{
	int count = 0;

	own_dir DIR *dir = opendir("/proc");
	if (!dir)
		return -errno;
	errno = 0;
	for (const struct dirent *entry; (entry = readdir(dir)); errno = 0)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			count += is_child(dirfd(dir), entry->d_name, pid_namespace);
	return errno ? -errno : count;
}

/* ---- those who make one ---- */

static int open_process(const char *number)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%.15s", number);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int runtime_children_maker_open(struct runtime_children_maker *ret, pid_t thread)
{
	char number[16], status[TEXT_MAX];

	snprintf(number, sizeof(number), "%d", thread);
	own_fd int thread_folder = open_process(number);
	if (thread_folder < 0)
		return thread_folder;
	int r = read_text(status, thread_folder, "status");
	if (r < 0)
		return r;
	long leader = strtol(find_field(status, "\nTgid:"), NULL, 10);
	snprintf(number, sizeof(number), "%ld", leader);
	own_fd int leader_folder = open_process(number);
	if (leader_folder < 0)
		return leader_folder;
	ret->thread = thread;
	ret->is_leader = leader == thread;
	ret->thread_folder = take_fd(&thread_folder);
	ret->leader_folder = take_fd(&leader_folder);
	return 0;
}

void runtime_children_maker_close(struct runtime_children_maker *maker)
{
	if (maker->thread_folder >= 0)
		close(take_fd(&maker->thread_folder));
	if (maker->leader_folder >= 0)
		close(take_fd(&maker->leader_folder));
}

/* A thread that calls execve(2) becomes the first of its process, and keeps what it has. */
static bool is_gone(struct runtime_children_maker *maker)
{
	char status[TEXT_MAX];

	int r = read_text(status, maker->thread_folder, "status");
	if (r != -ESRCH && r != -ENOENT && (r < 0 || !is_zombie(status)))
		return false;
	if (maker->is_leader || !maker->unshares)
		return true;
	close(maker->thread_folder);
	maker->thread_folder = take_fd(&maker->leader_folder);
	maker->is_leader = true;
	maker->call = -1;
	return is_gone(maker);
}

/* Does it wait in another call, or for a page of its memory? "running" tells nothing. */
static bool call_is_over(const struct runtime_children_maker *maker)
{
	char text[TEXT_MAX], *end;

	if (maker->call < 0)
		return true;
	if (read_text(text, maker->thread_folder, "syscall") < 0)
		return false;
	long number = strtol(text, &end, 10);
	return end != text && number != maker->call;
}

static int read_link(char to[64], int folder, const char *name)
{
	ssize_t length = readlinkat(folder, name, to, 63);
	if (length < 0)
		return -errno;
	to[length] = '\0';
	return 0;
}

/* pid_for_children cannot be read until its first process is there: pidns_for_children_get(),
 * kernel/pid_namespace.c. */
static enum runtime_children_maker_state look_unshared(const struct runtime_children_maker *maker,
						       bool is_over)
{
	char own[64], next[64];

	int r = read_link(next, maker->thread_folder, "ns/pid_for_children");
	if (r == -ENOENT)
		return RUNTIME_CHILDREN_PENDING;
	if (r < 0 || read_link(own, maker->thread_folder, "ns/pid") < 0)
		return RUNTIME_CHILDREN_MAKING;
	if (strcmp(own, next) != 0)
		return RUNTIME_CHILDREN_OVER;
	return is_over ? RUNTIME_CHILDREN_OVER : RUNTIME_CHILDREN_MAKING;
}

enum runtime_children_maker_state runtime_children_maker_look(struct runtime_children_maker *maker)
{
	if (is_gone(maker))
		return RUNTIME_CHILDREN_OVER;
	/* first this, since afterwards the link is of a time when it was over */
	bool is_over = call_is_over(maker);
	if (maker->unshares)
		return look_unshared(maker, is_over);
	return is_over ? RUNTIME_CHILDREN_OVER : RUNTIME_CHILDREN_MAKING;
}
