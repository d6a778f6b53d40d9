/* container.c - starts the container's first process, and what happens when it ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "monitor/event.h"
#include "monitor/monitor.h"
#include "monitor/restart.h"
#include "monitor/stdio.h"
#include "oci/runtime_spec.h"
#include "runtime/checkpoint.h"
#include "runtime/criu.h"

/* ---- state.json ---- */

int monitor_container_store(struct monitor *m, const char *status, struct err *e)
{
	mem_replace(&m->state.status, status);
	return monitor_state_write_at(m->run_dir, &m->state, e);
}

static void set_moment(char **field, int64_t ns)
{
	char text[MOMENT_TEXT_SIZE];

	moment_format(text, ns);
	mem_replace(field, text);
}

/* ---- starting ---- */

static int open_init(int *ret, const struct oci_spec *spec, struct err *e)
{
	const char *folder = secure_getenv("HOLM_LIBEXEC");

	if (!str_equal(shape_map_get(&spec->annotations, "org.holm.init"), "true"))
		return 0;
	own_free char *path = mem_format("%s/holm-init", str_empty(folder) ? HOLM_LIBEXEC : folder);
	*ret = open(path, O_PATH | O_CLOEXEC);
	return *ret < 0 ? err_sys(e, "open %s", path) : 0;
}

static void set_size(struct oci_process *process, uint16_t rows, uint16_t columns)
{
	if (!process->terminal || !rows)
		return;
	if (!process->console_size)
		process->console_size = mem_new_struct(struct oci_console_size);
	process->console_size->height = rows;
	process->console_size->width = columns;
}

/* What is restored is in its cgroups before it is known by its process. */
static int store_container(void *context, struct err *e)
{
	struct monitor *m = context;

	int r = monitor_state_write_container_at(m->run_dir, &m->state.container, e);
	return r < 0 ? r : monitor_container_store(m, MONITOR_STATE_RESTARTING, e);
}

/* From the images of a checkpoint: it runs then. */
static int restore(struct monitor *m, struct runtime_process *process, const struct oci_spec *spec,
		   const struct runtime_options *options, struct err *e)
{
	const struct runtime_criu_options criu = { .image_path = m->config.checkpoint,
						   .service = true,
						   .file_locks = true };
	const struct runtime_store store = { store_container, m };
	own_free char *scratch = mem_format("%s/root", m->run_path);

	if (mkdirat(m->run_dir, "root", 0700) < 0)
		return err_sys(e, "make %s", scratch);
	return runtime_restore(&m->state.container, process, spec, options, &criu, scratch, &store,
			       e);
}

/* Creates, records, starts. The record comes first: whoever finds it after a kill -9 of this
 * process can clear up. */
static int create_and_start(struct monitor *m, struct runtime_process *process,
			    const struct oci_spec *spec, const struct runtime_options *options,
			    struct err *e)
{
	bool restores = m->config.checkpoint && m->phase == MONITOR_PHASE_STARTING;
	int r = restores ? restore(m, process, spec, options, e)
			 : runtime_create(&m->state.container, process, spec, options, e);
	if (r < 0) {
		m->has_poststop = false; /* it has run them */
		return r;
	}
	set_moment(&m->state.started_at, moment_now_ns());
	mem_replace(&m->state.finished_at, NULL);
	monitor_check_reset(m);
	m->state.exit_code = 0;
	r = monitor_state_write_container_at(m->run_dir, &m->state.container, e);
	if (r == 0)
		r = monitor_container_store(m, MONITOR_STATE_RUNNING, e);
	if (r == 0)
		r = monitor_hooks_start_host(m, spec, process->pid, e);
	if (r == 0 && !restores)
		r = runtime_start(process, e);
	if (r == 0)
		r = runtime_hooks_poststart(spec, &m->state.container, options->bundle, e);
	if (r < 0) {
		struct err ignored;
		process_signal(process->pidfd, SIGKILL);
		process_wait(process->pid);
		monitor_hooks_stop(m, false);
		monitor_container_delete(m, &ignored);
		monitor_hooks_post_stop(m, false);
		runtime_container_clear(&m->state.container);
	}
	return r;
}

