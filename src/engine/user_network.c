/* user_network.c - $run/uplink/ has what slirp4netns was started with, and is the lock: shared
 * while a container goes in, exclusive to begin and to end it. The namespace is a descriptor of
 * slirp4netns', as nothing else lives as long. */
#include "engine/user_network.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/user_ids.h"
#include "engine/engine.h"
#include "monitor/state.h"
#include "monitor/uplink.h"
#include "network/namespace.h"
#include "network/uplink.h"
#include "storage/store.h"

#define FOLDER "uplink"

enum { END_MS = 2000, ROUNDS_MAX = 100, ROUND_MS = 10 };

bool engine_user_network_applies(void)
{
	return user_ids_are_mapped() && !network_namespace_is_ours();
}

/* ---- the folder ---- */

static int open_folder(const struct engine *engine)
{
	return openat(engine->store->run_fd, FOLDER,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Whoever ended slirp4netns removed the folder. */
static bool is_removed(int folder)
{
	struct stat st;

	return fstat(folder, &st) < 0 || st.st_nlink == 0;
}

static int make_folder(struct engine *engine, int lock, struct err *e)
{
	if (mkdirat(engine->store->run_fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the folder " FOLDER);
	own_fd int folder = open_folder(engine);
	if (folder < 0 && errno == ENOENT)
		return -EAGAIN;
	if (folder < 0 || flock(folder, lock) < 0)
		return err_sys(e, "lock the folder " FOLDER);
	return is_removed(folder) ? -EAGAIN : take_fd(&folder);
}

/* ---- the namespace ---- */

static int open_kept(int folder)
{
	pid_t pid;

	own_fd int pidfd = monitor_uplink_open(&pid, folder);
	if (pidfd < 0)
		return -1;
	own_free char *path = mem_format("/proc/%d/fd/%d", (int)pid, NETWORK_UPLINK_KEPT);
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	return process_ended(pidfd) ? -1 : take_fd(&fd);
}

static bool has_members(const struct engine *engine)
{
	int copy = openat(engine->run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		own_free char *places = mem_format("%s/network.json", entry->d_name);
		if (*entry->d_name != '.' && faccessat(engine->run_fd, places, F_OK, 0) == 0 &&
		    monitor_state_alive_in(engine->run_fd, entry->d_name) > 0)
			return true;
	}
	return false;
}

/* It has the descriptors until it is gone. */
static void end_program(int folder)
{
	pid_t pid;

	own_fd int pidfd = monitor_uplink_open(&pid, folder);
	monitor_uplink_end(folder);
	struct pollfd gone = { .fd = pidfd, .events = POLLIN };
	if (pidfd >= 0)
		poll(&gone, 1, END_MS);
}

static int make(struct engine *engine, int folder, struct err *e)
{
	own_clear(network_namespace_close) struct network_namespace namespace =
		NETWORK_NAMESPACE_INIT;
	pid_t pid;

	if (has_members(engine)) {
		err_set(e, ERR_STATE, "the networks of your containers cannot be entered");
		return err_hint(e, "those that run have another user namespace, from before "
				   "/etc/subuid or /etc/subgid changed: stop them");
	}
	end_program(folder);
	int r = network_namespace_make(&namespace, -1, e);
	if (r < 0)
		return r;
	own_free char *path = mem_format("%s/" FOLDER, engine->store->run);
	const struct network_uplink_request request = {
		.name = NETWORK_UPLINK_SLIRP,
		.namespace_fd = namespace.fd,
		.folder = path,
		.device = NETWORK_UPLINK_DEVICE,
	};
	r = network_uplink_start(&pid, &request, e);
	if (r < 0)
		return r;
	log_debug("slirp4netns is process %d", (int)pid);
	r = monitor_uplink_write(folder, pid, e);
	if (r < 0)
		kill(pid, SIGKILL);
	return r;
}

int engine_user_network_open(int *ret_lock, struct engine *engine, struct err *e)
{
	int lock = LOCK_SH;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		own_fd int folder = make_folder(engine, lock, e);
		if (folder == -EAGAIN)
			continue;
		if (folder < 0)
			return folder;
		own_fd int namespace = open_kept(folder);
		if (namespace >= 0 && lock == LOCK_SH) {
			*ret_lock = take_fd(&folder);
			return take_fd(&namespace);
		}
		int r = namespace < 0 && lock == LOCK_EX ? make(engine, folder, e) : 0;
		if (r < 0)
			return err_add(e, "the network of your containers");
		lock = lock == LOCK_SH ? LOCK_EX : LOCK_SH;
	}
	return err_set(e, ERR_TIMEOUT, "the network of your containers: it always ends at once");
}

int engine_user_network_enter(int namespace_fd, struct err *e)
{
	return setns(namespace_fd, CLONE_NEWNET) < 0
		       ? err_sys(e, "enter the network of your containers")
		       : 0;
}

int engine_user_network_look(struct engine *engine, struct err *e)
{
	if (!engine_user_network_applies())
		return 0;
	own_fd int folder = open_folder(engine);
	own_fd int namespace = folder < 0 ? -1 : open_kept(folder);
	return namespace < 0 ? 0 : engine_user_network_enter(namespace, e);
}

bool engine_user_network_runs(const struct engine *engine)
{
	return user_ids_are_mapped() &&
	       faccessat(engine->store->run_fd, FOLDER "/" MONITOR_UPLINK, F_OK, 0) == 0;
}

/* ---- the end ---- */

/* Who holds it goes in, and will leave in his turn, or looks as we do: he may have looked before
 * our container was gone. He may also wait for us. */
static bool lock_briefly(int folder)
{
	const struct timespec pause = { .tv_nsec = ROUND_MS * 1000000L };

	for (int round = 0; round < ROUNDS_MAX; round++) {
		if (flock(folder, LOCK_EX | LOCK_NB) == 0)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

void engine_user_network_leave(struct engine *engine)
{
	struct err ignored;

	own_fd int folder = user_ids_are_mapped() ? open_folder(engine) : -1;
	if (folder < 0 || !lock_briefly(folder) || is_removed(folder) || has_members(engine))
		return;
	end_program(folder);
	fd_remove_tree_at(engine->store->run_fd, FOLDER, &ignored);
}
