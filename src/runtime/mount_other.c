#include "runtime/mount_other.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"
#include "base/own.h"
#include "base/path.h"
#include "base/process.h"

struct wanted {
	int namespace_fd;
	const char *path;
	bool recursive;
};

/* Both system calls belong into that mount namespace: newer kernels take a detached mount nowhere
 * else. */
static int clone_in_child(void *arg, int *ret, struct err *e)
{
	const struct wanted *wanted = arg;
	struct mount_attr attr = { .propagation = MS_PRIVATE };
	unsigned all = wanted->recursive ? AT_RECURSIVE : 0;

	if (setns(wanted->namespace_fd, CLONE_NEWNS) < 0)
		return err_sys(e, "enter its mount namespace");
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open its root");
	own_fd int whole = path_open(root, wanted->path, O_PATH, 0, e);
	if (whole < 0)
		return whole;
	own_fd int fd =
		open_tree(whole, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | all);
	if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | all, &attr, sizeof(attr)) < 0)
		return err_sys(e, "clone the mount of %s", wanted->path);
	*ret = take_fd(&fd);
	return 0;
}

static int open_namespace(const char *owner, struct err *e)
{
	unsigned long long start;
	char path[40];
	uint64_t found;
	int pid;

	if (sscanf(owner, "%d:%llu", &pid, &start) != 2)
		return err_set(e, ERR_INVALID, "'%.40s' is not PID:START", owner);
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (process_start_time(pid, &found) < 0 || found != start)
		return err_set(e, ERR_STATE, "the process that it was of (%d) has ended", pid);
	return take_fd(&fd);
}

int runtime_mount_other_open_in_parent(const char *owner, const char *path, bool recursive,
				       struct err *e)
{
	int fd;

	own_fd int namespace_fd = open_namespace(owner, e);
	if (namespace_fd < 0)
		return namespace_fd;
	struct wanted wanted = { namespace_fd, path, recursive };
	int r = child_open(&fd, 1, clone_in_child, &wanted, e);
	return r < 0 ? r : fd;
}
