#include "monitor/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/rename.h"

enum { STATE_BYTES_MAX = 1 << 20 };

#define STATE(member)  offsetof(struct monitor_state, member)
#define RECORD(member) offsetof(struct monitor_exit_record, member)

static const struct shape state_shape = {
	sizeof(struct monitor_state),
	(const struct shape_field[]){
		{ "status", SHAPE_STRING, STATE(status) },
		{ "pid", SHAPE_INT, STATE(container.pid) },
		{ "pidStart", SHAPE_UINT, STATE(container.pid_start) },
		{ "monitorPid", SHAPE_INT, STATE(monitor_pid) },
		{ "monitorStart", SHAPE_UINT, STATE(monitor_start) },
		{ "startedAt", SHAPE_STRING, STATE(started_at) },
		{ "finishedAt", SHAPE_STRING, STATE(finished_at) },
		{ "exitCode", SHAPE_INT, STATE(exit_code) },
		{ "restartCount", SHAPE_INT, STATE(restart_count) },
		{ "health", SHAPE_STRING, STATE(health) },
		{ 0 },
	},
};

const struct shape monitor_exit_record_shape = {
	sizeof(struct monitor_exit_record),
	(const struct shape_field[]){
		{ "exitCode", SHAPE_INT, RECORD(exit_code), NULL, true },
		{ "error", SHAPE_STRING, RECORD(error) },
		{ "oomKilled", SHAPE_BOOL, RECORD(oom_killed) },
		{ "stopped", SHAPE_BOOL, RECORD(stopped) },
		{ "startedAt", SHAPE_STRING, RECORD(started_at) },
		{ "finishedAt", SHAPE_STRING, RECORD(finished_at) },
		{ "restartCount", SHAPE_INT, RECORD(restart_count) },
		{ 0 },
	},
};

pid_t monitor_state_alive(int run_dir_fd)
{
	return monitor_state_alive_in(run_dir_fd, ".");
}

/* One lookup of two names instead of a descriptor for the folder: ps asks for each container. */
pid_t monitor_state_alive_in(int parent_fd, const char *folder)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	own_free char *path = mem_format("%s/alive", folder);

	own_fd int fd = openat(parent_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fcntl(fd, F_GETLK, &lock) < 0)
		return -errno;
	if (lock.l_type == F_UNLCK)
		return 0;
	/* 0 when the holder lives in a PID namespace that this process does not see */
	return lock.l_pid > 0 ? lock.l_pid : 1;
}

int monitor_state_read_at(struct monitor_state *ret, int run_dir_fd, struct err *e)
{
	return monitor_state_read_in(ret, run_dir_fd, ".", e);
}

int monitor_state_read_in(struct monitor_state *ret, int parent_fd, const char *folder,
			  struct err *e)
{
	struct monitor_state state = { 0 };
	own_free char *path = mem_format("%s/state.json", folder);

	int r = shape_read_at(&state_shape, parent_fd, path, STATE_BYTES_MAX, &state, e);
	if (r == 0)
		*ret = state;
	return r;
}

int monitor_state_read_whole_at(struct monitor_state *ret, int run_dir_fd, struct err *e)
{
	struct runtime_container container = { 0 };

	int r = shape_read_at(&runtime_container_shape, run_dir_fd, "container.json",
			      STATE_BYTES_MAX, &container, e);
	if (r < 0)
		return r;
	r = monitor_state_read_at(ret, run_dir_fd, e);
	if (r < 0) {
		runtime_container_clear(&container);
		return r;
	}
	container.pid = ret->container.pid;
	container.pid_start = ret->container.pid_start;
	ret->container = container;
	return 0;
}

void monitor_state_clear(struct monitor_state *state)
{
	runtime_container_clear(&state->container);
	shape_clear(&state_shape, state);
}

int monitor_state_write_at(int run_dir_fd, const struct monitor_state *state, struct err *e)
{
	return shape_write_at(&state_shape, run_dir_fd, "state.json", state, e);
}

