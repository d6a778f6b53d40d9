/* Each process says how it went in one write (struct err is below PIPE_BUF). */
#include "engine/parallel.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"

struct work {
	pid_t pid;
	int from;
	struct err err; /* why no process could be made */
};

static void work_in_child(struct engine *engine, const char *name, engine_parallel_call *call,
			  const void *arg, int to)
{
	struct err e;

	if (call(engine, name, arg, &e) < 0 && write(to, &e, sizeof(e)) < 0)
		_exit(1);
	_exit(0);
}

static void begin(struct work *w, struct engine *engine, const char *name,
		  engine_parallel_call *call, const void *arg)
{
	int fds[2];

	w->pid = -1;
	w->from = -1;
	if (pipe2(fds, O_CLOEXEC) < 0) {
		err_sys(&w->err, "pipe");
		return;
	}
	w->pid = fork();
	if (w->pid == 0)
		work_in_child(engine, name, call, arg, fds[1]);
	if (w->pid < 0)
		err_sys(&w->err, "fork");
	close(fds[1]);
	w->from = fds[0];
}

/* Returns whether it failed; w->err then says why. */
static bool finish(struct work *w)
{
	if (w->pid < 0) {
		if (w->from >= 0)
			close(w->from);
		return true;
	}
	ssize_t n;
	do
		n = read(w->from, &w->err, sizeof(w->err));
	while (n < 0 && errno == EINTR);
	close(w->from);
	int status = process_wait(w->pid);
	if (n == 0 && status != 0)
		err_set(&w->err, ERR_INTERNAL, "the process that was to do it ended");
	return n != 0 || status != 0;
}

int engine_parallel(struct engine *engine, const struct strv *names, size_t at_once,
		    engine_parallel_call *call, const void *arg, engine_report *report,
		    void *report_arg)
{
	own_free struct work *all = mem_new(names->count + 1, sizeof(*all));
	size_t begun = 0;
	int failed = 0;

	for (size_t i = 0; i < names->count; i++) {
		for (; begun < names->count && (!at_once || begun < i + at_once); begun++)
			begin(&all[begun], engine, names->items[begun], call, arg);
		bool bad = finish(&all[i]);
		failed += bad;
		report(report_arg, names->items[i], bad ? &all[i].err : NULL);
	}
	return failed;
}
