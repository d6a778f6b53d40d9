/* bundle_run.c - runs a bundle by runtime/ alone, for tests: no monitor, no engine.
 *
 *	bundle_run [-i INIT] [-k FD]... [-s] [-t] BUNDLE ID [-- COMMAND...]
 *
 * With a COMMAND that is exec'ed in the container once the first process has started; of its
 * process EXEC_USER and EXEC_CWD in the environment change user.username and cwd; with
 * EXEC_PROCESS=FILE it is what runc exec --process takes, but for args; EXEC_CGROUPS has the
 * cgroups (words) that it goes to. -k keeps a descriptor. -s has systemd make the cgroup. -t
 * prints the microseconds that each step took. LISTEN_FDS in the environment is handed on, and
 * NOTIFY_SOCKET, where BUNDLE_STATE is a folder for it, until the container is ready. Exits as
 * the container's process (or the command) does. The libraries' warnings go to stderr. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/process.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/listen.h"
#include "runtime/notify.h"
#include "runtime/runtime.h"

enum { KEEP_MAX = 8 };

struct bundle_run {
	struct oci_spec spec;
	struct runtime_options options;
	int keep[KEEP_MAX];
	struct runtime_notify notify;
	bool times;
	char **command;
};

static int fail(const struct err *e)
{
	fprintf(stderr, "bundle_run: %s\n", e->text);
	if (e->hint[0])
		fprintf(stderr, "%s\n", e->hint);
	return err_exit_status(e);
}

/* What a terminal's master says, until its other end is closed. */
static void relay(int terminal)
{
	char bytes[4096];

	for (ssize_t n; (n = read(terminal, bytes, sizeof(bytes))) > 0;)
		if (write(1, bytes, (size_t)n) < 0)
			return;
}

static int exec_command(const struct runtime_container *container, const struct bundle_run *b)
{
	struct oci_process process = *b->spec.process;
	struct runtime_process running = RUNTIME_PROCESS_INIT;
	struct runtime_options options = b->options;
	own_clear(strv_clear) struct strv cgroups = { 0 };
	struct err e;

	if (getenv("EXEC_PROCESS")) {
		process = (struct oci_process){ 0 };
		if (shape_read_at(&oci_process_shape, AT_FDCWD, getenv("EXEC_PROCESS"),
				  JSON_BYTES_MAX, &process, &e) < 0)
			return fail(&e);
	}
	memset(&process.args, 0, sizeof(process.args));
	for (char **word = b->command; *word; word++)
		strv_add(&process.args, *word);
	if (getenv("EXEC_USER"))
		process.user = (struct oci_user){ .username = getenv("EXEC_USER") };
	if (getenv("EXEC_CWD"))
		process.cwd = getenv("EXEC_CWD");
	if (getenv("EXEC_CGROUPS")) {
		strv_split(&cgroups, getenv("EXEC_CGROUPS"), ' ');
		options.cgroups = &cgroups;
	}
	int64_t start = moment_monotonic_ns();
	int r = runtime_exec(&running, container, &b->spec, &process, &options, &e);
	strv_clear(&process.args);
	if (r < 0)
		return fail(&e);
	if (b->times)
		fprintf(stderr, "exec %lld us\n",
			(long long)(moment_monotonic_ns() - start) / 1000);
	if (running.terminal >= 0)
		relay(running.terminal);
	int status = process_wait(running.pid);
	runtime_process_close(&running);
	return process_exit_code(status);
}

static int finish(struct runtime_process *process, const struct runtime_container *container,
		  const struct bundle_run *b, bool started)
{
	int code = 0;

	if (started && b->command) {
		code = exec_command(container, b);
		process_signal(process->pidfd, SIGKILL);
	} else if (process->terminal >= 0) {
		relay(process->terminal);
	}
	int status = process_wait(process->pid);
	runtime_process_close(process);
	return b->command ? code : process_exit_code(status);
}

