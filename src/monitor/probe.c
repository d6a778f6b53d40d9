/* probe.c - the process that makes one health check. It starts the command in the container as exec
 * does, gathers the beginning of its output, and tells how it ended. Where time runs out, or the
 * monitor hangs up, the command is killed with its family: its descendants, and all that are in its
 * session. What has made a session of its own and lost its parent is a service of the container's
 * and not the check's any more. */
#include "monitor/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "monitor/connect.h"
#include "monitor/health.h"
#include "monitor/monitor.h"
#include "oci/runtime_spec.h"

/* How often the family is looked for: each round finds what was born in the one before. */
enum { FAMILY_ROUNDS_MAX = 100 };

struct probe {
	const struct monitor *m;
	int monitor; /* the socket that leads to it */
	int output;  /* both streams of the command; -1: ended */
	int64_t deadline_ms;
	char bytes[MONITOR_HEALTH_OUTPUT_MAX];
	size_t length;
	bool cut;
};

/* ---- the family ---- */

struct family {
	pid_t session;
	pid_t *pids;
	int *fds;
	size_t count;
};

static bool is_member(const struct family *f, pid_t pid)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->pids[i] == pid)
			return true;
	return false;
}

/* Stopped, so that it has no more children while the others are looked for. */
static void add_member(struct family *f, pid_t pid, int pidfd)
{
	f->pids = mem_resize(f->pids, f->count + 1, sizeof(*f->pids));
	f->fds = mem_resize(f->fds, f->count + 1, sizeof(*f->fds));
	f->pids[f->count] = pid;
	f->fds[f->count++] = pidfd;
	process_signal(pidfd, SIGSTOP);
}

static bool add_if_related(struct family *f, pid_t pid)
{
	struct process_stat stat;

	if (is_member(f, pid))
		return false;
	own_fd int fd = pidfd_open(pid, 0);
	/* of another process than the one behind fd only if that has ended */
	if (fd < 0 || process_stat_read(pid, &stat) < 0 ||
	    (stat.session != f->session && !is_member(f, stat.parent)))
		return false;
	add_member(f, pid, take_fd(&fd));
	return true;
}

