#include "build/schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "build/step.h"
#include "engine/engine.h"
#include "storage/store.h"

enum { RESULT_BYTES_MAX = 64 << 20 };

enum progress { WAITING, RUNNING, DONE };

struct worker {
	size_t stage;
	pid_t pid;
	int fd; /* what it sends */
	struct str sent;
};

struct schedule {
	struct build *build;
	build_schedule_stage *do_stage;
	enum progress *progress;
	SHAPE_LIST_OF(struct worker) workers;
	size_t workers_max;
	bool stopping;
};

static void schedule_clear(struct schedule *schedule)
{
	free(schedule->progress);
	free(schedule->workers.items);
}

/* ---- what a worker sends ---- */

struct result {
	char *error; /* NULL: it went well */
	char *hint;
	int64_t kind;
	struct strv folders; /* that its steps wrote */
	struct json_object *state;
};

static const struct shape result_shape = {
	sizeof(struct result),
	(const struct shape_field[]){
		{ "error", SHAPE_STRING, offsetof(struct result, error) },
		{ "hint", SHAPE_STRING, offsetof(struct result, hint) },
		{ "kind", SHAPE_INT, offsetof(struct result, kind) },
		{ "folders", SHAPE_STRINGS, offsetof(struct result, folders) },
		{ "state", SHAPE_ANY, offsetof(struct result, state) },
		{ 0 },
	},
};

static void result_clear(struct result *result)
{
	shape_clear(&result_shape, result);
}

static void send_result(const struct build *build, size_t stage, size_t folders_before,
			const struct err *error, int fd)
{
	struct result result = { .state = build_state_write(&build->states[stage]) };

	if (error) {
		result.error = mem_text(error->text);
		result.hint = mem_text(error->hint);
		result.kind = error->kind;
	}
	for (size_t i = folders_before; i < build->folders.count; i++)
		strv_add(&result.folders, build->folders.items[i].name);
	own_json struct json_object *object = shape_write(&result_shape, &result);
	const char *text = json_text(object);
	fd_write_all(fd, text, strlen(text));
	result_clear(&result);
}

