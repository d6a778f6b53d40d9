#include "monitor/reap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "monitor/config.h"
#include "monitor/dead.h"
#include "monitor/event.h"
#include "monitor/kill.h"
#include "monitor/proxies.h"
#include "monitor/rules.h"
#include "monitor/state.h"
#include "monitor/uplink.h"
#include "oci/runtime_spec.h"
#include "storage/event.h"

enum { KILLED_CODE = 137 }; /* 128 + SIGKILL */

/* A hook after the stop may take its time. */
enum { PATIENCE_MS = 60000, PATIENCE_FORCE_MS = 10000 };

static int code_of(const struct monitor_state *state)
{
	return runtime_container_is_of_this_boot(&state->container) ? KILLED_CODE
								    : MONITOR_EXIT_CODE_LOST;
}

/* The monitor tells of the end before it records it: was it killed in between? */
static bool has_told(int run_fd, const struct monitor_config *config, const char *started_at)
{
	own_fd int run = openat(run_fd, "../..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err ignored;
	int64_t since = 0;

	moment_parse(&since, started_at, &ignored);
	return run >= 0 && storage_event_happened(run, "die", config->id, since);
}

static void tell_killed(int run_fd, const struct monitor_config *config,
			const struct monitor_state *state)
{
	char code[16];

	if (!state->started_at || has_told(run_fd, config, state->started_at))
		return;
	snprintf(code, sizeof(code), "%d", code_of(state));
	monitor_event_write(run_fd, config, "die", "exitCode", code, NULL);
	monitor_event_networks(run_fd, config, "disconnect");
	monitor_event_volumes(run_fd, config, "unmount");
}

static int record_killed(const struct monitor_state *state, int container_fd, struct err *e)
{
	struct monitor_exit_record record = { .exit_code = code_of(state) };
	char now[MOMENT_TEXT_SIZE];

	if (container_fd < 0 || !state->started_at ||
	    faccessat(container_fd, "exit.json", F_OK, 0) == 0)
		return 0;
	moment_format(now, moment_now_ns());
	record.error = mem_text(record.exit_code == KILLED_CODE ? "its monitor was killed"
								: MONITOR_EXIT_WORDS_LOST);
	record.started_at = mem_text(state->started_at);
	record.finished_at = mem_text(now);
	record.restart_count = state->restart_count;
	int r = monitor_exit_record_write_at(container_fd, &record, e);
	shape_clear(&monitor_exit_record_shape, &record);
	return r;
}

/* Killed before it could write state.json: what there can be lies at the path of the spec, or where
 * an ordinary user's container with this id has it. */
static int clear_unrecorded(int run_fd, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	struct monitor_config config = { 0 };
	struct err unreadable;
	int r = 0;

	if (monitor_config_read_at(&config, run_fd, &unreadable) == 0 &&
	    oci_spec_read_at(&spec, run_fd, "config.json", &unreadable) == 0)
		r = runtime_delete_unrecorded(config.id, &spec, e);
	shape_clear(&monitor_config_shape, &config);
	return r;
}

/* What state.json and container.json tell of: processes, cgroups, and the record of the end. */
static int clear_container(int run_fd, int container_fd, const struct monitor_config *tell,
			   struct err *e)
{
	struct monitor_state state = { 0 };

	own_fd int late = monitor_rules_remove(run_fd);
	(void)late;
	monitor_uplink_end(run_fd);
	monitor_proxies_end(run_fd, NULL);
	int r = monitor_state_read_whole_at(&state, run_fd, e);
	if ((r == -ENOENT || (r == 0 && !state.started_at)) && container_fd >= 0)
		monitor_exit_record_release_at(container_fd);
	if (r == -ENOENT)
		return clear_unrecorded(run_fd, e);
	if (r < 0)
		return r;
	r = runtime_delete(&state.container, e);
	if (r == 0 && tell)
		tell_killed(run_fd, tell, &state);
	if (r == 0)
		r = record_killed(&state, container_fd, e);
	monitor_state_clear(&state);
	return r;
}

static int clear_run_dir(bool *ret_removed, int run_fd, const char *run_dir, int container_fd,
			 struct err *e)
{
	struct monitor_config config = { 0 };
	struct err unreadable;

	int r = monitor_config_read_at(&config, run_fd, &unreadable);
	bool remove = r == 0 && config.remove;
	r = clear_container(run_fd, remove ? -1 : container_fd, r == 0 ? &config : NULL, e);
	if (r == 0) {
		if (remove) {
			if (monitor_dead_rename_container(config.root, &config))
				monitor_event_write(run_fd, &config, "destroy", NULL);
			monitor_dead_remove_container(config.root, &config);
		}
		monitor_dead_remove_names(run_dir);
		monitor_dead_rename_run_dir(run_dir);
		monitor_dead_remove_run_dir(run_dir);
		*ret_removed = remove;
	}
	shape_clear(&monitor_config_shape, &config);
	return r;
}

int monitor_reap_lock(const char *run_dir, bool wait)
{
	return fd_lock_folder_at(AT_FDCWD, run_dir, wait);
}

static int reap_locked(bool *ret_removed, int run_fd, const char *run_dir, int container_fd,
		       struct err *e)
{
	pid_t alive = monitor_state_alive(run_fd);
	if (alive < 0)
		return err_number(e, -alive, "ask for the monitor of %s", run_dir);
	if (alive > 0)
		return 0;
	int r = clear_run_dir(ret_removed, run_fd, run_dir, container_fd, e);
	return r < 0 ? err_add(e, "clear up behind a killed monitor") : 0;
}

int monitor_reap(bool *ret_removed, const char *run_dir, int container_fd, struct err *e)
{
	*ret_removed = false;
	own_fd int run_fd = monitor_reap_lock(run_dir, true);
	if (run_fd < 0)
		return run_fd == -ENOENT ? 0 : err_number(e, -run_fd, "open %s", run_dir);
	return reap_locked(ret_removed, run_fd, run_dir, container_fd, e);
}

/* ---- .dead-ID ---- */

static const char prefix[] = ".dead-";

static char *dead_path(const char *run_dir)
{
	const char *slash = strrchr(run_dir, '/');

	return mem_format("%.*s/%s%s", (int)(slash - run_dir), run_dir, prefix, slash + 1);
}

/* It may be in a hook, or wait for a disk. */
static int not_ending(int dead_fd, struct err *e)
{
	pid_t alive = monitor_state_alive(dead_fd);

	if (alive > 0)
		err_set(e, ERR_TIMEOUT, "the monitor of the last run, process %d, does not end",
			(int)alive);
	else
		err_set(e, ERR_TIMEOUT, "the monitor of the last run does not end");
	return err_hint(e, "try again later; holm rm -f ends it and removes the container");
}

/* The lock that its monitor holds, so that one alone clears up: what that does could hit the next
 * run of the same container. 1: it is ours, to be closed by *ret; 0: there is nothing to do. */
static int lock_dead(int *ret, int dead_fd, int wait_ms, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const struct timespec pause = { .tv_nsec = 1000000 };
	const int64_t end_ns = moment_monotonic_ns() + (int64_t)wait_ms * 1000000;
	struct stat st;

	own_fd int fd = openat(dead_fd, "alive", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open alive");
	while (fcntl(fd, F_SETLK, &lock) < 0) {
		if (errno != EAGAIN && errno != EACCES)
			return err_sys(e, "wait for the monitor of the last run");
		if (!wait_ms)
			return 0;
		if (moment_monotonic_ns() >= end_ns)
			return not_ending(dead_fd, e);
		nanosleep(&pause, NULL);
	}
	if (fstat(dead_fd, &st) < 0 || st.st_nlink == 0)
		return 0;
	*ret = take_fd(&fd);
	return 1;
}

/* What its monitor was killed over. */
static int clear_dead(int dead_fd, const char *run_dir, struct err *e)
{
	struct monitor_config config = { 0 };
	struct err unreadable;

	int r = clear_container(dead_fd, -1, NULL, e);
	if (r < 0)
		return r;
	if (monitor_config_read_at(&config, dead_fd, &unreadable) == 0 && config.remove) {
		monitor_dead_rename_container(config.root, &config);
		monitor_dead_remove_container(config.root, &config);
	}
	shape_clear(&monitor_config_shape, &config);
	monitor_dead_remove_run_dir(run_dir);
	return 0;
}

static int settle(const char *run_dir, int wait_ms, struct err *e)
{
	own_free char *dead = dead_path(run_dir);
	own_fd int lock = -1;

	own_fd int dead_fd = open(dead, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dead_fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", dead);
	int r = lock_dead(&lock, dead_fd, wait_ms, e);
	return r <= 0 ? r : clear_dead(dead_fd, run_dir, e);
}

int monitor_reap_settle(const char *run_dir, struct err *e)
{
	return settle(run_dir, PATIENCE_MS, e);
}

int monitor_reap_settle_by_force(const char *run_dir, struct err *e)
{
	own_free char *dead = dead_path(run_dir);
	int r = settle(run_dir, PATIENCE_FORCE_MS, e);

	if (r == 0 || e->kind != ERR_TIMEOUT)
		return r;
	r = monitor_kill(dead, e);
	return r < 0 ? r : settle(run_dir, PATIENCE_FORCE_MS, e);
}

/* One that uses the same run folder, and has the container. */
static bool is_of_another_store(int run_fd, const char *id)
{
	struct monitor_config config = { 0 };
	struct err unreadable;

	if (monitor_config_read_at(&config, run_fd, &unreadable) < 0)
		return false;
	own_free char *record = mem_format("%s/containers/%s", config.root, id);
	shape_clear(&monitor_config_shape, &config);
	return access(record, F_OK) == 0;
}

/* A run folder whose container has been removed: its monitor was killed between the two. */
static int clear_orphan(const char *containers, const char *id, int records_fd, struct err *e)
{
	bool removed = false;

	if (faccessat(records_fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return 0;
	own_free char *run_dir = path_join(containers, id);
	own_fd int run_fd = monitor_reap_lock(run_dir, false);
	if (run_fd < 0 || is_of_another_store(run_fd, id))
		return 0;
	return reap_locked(&removed, run_fd, run_dir, -1, e);
}

void monitor_reap_entry(const char *containers, const char *entry, int records_fd)
{
	struct err e;
	int r = 0;

	if (str_starts(entry, prefix)) {
		own_free char *run_dir = path_join(containers, entry + sizeof(prefix) - 1);
		r = settle(run_dir, 0, &e);
	} else if (entry[0] != '.') {
		r = clear_orphan(containers, entry, records_fd, &e);
	}
	if (r < 0)
		log_debug("%s", e.text);
}