static bool find_more(struct family *f, const struct runtime_container *container)
{
	own_free pid_t *pids = NULL;
	size_t count = 0;
	struct err ignored;
	bool found = false;

	if (runtime_container_list(&pids, &count, container, &ignored) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		found |= add_if_related(f, pids[i]);
	return found;
}

static void kill_family(const struct runtime_container *container,
			const struct runtime_process *process)
{
	struct family f = { .session = process->pid };

	add_member(&f, process->pid, dup(process->pidfd));
	for (int i = 0; i < FAMILY_ROUNDS_MAX && find_more(&f, container); i++)
		;
	for (size_t i = 0; i < f.count; i++) {
		process_signal(f.fds[i], SIGKILL);
		close(f.fds[i]);
	}
	free(f.pids);
	free(f.fds);
}

/* ---- the check ---- */

static int start(struct probe *p, struct runtime_process *process, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	struct runtime_options options = RUNTIME_OPTIONS_INIT;
	int pair[2];

	int r = oci_spec_read_at(&spec, p->m->run_dir, "config.json", e);
	if (r < 0)
		return r;
	strv_clear(&spec.process->args);
	strv_add_all(&spec.process->args, &p->m->config.health.command);
	spec.process->terminal = false;
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	p->output = pair[0];
	own_fd int theirs = pair[1];
	options.id = p->m->config.id;
	options.bundle = p->m->run_path;
	options.die_with_parent = true;
	options.stdio[1] = options.stdio[2] = theirs;
	return runtime_exec(process, &p->m->state.container, &spec, spec.process, &options, e);
}

/* What is beyond the bound is read, too, so that the command can go on. false: there is no more,
 * or none for now. */
static bool read_output(struct probe *p)
{
	char rest[MONITOR_HEALTH_OUTPUT_MAX];
	size_t room = sizeof(p->bytes) - p->length;

	ssize_t n = read(p->output, room ? p->bytes + p->length : rest, room ? room : sizeof(rest));
	if (n <= 0)
		return n < 0 && errno == EINTR;
	if (room)
		p->length += (size_t)n;
	else
		p->cut = true;
	return true;
}

/* 0: it has ended; -ETIME; -ECANCELED: the monitor does not want to know any more. */
static int wait_for_end(struct probe *p, const struct runtime_process *process)
{
	struct pollfd fds[] = { { .fd = process->pidfd, .events = POLLIN },
				{ .fd = p->monitor },
				{ .fd = p->output, .events = POLLIN } };

	for (;;) {
		int64_t left = p->deadline_ms - monitor_loop_now_ms();
		if (left <= 0)
			return -ETIME;
		poll(fds, COUNT_OF(fds), left > INT32_MAX ? INT32_MAX : (int)left);
		if (fds[1].revents)
			return -ECANCELED;
		if (fds[2].revents && !read_output(p))
			fds[2].fd = -1;
		if (fds[0].revents)
			return 0;
	}
}

/* A process in the background may hold the pipe open, and write on: what lies in the pipe. */
static void read_rest(struct probe *p)
{
	enum { READS_MAX = 32 };

	fcntl(p->output, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < READS_MAX && read_output(p); i++)
		;
}

static char *words_of_timeout(const struct probe *p, const char *output)
{
	double seconds = (double)monitor_health_timeout_ms(&p->m->config.health) / 1000.0;

	return mem_format("Health check exceeded timeout (%gs)%s%s", seconds, *output ? ": " : "",
			  output);
}

static int check_connection(const struct probe *p, struct monitor_health_result *result)
{
	own_clear(str_clear) struct str output = { 0 };
	struct err e;

	int r = monitor_connect_check(&p->m->state.container, p->m->config.health.connect,
				      p->deadline_ms, p->monitor, &output, &e);
	if (r == -ECANCELED)
		return r;
	result->exit_code = r == 0 ? 0 : e.kind == ERR_TIMEOUT ? MONITOR_HEALTH_NO_EXIT : 1;
	if (r < 0)
		result->output = monitor_health_text(e.text, strlen(e.text), false);
	else
		result->output = monitor_health_text(output.text ? output.text : "", output.length,
						     output.length == MONITOR_HEALTH_OUTPUT_MAX);
	return 0;
}

static int check(struct probe *p, struct monitor_health_result *result)
{
	if (p->m->config.health.connect)
		return check_connection(p, result);
	struct runtime_process process = RUNTIME_PROCESS_INIT;
	struct err e;

	result->exit_code = MONITOR_HEALTH_NO_EXIT;
	if (start(p, &process, &e) < 0) {
		result->output = monitor_health_text(e.text, strlen(e.text), false);
		return 0;
	}
	int r = wait_for_end(p, &process);
	if (r < 0)
		kill_family(&p->m->state.container, &process);
	int status = process_wait(process.pid);
	if (r == -ECANCELED)
		return r;
	read_rest(p);
	result->output = monitor_health_text(p->bytes, p->length, p->cut);
	if (r == 0) {
		result->exit_code = process_exit_code(status);
		return 0;
	}
	own_free char *output = take_ptr(&result->output);
	result->output = words_of_timeout(p, output);
	return 0;
}

static _Noreturn void run(const struct monitor *m, int socket)
{
	struct probe p = { .m = m, .monitor = socket, .output = -1 };
	struct monitor_health_result result = { 0 };
	char now[MOMENT_TEXT_SIZE];

	p.deadline_ms = monitor_loop_now_ms() + monitor_health_timeout_ms(&m->config.health);
	moment_format(now, moment_now_ns());
	result.start = mem_text(now);
	if (check(&p, &result) < 0)
		_exit(1);
	moment_format(now, moment_now_ns());
	result.end = mem_text(now);
	own_json struct json_object *object = shape_write(&monitor_health_result_shape, &result);
	const char *text = json_text(object);
	_exit(fd_write_all(socket, text, strlen(text)) < 0);
}

/* ---- starting it ---- */

static void close_others(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

	if (low > 3)
		close_range(3, low - 1, 0);
	if (high - low > 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

int monitor_probe_start(int *ret_result, const struct monitor *m, struct err *e)
{
	pid_t monitor = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make a socket pair");
	own_fd int ours = pair[0], theirs = pair[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != monitor)
			_exit(1);
		close_others(m->run_dir, theirs);
		run(m, theirs);
	}
	int pidfd = pidfd_open(pid, 0);
	if (pidfd < 0) {
		err_sys(e, "open the process of the check");
		kill(pid, SIGKILL); /* our child, which nobody else reaps */
		process_wait(pid);
		return -e->number;
	}
	*ret_result = take_fd(&ours);
	return pidfd;
}
