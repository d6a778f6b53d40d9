/* wait.c - a child waits for the containers, one after the other, so that this process can wait for
 * whatever comes first, its end or a signal. */
#include "kube/wait.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/process.h"
#include "engine/engine.h"
#include "kube/play.h"

static bool goes_on(struct engine *engine, const char *id)
{
	struct container_state state;
	struct err ignored;

	return engine_load(engine, id, NULL, &state, &ignored) == 0 &&
	       (container_state_live(&state) || state.status == CONTAINER_RESTARTING);
}

/* Between an end and the start that follows from its restart policy one does not run, too. */
static void wait_for_one(struct engine *engine, const char *id)
{
	const struct timespec moment = { .tv_nsec = 100000000 };
	struct err ignored;
	int code;

	do {
		engine_wait(engine, id, ENGINE_WAIT_NOT_RUNNING, &code, &ignored);
		nanosleep(&moment, NULL);
	} while (goes_on(engine, id));
}

static _Noreturn void wait_for_all(struct engine *engine, const struct kube_report *report)
{
	for (size_t i = 0; i < report->pods.count; i++) {
		const struct strv *ids = &report->pods.items[i].containers;
		for (size_t k = 0; k < ids->count; k++)
			wait_for_one(engine, ids->items[k]);
	}
	_exit(0);
}

int kube_wait(struct engine *engine, const struct kube_report *report, struct err *e)
{
	sigset_t wanted, before;
	int signal;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGCHLD);
	sigprocmask(SIG_BLOCK, &wanted, &before);
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0) {
		process_reset_signals();
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != parent)
			_exit(1);
		wait_for_all(engine, report);
	}
	do
		signal = sigwaitinfo(&wanted, NULL);
	while (signal < 0 && errno == EINTR);
	kill(pid, SIGKILL); /* our child, which nobody else reaps */
	process_wait(pid);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return 0;
}
