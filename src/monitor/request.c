/* request.c - what peers ask of a monitor. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/err.h"
#include "base/process.h"
#include "monitor/monitor.h"
#include "oci/runtime_spec.h"
#include "runtime/update.h"

enum { STOP_TIMEOUT_S = 10, SIGNAL_MAX = 64 };

static int not_running(struct err *e)
{
	return err_set(e, ERR_STATE, "the container is not running");
}

static int set_paused(struct monitor *m, bool pause, struct err *e)
{
	struct monitor_figures_lent lent;

	if (m->is_exec || m->phase != MONITOR_PHASE_RUNNING)
		return not_running(e);
	if (m->paused == pause)
		return err_set(e, ERR_STATE, "the container is %s paused",
			       pause ? "already" : "not");
	if (pause)
		monitor_check_pause(m);
	monitor_figures_lend(m, &lent);
	int r = runtime_cgroup_freeze(&m->state.container.cgroup, pause, e);
	monitor_figures_take_back(&lent);
	if (r < 0 || !pause)
		monitor_check_begin(m);
	if (r < 0)
		return r;
	m->paused = pause;
	m->holder = NULL;
	return monitor_container_store(m, pause ? MONITOR_STATE_PAUSED : MONITOR_STATE_RUNNING, e);
}

void monitor_request_tell_kill(struct monitor *m, int signal)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", signal);
	if (!m->is_exec)
		monitor_change_tell(m, "kill", "signal", number, NULL);
}

/* A frozen process does not die before it is thawed (cgroup v1). */
static void thaw(struct monitor *m)
{
	struct err e;

	if (m->paused)
		set_paused(m, false, &e);
}

static void kill_hard(struct monitor *m)
{
	struct err e;

	monitor_request_tell_kill(m, SIGKILL);
	process_signal(m->process.fd, SIGKILL);
	/* without a PID namespace of its own the others do not die with the first */
	if (!m->is_exec)
		runtime_kill_all(&m->state.container, &e);
	thaw(m);
}

void monitor_request_abandon(struct monitor *m)
{
	if (m->phase == MONITOR_PHASE_RUNNING)
		kill_hard(m);
}

/* 0: a guest's init is to be asked. */
static int own_stop_signal(const struct monitor *m)
{
	if (m->config.guest && !m->config.stop_signal)
		return 0;
	return m->config.stop_signal ? (int)m->config.stop_signal : SIGTERM;
}

static int64_t own_stop_timeout_s(const struct monitor *m)
{
	return m->config.stop_timeout_s ? *m->config.stop_timeout_s : STOP_TIMEOUT_S;
}

/* signal 0: as the init of a guest wants to be asked. One that cannot be asked yet, or any
 * more, has its time, too. */
static int send_wish(struct monitor *m, int signal, enum monitor_init_wish wish, struct err *e)
{
	if (!signal) {
		monitor_guest_ask(m, wish);
		return 0;
	}
	monitor_request_tell_kill(m, signal);
	int r = process_signal(m->process.fd, signal);
	return r < 0 && r != -ESRCH ? err_number(e, -r, "send signal %d", signal) : 0;
}

/* A signal, some time, then SIGKILL. */
static int ask_to_end(struct monitor *m, int signal, enum monitor_init_wish wish, int64_t timeout_s,
		      struct err *e)
{
	if (timeout_s == 0) {
		kill_hard(m);
		return 0;
	}
	int r = send_wish(m, signal, wish, e);
	if (r < 0)
		return r;
	thaw(m);
	int64_t at_ms = timeout_s < 0 ? 0 : monitor_loop_now_ms() + timeout_s * 1000;
	/* a second stop may shorten the time, not lengthen it */
	if (at_ms && (!m->stop_at_ms || at_ms < m->stop_at_ms))
		m->stop_at_ms = at_ms;
	return 0;
}

int monitor_request_stop(struct monitor *m, const struct monitor_stop *stop, struct err *e)
{
	int signal = stop->signal ? stop->signal : own_stop_signal(m);
	int64_t timeout_s = stop->timeout_s;

	if (m->phase != MONITOR_PHASE_RUNNING && m->phase != MONITOR_PHASE_RESTARTING)
		return not_running(e);
	m->stopped = true;
	if (m->phase == MONITOR_PHASE_RESTARTING)
		return 0; /* the loop ends it, after this has been answered */
	if (timeout_s == MONITOR_STOP_OWN)
		timeout_s = own_stop_timeout_s(m);
	return ask_to_end(m, signal, MONITOR_INIT_POWER_OFF, timeout_s, e);
}

int monitor_request_reboot(struct monitor *m, int timeout_s, struct err *e)
{
	if (!m->config.guest)
		return err_set(e, ERR_UNSUPPORTED, "it is no system that could reboot");
	if (m->phase != MONITOR_PHASE_RUNNING || m->stopped)
		return not_running(e);
	m->restart_asked = true;
	return ask_to_end(m, 0, MONITOR_INIT_REBOOT,
			  timeout_s == MONITOR_STOP_OWN ? own_stop_timeout_s(m) : timeout_s, e);
}

