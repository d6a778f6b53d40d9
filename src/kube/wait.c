/* wait.c - a child waits for the containers, one after the other, so that this process can wait for
 * whatever comes first, its end or a signal. */
#include "kube/wait.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/process.h"
#include "engine/engine.h"
#include "kube/play.h"

static _Noreturn void wait_for_all(struct engine *engine, const struct kube_report *report)
{
	struct err ignored;
	int code;

	for (size_t i = 0; i < report->pods.count; i++) {
		const struct strv *ids = &report->pods.items[i].containers;
		for (size_t k = 0; k < ids->count; k++)
			engine_wait(engine, ids->items[k], ENGINE_WAIT_NOT_RUNNING, &code,
				    &ignored);
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