int monitor_container_delete(struct monitor *m, struct err *e)
{
	return runtime_delete(&m->state.container, e);
}

int monitor_container_start(struct monitor *m, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	own_clear(runtime_process_close) struct runtime_process process = RUNTIME_PROCESS_INIT;
	own_clear(monitor_stdio_close) struct monitor_stdio stdio = MONITOR_STDIO_INIT;
	struct runtime_options options = RUNTIME_OPTIONS_INIT;

	runtime_container_clear(&m->state.container);
	int r = oci_spec_read_at(&spec, m->run_dir, "config.json", e);
	if (r < 0)
		return r;
	if (!spec.process)
		return err_set(e, ERR_CORRUPT, "config.json: there is no process");
	set_size(spec.process, m->rows, m->columns);
	m->tty = spec.process->terminal;
	r = monitor_hooks_pre_start(m, &spec, e);
	m->has_poststop = r == 0 && spec.hooks && spec.hooks->poststop.count;
	if (r == 0 && !m->tty)
		r = monitor_stdio_open(&stdio, m->config.stdin_open, e);
	if (r < 0)
		return r;
	own_fd int init = -1;
	r = open_init(&init, &spec, e);
	if (r < 0)
		return r;

	r = monitor_guest_prepare(m, e);
	if (r == 0)
		r = monitor_figures_prepare(m, &spec, e);
	if (r == 0)
		r = monitor_calls_prepare(m, &spec, e);
	if (r < 0)
		return r;
	options.covers = m->figures.covers.count ? &m->figures.covers : NULL;
	options.id = m->config.id;
	options.bundle = m->run_path;
	memcpy(options.stdio, stdio.theirs, sizeof(options.stdio));
	options.init_fd = init;
	options.die_with_parent = true;
	options.user_scope = true;
	r = monitor_kept_pass(m, &options, &m->config.listen, e);
	if (r == 0)
		r = create_and_start(m, &process, &spec, &options, e);
	monitor_figures_attached(m);
	if (r < 0)
		return r;
	if (!m->tty || m->config.health.command.count)
		monitor_figures_answer_beside(m);
	if (!m->tty) {
		monitor_output_open(m, 0, take_fd(&stdio.ours[1]));
		monitor_output_open(m, 1, take_fd(&stdio.ours[2]));
		if (stdio.ours[0] >= 0)
			monitor_input_open(m, take_fd(&stdio.ours[0]));
	}
	monitor_container_watch(m, &process);
	monitor_event_networks(m->run_dir, &m->config, "connect");
	monitor_event_volumes(m->run_dir, &m->config, "mount");
	monitor_change_tell(m, "start", NULL);
	return 0;
}

/* ---- ending ---- */

enum { REBOOT_AT_ONCE_MS = 1000 }; /* one that ran for less waits as any that fails does */

/* reboot(2), "Behavior inside PID namespaces": the first process seems killed by SIGHUP where
 * it asked for another boot, and by SIGINT where it halted. That end is none of a failure, and
 * one that a person inside has asked for. */
static void collect_guest(struct monitor *m, const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED || m->is_exec || !m->config.guest)
		return;
	if (info->si_status == SIGHUP)
		m->restart_asked = true;
	if (info->si_status == SIGINT && !m->restart_asked)
		m->stopped = true;
	if (info->si_status == SIGHUP || info->si_status == SIGINT)
		m->exit.code = 0;
}

/* Is another start to follow? */
static bool is_wanted_again(const struct monitor *m)
{
	return !m->is_exec && (monitor_restart_wanted(&m->config.restart, m->exit.code,
						      m->state.restart_count, m->stopped) ||
			       (m->restart_asked && !m->stopped));
}