static int await_ready(struct monitor *m, struct monitor_peer *peer, struct err *e)
{
	if (!m->config.guest)
		return err_set(e, ERR_UNSUPPORTED, "it is no system that tells when it is ready");
	if (m->phase == MONITOR_PHASE_ENDED)
		return not_running(e);
	peer->waits = true;
	peer->awaits = !m->guest.is_ready;
	return 0;
}

void monitor_request_shutdown(struct monitor *m)
{
	struct monitor_stop own = { .timeout_s = MONITOR_STOP_OWN };
	struct err ignored;

	m->shutdown |= !m->stopped;
	monitor_request_stop(m, &own, &ignored);
}

void monitor_request_end_unhealthy(struct monitor *m, enum monitor_unhealthy action)
{
	struct monitor_stop own = { .timeout_s = MONITOR_STOP_OWN };
	struct err ignored;

	if (m->phase != MONITOR_PHASE_RUNNING || m->stopped)
		return;
	switch (action) {
	case MONITOR_UNHEALTHY_KILL:
		kill_hard(m);
		return;
	case MONITOR_UNHEALTHY_STOP:
		monitor_request_stop(m, &own, &ignored);
		return;
	case MONITOR_UNHEALTHY_RESTART:
		m->restart_asked = true;
		ask_to_end(m, own_stop_signal(m), MONITOR_INIT_REBOOT, own_stop_timeout_s(m),
			   &ignored);
		return;
	}
}

void monitor_request_kill_late(struct monitor *m, int64_t now_ms)
{
	bool stop = m->stop_at_ms && now_ms >= m->stop_at_ms;
	bool timeout = m->timeout_at_ms && now_ms >= m->timeout_at_ms;

	if (!stop && !timeout)
		return;
	m->stop_at_ms = 0;
	m->timeout_at_ms = 0;
	if (m->phase != MONITOR_PHASE_RUNNING)
		return;
	m->stopped |= timeout;
	kill_hard(m);
}

static int kill_with(struct monitor *m, uint32_t signal, struct err *e)
{
	if (signal < 1 || signal > SIGNAL_MAX)
		return err_set(e, ERR_INVALID, "%u is no signal", signal);
	bool ends = signal == SIGKILL || (int)signal == own_stop_signal(m);
	if (m->phase == MONITOR_PHASE_RESTARTING && ends) {
		m->stopped = true;
		return 0;
	}
	if (m->phase != MONITOR_PHASE_RUNNING)
		return not_running(e);
	/* Docker: after a kill no policy starts the container again */
	m->stopped |= ends;
	if (signal == SIGKILL) {
		kill_hard(m);
		return 0;
	}
	int r = process_signal(m->process.fd, (int)signal);
	if (r == -ESRCH)
		return not_running(e);
	if (r < 0)
		return err_number(e, -r, "send signal %u", signal);
	monitor_request_tell_kill(m, (int)signal);
	return 0;
}

static int change_paused(struct monitor *m, bool pause, struct err *e)
{
	/* a failed one lets it go on */
	if (pause && m->checkpointer)
		return err_set(e, ERR_STATE, "the container is being stored");
	int r = set_paused(m, pause, e);

	if (r == 0)
		monitor_change_tell(m, pause ? "pause" : "unpause", NULL);
	return r;
}

static int hold(struct monitor *m, struct monitor_peer *peer, struct err *e)
{
	int r = change_paused(m, true, e);

	if (r == 0)
		m->holder = peer;
	return r;
}

void monitor_request_release(struct monitor *m, const struct monitor_peer *peer)
{
	struct err ignored;

	if (m->checkpointer == peer) {
		m->checkpointer = NULL;
		if (m->phase == MONITOR_PHASE_RUNNING && !m->paused)
			monitor_check_begin(m);
	}
	if (m->holder != peer)
		return;
	m->holder = NULL;
	change_paused(m, false, &ignored); /* it may have ended */
}

static int checkpoint(struct monitor *m, struct monitor_peer *peer, struct err *e)
{
	if (m->is_exec || m->phase != MONITOR_PHASE_RUNNING)
		return not_running(e);
	if (m->paused)
		return err_set(e, ERR_STATE, "the container is paused");
	if (m->checkpointer)
		return err_set(e, ERR_STATE, "somebody else stores the container just now");
	if (m->kept.count)
		return err_set(e, ERR_UNSUPPORTED,
			       "it has descriptors of whoever started it (--preserve-fds, "
			       "LISTEN_FDS), which nobody can make again");
	monitor_check_pause(m);
	m->checkpointer = peer;
	peer->waits = true;
	return 0;
}

/* A hierarchy of cgroups may have been joined for that, on failure, too: whoever clears up behind
 * this process must know. */
static int update(struct monitor *m, const struct monitor_frame *frame, struct err *e)
{
	struct oci_resources resources = { 0 };
	struct err unwritten;

	if (m->is_exec || m->phase != MONITOR_PHASE_RUNNING)
		return not_running(e);
	int r = shape_read_text(&oci_resources_shape, (const char *)frame->payload, frame->length,
				&resources, e);
	if (r < 0)
		return r;
	r = runtime_update(&m->state.container, &resources, e);
	monitor_change_read(m);
	monitor_threshold_change(m);
	shape_clear(&oci_resources_shape, &resources);
	int written = monitor_state_write_container_at(m->run_dir, &m->state.container,
						       r < 0 ? &unwritten : e);
	return r < 0 ? r : written;
}

