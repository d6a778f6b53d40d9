#include "engine/user.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "monitor/state.h"
#include "runtime/idmap.h"
#include "runtime/user_entry.h"
#include "runtime/user_namespace.h"

/* For newuidmap(1) and newgidmap(1) of another. */
enum { WAIT_MS = 3000, WAIT_STEP_MS = 2 };

/* ---- where things lie ---- */

/* XDG Base Directory Specification: a path that is not absolute is ignored. */
static const char *folder_from(const char *variable)
{
	const char *path = getenv(variable);

	return path && *path == '/' ? path : NULL;
}

int engine_user_root(char **ret, struct err *e)
{
	const char *folder = folder_from("XDG_DATA_HOME");
	const char *home = folder_from("HOME");

	if (!folder && !home) {
		err_set(e, ERR_INVALID, "there is no place for images and containers");
		return err_hint(e, "neither XDG_DATA_HOME nor HOME is set; --root DIR names one");
	}
	*ret = folder ? path_join(folder, "holm") : path_join(home, ".local/share/holm");
	return 0;
}

static bool is_own_folder(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & 0022) == 0;
}

/* By a container of this store: another store's may use what it likes. */
static bool is_in_use(const char *run, const char *root)
{
	own_free char *containers = path_join(run, "containers");
	own_dir DIR *dir = opendir(containers);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		own_free char *record = mem_format("%s/containers/%s", root, entry->d_name);
		if (*entry->d_name != '.' && access(record, F_OK) == 0 &&
		    monitor_state_alive_in(dirfd(dir), entry->d_name) > 0)
			return true;
	}
	return false;
}

int engine_user_run(char **ret, const char *root, struct err *e)
{
	const char *folder = folder_from("XDG_RUNTIME_DIR");
	own_free char *login = mem_format("/run/user/%u", geteuid());
	own_free char *made = mem_format("/tmp/holm-run-%u", geteuid());

	/* of a start before there was a login: what runs there is not to be lost from sight */
	if (is_own_folder(made) && is_in_use(made, root)) {
		*ret = take_ptr(&made);
		return 0;
	}
	if (folder || is_own_folder(login)) {
		*ret = path_join(folder ? folder : login, "holm");
		return 0;
	}
	if (mkdir(made, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make folder %s", made);
	if (!is_own_folder(made)) {
		err_set(e, ERR_PERMISSION, "%s is not a folder of yours alone", made);
		return err_hint(e, "XDG_RUNTIME_DIR is not set, so it was to take its place; "
				   "--run DIR names another");
	}
	*ret = take_ptr(&made);
	return 0;
}

/* ---- the user namespace ---- */

/* Layers have owners by the number: those that another user made cannot be used, whatever their
 * modes. */
static int check_owner(const char *path, const char *option, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", path);
	if (st.st_uid == geteuid())
		return 0;
	err_set(e, ERR_PERMISSION, "%s belongs to user %u, and you are user %u", path, st.st_uid,
		geteuid());
	return err_hint(e,
			"every user has a store of its own: name another with %s, or have "
			"this one removed by its owner",
			option);
}

/* That of a container that runs is as good as a new one, and costs no newuidmap(1). */
static int open_running(const char *run, const struct runtime_idmap *ids)
{
	own_free char *containers = path_join(run, "containers");
	own_dir DIR *dir = opendir(containers);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		pid_t pid = *entry->d_name == '.'
				    ? 0
				    : monitor_state_alive_in(dirfd(dir), entry->d_name);
		if (pid <= 0)
			continue;
		own_free char *path = mem_format("/proc/%d/ns/user", (int)pid);
		own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && runtime_user_entry_fits(fd, (int)pid, ids))
			return take_fd(&fd);
	}
	return -1;
}

/* ---- all processes of the user's in one ---- */

/* Two that find no container at the same time are to have one user namespace all the same, or what
 * one makes could not be touched by the other. Each keeps a shared lock on this file for as long as
 * it lives, the one that makes a namespace an exclusive one until it is in there; who meets a lock
 * joins its holder. A record lock, since the kernel tells whose it is. -1: no lock can be had. */
static int open_lock(const char *run)
{
	own_free char *path = path_join(run, "user");

	if (mkdir(run, 0700) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static bool lock_as(int lock, short type, int command)
{
	struct flock wanted = { .l_type = type, .l_whence = SEEK_SET };

	return lock < 0 || fcntl(lock, command, &wanted) == 0;
}

static int open_holders(int lock, const struct runtime_idmap *ids)
{
	struct flock held = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (lock < 0 || fcntl(lock, F_GETLK, &held) < 0 || held.l_type == F_UNLCK ||
	    held.l_pid <= 0)
		return -1;
	own_free char *path = mem_format("/proc/%d/ns/user", (int)held.l_pid);
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && runtime_user_entry_fits(fd, (int)held.l_pid, ids) ? take_fd(&fd) : -1;
}

/* The lock is had, or somebody's namespace is open. Neither, after some time: the holder has other
 * ids. */
static int wait_for_one(const char *run, int lock, const struct runtime_idmap *ids)
{
	const struct timespec pause = { .tv_nsec = WAIT_STEP_MS * 1000000L };

	for (int waited = 0; waited < WAIT_MS; waited += WAIT_STEP_MS) {
		int fd = open_running(run, ids);
		if (fd < 0 && lock_as(lock, F_WRLCK, F_SETLK))
			return open_running(run, ids); /* one may have begun to run meanwhile */
		if (fd < 0)
			fd = open_holders(lock, ids);
		if (fd >= 0)
			return fd;
		nanosleep(&pause, NULL);
	}
	return -1;
}

static int enter(const char *run, struct err *e)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap ids = { 0 };

	int r = runtime_user_namespace_own_ids(&ids, e);
	if (r < 0)
		return r;
	int lock = open_lock(run); /* never closed: it is the process's */
	own_fd int there = wait_for_one(run, lock, &ids);
	if (there < 0)
		log_debug("a new user namespace, of %zu ranges of ids", ids.uids.count);
	r = there >= 0 ? runtime_user_entry_join(there, e) : runtime_user_entry_new(&ids, e);
	if (r == 0)
		lock_as(lock, F_RDLCK, F_SETLKW);
	return r;
}

int engine_user_enter(const char *root, const char *run, struct err *e)
{
	int r = check_owner(root, "--root", e);

	if (r == 0)
		r = check_owner(run, "--run", e);
	if (r == 0)
		r = enter(run, e);
	return r;
}