static int run(struct bundle_run *b)
{
	own_clear(runtime_container_clear) struct runtime_container container = { 0 };
	struct runtime_process process = RUNTIME_PROCESS_INIT;
	struct err e;

	int64_t start = moment_monotonic_ns();
	if (runtime_create(&container, &process, &b->spec, &b->options, &e) < 0)
		return fail(&e);
	int64_t created = moment_monotonic_ns();
	int r = runtime_start(&process, &e);
	if (r == 0)
		r = runtime_notify_wait(&b->notify, (pid_t)container.pid, process.pidfd, &e);
	if (r == 0)
		r = runtime_hooks_poststart(&b->spec, &container, b->options.bundle, &e);
	int failed = r < 0 ? fail(&e) : 0;
	if (failed)
		process_signal(process.pidfd, SIGKILL);
	int64_t started = moment_monotonic_ns();
	int code = finish(&process, &container, b, !failed);
	int64_t ended = moment_monotonic_ns();
	if (runtime_delete(&container, &e) < 0)
		fail(&e);
	runtime_hooks_poststop(&b->spec, b->options.id, b->options.bundle);
	if (b->times)
		fprintf(stderr, "create %lld start %lld run %lld delete %lld us\n",
			(long long)(created - start) / 1000, (long long)(started - created) / 1000,
			(long long)(ended - started) / 1000,
			(long long)(moment_monotonic_ns() - ended) / 1000);
	return failed ? failed : code;
}

static int hand_on(struct bundle_run *b, struct err *e)
{
	const char *host = getenv("NOTIFY_SOCKET"), *state = getenv("BUNDLE_STATE");
	size_t listen_fds = 0;

	b->notify = (struct runtime_notify)RUNTIME_NOTIFY_INIT;
	int r = runtime_listen_count(&listen_fds, e);
	for (size_t i = 0; r == 0 && i < listen_fds && i < KEEP_MAX; i++)
		b->keep[b->options.keep_fds_count++] = 3 + (int)i;
	b->options.listen_fds = listen_fds;
	b->options.listen_names = getenv("LISTEN_FDNAMES");
	if (r < 0 || !host || !state)
		return r;
	own_fd int dir = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open %s", state);
	r = runtime_notify_prepare(&b->spec, dir, state, e);
	return r < 0 ? r : runtime_notify_open(&b->notify, dir, host, e);
}

static bool read_options(struct bundle_run *b, int argc, char **argv)
{
	int option;

	b->options = (struct runtime_options)RUNTIME_OPTIONS_INIT;
	b->options.die_with_parent = true;
	b->options.keep_fds = b->keep;
	while ((option = getopt(argc, argv, "+i:k:st")) != -1) {
		if (option == 'i')
			b->options.init_fd = open(optarg, O_PATH | O_CLOEXEC);
		else if (option == 'k' && b->options.keep_fds_count < KEEP_MAX)
			b->keep[b->options.keep_fds_count++] = atoi(optarg);
		else if (option == 's')
			b->options.systemd_cgroup = true;
		else if (option == 't')
			b->times = true;
		else
			return false;
	}
	for (int i = 0; i < 3; i++)
		b->options.stdio[i] = i;
	return argc - optind >= 2;
}

int main(int argc, char **argv)
{
	struct bundle_run b = { 0 };
	struct err e;

	if (!read_options(&b, argc, argv))
		return 2;
	argv += optind;
	own_free char *bundle = realpath(argv[0], NULL);
	own_fd int dir = bundle ? open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (dir < 0)
		return 2;
	if (oci_spec_read_at(&b.spec, dir, "config.json", &e) < 0)
		return fail(&e);
	b.options.bundle = bundle;
	b.options.id = argv[1];
	if (argv[2] && strcmp(argv[2], "--") == 0)
		b.command = argv + 3;
	int code = hand_on(&b, &e) < 0 ? fail(&e) : run(&b);
	runtime_notify_close(&b.notify);
	oci_spec_clear(&b.spec);
	return code;
}