static int reboot(struct monitor *m, const struct monitor_frame *frame, struct err *e)
{
	int timeout_s = (int)monitor_get_u32(frame->payload);

	if (timeout_s < MONITOR_STOP_OWN)
		return err_set(e, ERR_INVALID, "no such timeout");
	return monitor_request_reboot(m, timeout_s, e);
}

static int answered(struct monitor *m, struct monitor_peer *peer, const struct monitor_frame *frame,
		    struct err *e)
{
	struct monitor_stop stop;

	switch (frame->type) {
	case MONITOR_KILL:
		return kill_with(m, monitor_get_u32(frame->payload), e);
	case MONITOR_PAUSE:
		return change_paused(m, true, e);
	case MONITOR_UNPAUSE:
		return change_paused(m, false, e);
	case MONITOR_HOLD:
		return hold(m, peer, e);
	case MONITOR_RELEASE:
		monitor_request_release(m, peer);
		return 0;
	case MONITOR_STOP:
		stop.signal = (int)monitor_get_u32(frame->payload);
		stop.timeout_s = (int)monitor_get_u32(frame->payload + 4);
		if (stop.signal < 0 || stop.signal > SIGNAL_MAX ||
		    stop.timeout_s < MONITOR_STOP_OWN)
			return err_set(e, ERR_INVALID, "no such signal or timeout");
		return monitor_request_stop(m, &stop, e);
	case MONITOR_CHECK:
		return monitor_check_ask(m, peer, e);
	case MONITOR_UPDATE:
		return update(m, frame, e);
	case MONITOR_AWAIT:
		return await_ready(m, peer, e);
	case MONITOR_REBOOT:
		return reboot(m, frame, e);
	case MONITOR_CHECKPOINT:
		return checkpoint(m, peer, e);
	default: /* MONITOR_WAIT */
		peer->waits = true;
		return m->phase == MONITOR_PHASE_ENDED ? not_running(e) : 0;
	}
}

/* The length that a request must have; its bound has been checked by the protocol. */
static bool has_length(const struct monitor_frame *frame)
{
	switch (frame->type) {
	case MONITOR_ATTACH:
		return frame->length == 1;
	case MONITOR_RESIZE:
		return frame->length == MONITOR_RESIZE_SIZE;
	case MONITOR_KILL:
	case MONITOR_REBOOT:
		return frame->length == 4;
	case MONITOR_STOP:
		return frame->length == MONITOR_STOP_SIZE;
	default:
		return true;
	}
}

static void resize(struct monitor *m, uint16_t rows, uint16_t columns)
{
	char height[8], width[8];

	monitor_input_resize(m, rows, columns);
	if (!m->tty || m->is_exec)
		return;
	snprintf(height, sizeof(height), "%u", rows);
	snprintf(width, sizeof(width), "%u", columns);
	monitor_change_tell(m, "resize", "height", height, "width", width, NULL);
}

int monitor_request(struct monitor *m, struct monitor_peer *peer, const struct monitor_frame *frame)
{
	const unsigned char *at = frame->payload;
	struct err e;

	if (!has_length(frame))
		return -EPROTO;
	switch (frame->type) {
	case MONITOR_ATTACH:
		peer->attach = at[0];
		if (peer->attach & MONITOR_ATTACH_SCROLLBACK)
			monitor_guest_scroll_back(m, peer);
		monitor_change_tell(m, "attach", NULL);
		return 0;
	case MONITOR_STDIN:
		if (peer->attach & MONITOR_ATTACH_STDIN)
			monitor_input_add(m, peer, at, frame->length);
		return 0;
	case MONITOR_STDIN_EOF:
		if (peer->attach & MONITOR_ATTACH_STDIN)
			monitor_input_end(m);
		return 0;
	case MONITOR_RESIZE:
		resize(m, (uint16_t)(at[0] | at[1] << 8), (uint16_t)(at[2] | at[3] << 8));
		return 0;
	case MONITOR_KILL:
	case MONITOR_PAUSE:
	case MONITOR_UNPAUSE:
	case MONITOR_HOLD:
	case MONITOR_RELEASE:
	case MONITOR_STOP:
	case MONITOR_UPDATE:
	case MONITOR_WAIT:
	case MONITOR_CHECK:
	case MONITOR_AWAIT:
	case MONITOR_REBOOT:
	case MONITOR_CHECKPOINT:
		if (answered(m, peer, frame, &e) < 0)
			monitor_peer_send_err(m, peer, &e);
		else
			monitor_peer_send(m, peer, MONITOR_OK, NULL, 0);
		if (frame->type == MONITOR_AWAIT && m->guest.is_ready)
			monitor_peer_send(m, peer, MONITOR_READY, NULL, 0);
		return 0;
	default:
		return -EPROTO;
	}
}
