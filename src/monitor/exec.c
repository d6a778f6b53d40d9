/* exec.c - `holm-monitor exec RUNDIR`: one more process in a running container. The request comes
 * in a memfd as descriptor 4. Without a terminal the process gets our own standard streams; with
 * one it is relayed as the container's own terminal is, to the one peer on descriptor 3. Detached,
 * nobody listens, and this one stays to tell how it ended and to keep its terminal open. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "monitor/exec_request.h"
#include "monitor/monitor.h"
#include "runtime/cgroup_scope.h"

enum { REQUEST_FD = 4, REQUEST_BYTES_MAX = 8 << 20 };

static int read_request(struct monitor_exec_request *ret, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_json struct json_object *object = NULL;

	int r = fd_read_all(REQUEST_FD, REQUEST_BYTES_MAX, &text, e);
	close(REQUEST_FD);
	if (r == 0)
		r = json_parse(&object, text.text ? text.text : "", text.length, "request", e);
	if (r == 0)
		r = shape_read(&monitor_exec_request_shape, object, ret, e);
	return r;
}

static void request_clear(struct monitor_exec_request *request)
{
	shape_clear(&monitor_exec_request_shape, request);
}

/* Docker's words: the command stands in the action. */
static void tell_start(struct monitor *m, const struct monitor_exec_request *request)
{
	own_free char *command = strv_join(&request->process.args, " ");
	own_free char *create = mem_format("exec_create: %s", command);
	own_free char *start = mem_format("exec_start: %s", command);

	m->exec_id = request->id ? request->id : "";
	monitor_change_tell(m, create, "execID", m->exec_id, NULL);
	monitor_change_tell(m, start, "execID", m->exec_id, NULL);
}

/* Of an ordinary user, whose container is a scope of the user's systemd's. */
static void come_near(const struct monitor *m)
{
	own_free char *name =
		mem_format("holm-exec-%.12s-%d.scope", m->state.container.id, (int)getpid());
	const struct runtime_cgroup_scope scope = { .name = name,
						    .description = "holm exec",
						    .stop_timeout_s = 10 };
	struct err e;

	if (m->state.container.cgroup.user_unit && runtime_cgroup_scope_enter(&scope, &e) < 0)
		log_warning("%s", e.text);
}

static int enter(struct monitor *m, struct runtime_process *process,
		 const struct monitor_exec_request *request, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	struct runtime_options options = RUNTIME_OPTIONS_INIT;

	m->run_dir = open(m->run_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->run_dir < 0)
		return err_set(e, ERR_STATE, "the container is not running");
	int r = monitor_state_read_whole_at(&m->state, m->run_dir, e);
	if (r < 0)
		return r;
	if (!str_equal(m->state.status, MONITOR_STATE_RUNNING))
		return err_set(e, ERR_STATE, "the container is %s", m->state.status);
	r = oci_spec_read_at(&spec, m->run_dir, "config.json", e);
	if (r < 0)
		return r;
	come_near(m);
	tell_start(m, request);
	if (m->config.guest)
		monitor_run_forget_login();
	options.id = m->state.container.id;
	options.bundle = m->run_path;
	options.die_with_parent = !request->detach;
	for (int i = 0; i < 3 && !request->detach && !request->process.terminal; i++)
		options.stdio[i] = i;
	r = monitor_kept_pass(m, &options, &request->listen, e);
	if (r == 0)
		r = runtime_exec(process, &m->state.container, &spec, &request->process, &options,
				 e);
	monitor_kept_close(m); /* there is no second start */
	return r;
}

static int run(struct monitor *m, const struct monitor_exec_request *request, struct err *e)
{
	own_clear(runtime_process_close) struct runtime_process process = RUNTIME_PROCESS_INIT;

	int r = enter(m, &process, request, e);
	if (r < 0)
		return r;
	monitor_run_send_started(m, process.pid);
	m->tty = request->process.terminal;
	if (m->owner && request->detach)
		monitor_peer_close(m, m->owner);
	if (m->owner && m->tty)
		m->owner->attach = MONITOR_ATTACH_STDOUT | MONITOR_ATTACH_LOSSLESS |
				   (request->stdin_open ? MONITOR_ATTACH_STDIN : 0) |
				   (request->bound ? MONITOR_ATTACH_BOUND : 0);
	monitor_container_watch(m, &process);
	monitor_run_leave_streams();
	monitor_loop_run(m);
	return 0;
}

int monitor_exec(const char *run_path, size_t kept_count, struct err *e)
{
	own_clear(request_clear) struct monitor_exec_request request = { 0 };
	struct monitor m = MONITOR_INIT;

	m.run_path = run_path;
	m.is_exec = true;
	int r = monitor_run_prepare(&m, REQUEST_FD + 1, kept_count, e);
	if (r < 0)
		return r;
	r = read_request(&request, e);
	if (r == 0)
		r = run(&m, &request, e);
	if (r < 0 && m.owner)
		monitor_peer_send_err(&m, m.owner, e);
	return 0;
}