int monitor_state_write_container_at(int run_dir_fd, const struct runtime_container *container,
				     struct err *e)
{
	return shape_write_at(&runtime_container_shape, run_dir_fd, "container.json", container, e);
}

int monitor_exit_record_read_in(struct monitor_exit_record *ret, int parent_fd, const char *folder,
				struct err *e)
{
	struct monitor_exit_record record = { 0 };
	own_free char *path = mem_format("%s/exit.json", folder);

	int r = shape_read_at(&monitor_exit_record_shape, parent_fd, path, STATE_BYTES_MAX, &record,
			      e);
	if (r == 0)
		*ret = record;
	return r;
}

/* ---- writing exit.json where the disk may be full by then ---- */

enum { RECORD_BYTES = 4096 };
static const char reserved[] = ".exit";

static int write_lost(int fd, struct err *e)
{
	struct monitor_exit_record record = { .exit_code = MONITOR_EXIT_CODE_LOST };
	char now[MOMENT_TEXT_SIZE];

	moment_format(now, moment_now_ns());
	record.error = mem_text(MONITOR_EXIT_WORDS_LOST);
	record.started_at = mem_text(now);
	own_json struct json_object *object = shape_write(&monitor_exit_record_shape, &record);
	shape_clear(&monitor_exit_record_shape, &record);
	const char *text = json_text(object);
	size_t length = strlen(text);
	int r = fd_write_all(fd, text, length);
	if (r < 0)
		return err_number(e, -r, "make room for exit.json");
	/* of an earlier start that nobody saw the end of */
	return ftruncate(fd, (off_t)length) < 0 ? err_sys(e, "make room for exit.json") : 0;
}

void monitor_exit_record_release_at(int container_fd)
{
	unlinkat(container_fd, reserved, 0);
}

int monitor_exit_record_read_lost_in(struct monitor_exit_record *ret, int parent_fd,
				     const char *folder, struct err *e)
{
	struct monitor_exit_record record = { 0 };
	own_free char *path = mem_format("%s/%s", folder, reserved);

	int r = shape_read_at(&monitor_exit_record_shape, parent_fd, path, STATE_BYTES_MAX, &record,
			      e);
	if (r == 0)
		*ret = record;
	return r;
}

static int reserve(int container_fd, struct err *e)
{
	own_fd int fd =
		openat(container_fd, reserved, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, "make room for exit.json");
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, RECORD_BYTES) < 0 && errno == ENOSPC)
		return err_sys(e, "make room for exit.json");
	return write_lost(fd, e);
}

/* Renaming over a file costs 8-10 ms on ext4, so the old one goes now. It becomes the new one: to
 * make a file and remove another is 0.7 ms there. */
int monitor_exit_record_reserve_at(int container_fd, struct err *e)
{
	bool moved = rename_new_at(container_fd, "exit.json", container_fd, reserved) == 0;

	int r = reserve(container_fd, e);
	if (r < 0 && moved)
		renameat(container_fd, reserved, container_fd, "exit.json");
	if (r < 0 || moved)
		return r;
	if (unlinkat(container_fd, "exit.json", 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove exit.json");
	return 0;
}

int monitor_exit_record_write_at(int container_fd, const struct monitor_exit_record *record,
				 struct err *e)
{
	own_json struct json_object *object = shape_write(&monitor_exit_record_shape, record);
	const char *text = json_text(object);
	size_t length = strlen(text);

	own_fd int fd =
		openat(container_fd, reserved, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, "write exit.json");
	int r = fd_write_all(fd, text, length);
	if (r < 0)
		return err_number(e, -r, "write exit.json");
	if (ftruncate(fd, (off_t)length) < 0 ||
	    renameat(container_fd, reserved, container_fd, "exit.json") < 0)
		return err_sys(e, "write exit.json");
	return 0;
}