/* The parent's own end: it removes what gets no name. */
static int take_folder(struct build *build, const char *name, struct err *e)
{
	const struct store *store = build->engine->store;
	own_free char *path = mem_format("layers/%s", name);
	struct layer_writer writer = { store, NULL, -1, -1 };

	writer.lock = openat(store->root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (writer.lock < 0)
		return err_sys(e, "open %s", path);
	writer.fs_fd = openat(writer.lock, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (writer.fs_fd < 0) {
		close(writer.lock);
		return err_sys(e, "open %s/fs", path);
	}
	writer.name = mem_text(name);
	*shape_list_add(&build->folders) = writer;
	return 0;
}

static int take_result(struct build *build, const struct worker *worker, struct err *e)
{
	own_clear(result_clear) struct result result = { 0 };
	const char *text = worker->sent.text ? worker->sent.text : "";

	int r = shape_read_text(&result_shape, text, worker->sent.length, &result, e);
	if (r < 0)
		return err_set(e, ERR_INTERNAL, "stage %zu ended without a word", worker->stage);
	build_state_clear(&build->states[worker->stage]);
	r = build_state_read(&build->states[worker->stage], result.state, e);
	for (size_t i = 0; r == 0 && i < result.folders.count; i++)
		r = take_folder(build, result.folders.items[i], e);
	if (r < 0 || !result.error)
		return r;
	r = err_set(e, (enum err_kind)result.kind, "%s", result.error);
	if (!str_empty(result.hint))
		err_hint(e, "%s", result.hint);
	return r;
}

/* ---- workers ---- */

static void work(struct schedule *schedule, size_t stage, pid_t parent, int fd)
{
	struct build *build = schedule->build;
	size_t before = build->folders.count;
	bool had_places = build->places.name; /* the parent's */
	struct err e = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	int r = build_once_part(&build->once, &e);
	if (r == 0)
		r = schedule->do_stage(build, stage, &e);
	send_result(build, stage, before, r < 0 ? &e : NULL, fd);
	if (!had_places)
		storage_layer_end(&build->places);
	_exit(0);
}

static int start(struct schedule *schedule, size_t stage, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		close(ends[0]);
		work(schedule, stage, parent, ends[1]);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return err_sys(e, "fork");
	}
	*shape_list_add(&schedule->workers) = (struct worker){ stage, pid, ends[0], { 0 } };
	schedule->progress[stage] = RUNNING;
	return 0;
}

static void stop_all(struct schedule *schedule)
{
	if (schedule->stopping)
		return;
	schedule->stopping = true;
	for (size_t i = 0; i < schedule->workers.count; i++)
		kill(schedule->workers.items[i].pid, SIGTERM);
}

static int end(struct schedule *schedule, size_t number, struct err *e)
{
	struct worker worker = schedule->workers.items[number];

	close(worker.fd);
	process_wait(worker.pid);
	schedule->workers.items[number] = schedule->workers.items[--schedule->workers.count];
	schedule->progress[worker.stage] = DONE;
	int r = take_result(schedule->build, &worker, e);
	str_clear(&worker.sent);
	return r;
}

/* Until one has said all; ctrl-C is for all of them. */
static int wait_for_one(struct schedule *schedule, struct err *e)
{
	size_t count = schedule->workers.count;
	own_free struct pollfd *polled = mem_new(count + 1, sizeof(*polled));

	for (size_t i = 0; i < count; i++)
		polled[i] = (struct pollfd){ schedule->workers.items[i].fd, POLLIN, 0 };
	polled[count] =
		(struct pollfd){ schedule->stopping ? -1 : schedule->build->stop.fd, POLLIN, 0 };
	if (poll(polled, count + 1, -1) < 0)
		return errno == EINTR ? 0 : err_sys(e, "poll");
	if (polled[count].revents)
		stop_all(schedule);
	for (size_t i = 0; i < count; i++) {
		struct worker *worker = &schedule->workers.items[i];
		if (!polled[i].revents)
			continue;
		ssize_t n = read(worker->fd, str_room(&worker->sent, 65536), 65536);
		if (n <= 0 || worker->sent.length > RESULT_BYTES_MAX)
			return end(schedule, i, e);
		worker->sent.length += (size_t)n;
	}
	return 0;
}

/* ---- which ---- */

static bool is_ready(const struct schedule *schedule, size_t number)
{
	const struct build_stage *stage = &schedule->build->stages.items.items[number];

	if (!stage->needed || schedule->progress[number] != WAITING)
		return false;
	for (size_t i = 0; i < number; i++)
		if (stage->needs[i] && schedule->progress[i] != DONE)
			return false;
	return true;
}

static int start_ready(struct schedule *schedule, struct err *e)
{
	size_t ready = 0, last = 0;
	int r = 0;

	for (size_t i = 0; i < schedule->build->stages.items.count; i++)
		if (is_ready(schedule, i)) {
			ready++;
			last = i;
		}
	if (ready == 1 && !schedule->workers.count) {
		r = schedule->do_stage(schedule->build, last, e);
		schedule->progress[last] = DONE;
		return r;
	}
	for (size_t i = 0; r == 0 && i < schedule->build->stages.items.count; i++)
		if (schedule->workers.count < schedule->workers_max && is_ready(schedule, i))
			r = start(schedule, i, e);
	return r;
}

static bool is_left(const struct schedule *schedule)
{
	const struct build_stages *stages = &schedule->build->stages;

	for (size_t i = 0; i < stages->items.count; i++)
		if (stages->items.items[i].needed && schedule->progress[i] == WAITING)
			return true;
	return schedule->workers.count > 0;
}

int build_schedule(struct build *build, build_schedule_stage *stage, struct err *e)
{
	own_clear(schedule_clear) struct schedule schedule = {
		.build = build,
		.do_stage = stage,
		.progress = mem_new(build->stages.items.count + 1, sizeof(enum progress)),
		.workers_max = (size_t)get_nprocs(),
	};
	int r = 0;

	while (r == 0 && is_left(&schedule)) {
		r = start_ready(&schedule, e);
		if (r == 0 && schedule.workers.count)
			r = wait_for_one(&schedule, e);
	}
	/* the first error counts */
	while (schedule.workers.count) {
		struct err later;
		stop_all(&schedule);
		wait_for_one(&schedule, &later);
	}
	return r;
}