/* Decides what comes after an end; true: another start. */
static bool plan_restart(struct monitor *m, int64_t now_ms)
{
	struct err e;

	bool reboots =
		m->config.guest && m->restart_asked && now_ms - m->started_ms >= REBOOT_AT_ONCE_MS;
	if (!is_wanted_again(m))
		return false;
	m->restart_delay_ms =
		reboots ? 0 : monitor_restart_delay_ms(m->restart_delay_ms, now_ms - m->started_ms);
	m->restart_at_ms = now_ms + m->restart_delay_ms;
	m->phase = MONITOR_PHASE_RESTARTING;
	m->exit.flags |= MONITOR_EXIT_RESTARTING;
	m->state.restart_count += !(m->config.guest && m->restart_asked);
	m->state.exit_code = m->exit.code;
	set_moment(&m->state.finished_at, m->exit.finished_ns);
	m->state.container.pid = 0;
	monitor_container_store(m, MONITOR_STATE_RESTARTING, &e);
	monitor_peer_send_exit(m);
	monitor_container_delete(m, &e);
	return monitor_hooks_post_stop(m, true);
}

static void collect(struct monitor *m)
{
	siginfo_t info = { 0 };

	while (waitid(P_PIDFD, (id_t)m->process.fd, &info, WEXITED) < 0 && errno == EINTR)
		;
	monitor_source_close(m, &m->process);
	m->exit.code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	collect_guest(m, &info);
	m->exit.flags = 0;
	m->exit.finished_ns = moment_now_ns();
	if (!m->is_exec && runtime_cgroup_oom_killed(&m->state.container.cgroup))
		m->exit.flags |= MONITOR_EXIT_OOM;
}

static void tell_end(struct monitor *m)
{
	char code[16], seconds[24];

	if (!m->is_exec && m->exit.flags & MONITOR_EXIT_OOM)
		monitor_change_tell(m, "oom", NULL);
	snprintf(code, sizeof(code), "%d", m->exit.code);
	snprintf(seconds, sizeof(seconds), "%lld",
		 (long long)(monitor_loop_now_ms() - m->started_ms) / 1000);
	if (m->is_exec)
		monitor_change_tell(m, "exec_die", "execID", m->exec_id, "exitCode", code, NULL);
	else
		monitor_change_tell(m, "die", "execDuration", seconds, "exitCode", code, NULL);
	if (m->is_exec)
		return;
	monitor_event_networks(m->run_dir, &m->config, "disconnect");
	monitor_event_volumes(m->run_dir, &m->config, "unmount");
}

static void process_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	(void)source;
	(void)events;
	collect(m);
	m->stopped |= m->checkpointer != NULL;
	monitor_check_end(m);
	monitor_output_drain(m);
	monitor_log_writer_flush(&m->log, moment_now_ns());
	monitor_output_close(m);
	monitor_input_close(m);
	monitor_guest_close(m);
	monitor_figures_close(m);
	monitor_calls_close(m);
	m->stop_at_ms = 0;
	m->timeout_at_ms = 0;
	m->paused = false;
	tell_end(m);
	if (!m->is_exec)
		monitor_hooks_stop(m, is_wanted_again(m));
	if (!plan_restart(m, monitor_loop_now_ms()))
		monitor_end(m, NULL);
}

void monitor_container_watch(struct monitor *m, struct runtime_process *process)
{
	int64_t now = monitor_loop_now_ms();

	if (process->terminal >= 0) {
		/* open on both sides, it does not hang up while the container still runs */
		m->terminal_peer =
			ioctl(process->terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
		monitor_output_open(m, 0, take_fd(&process->terminal));
	}
	if (m->program >= 0)
		close(m->program);
	m->program = take_fd(&process->program);
	m->process.ready = process_ready;
	monitor_source_open(m, &m->process, take_fd(&process->pidfd), EPOLLIN);
	m->phase = MONITOR_PHASE_RUNNING;
	m->stopped = false;
	m->restart_asked = false;
	m->started_ms = now;
	monitor_check_begin(m);
	monitor_threshold_begin(m);
	m->timeout_at_ms = m->config.timeout_s ? now + m->config.timeout_s * 1000 : 0;
}
