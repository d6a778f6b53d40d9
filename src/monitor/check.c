/* check.c - when the container's health is checked, and what follows from it. The checks are made
 * by a process each (probe.h), one at a time: the next is due an interval after the end of the
 * last, as in Docker. While the container is paused there is none, and one that runs is taken
 * back. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "monitor/health.h"
#include "monitor/monitor.h"
#include "monitor/probe.h"

/* A probe that hangs in the kernel is killed so much later than it should have ended by itself. */
enum { LATE_MS = 5000, CANCEL_MS = 1000, RESULT_BYTES_MAX = 1 << 16 };

static bool is_on(const struct monitor *m)
{
	return !m->is_exec && (m->config.health.command.count > 0 || m->config.health.connect);
}

static void plan_next(struct monitor *m)
{
	int64_t now = monitor_loop_now_ms();

	m->check.due_ms = now + monitor_health_delay_ms(&m->check.tally, &m->config.health,
							now - m->started_ms);
}

void monitor_check_reset(struct monitor *m)
{
	if (!is_on(m))
		return;
	m->check.tally = (struct monitor_health_tally){ .status = MONITOR_HEALTH_STARTING };
	mem_replace(&m->state.health, monitor_health_name(MONITOR_HEALTH_STARTING));
}

/* ---- who asked for one ---- */

static void tell_result(struct monitor *m, int64_t exit_code)
{
	unsigned char payload[4];

	monitor_put_u32(payload, (uint32_t)exit_code);
	for (struct monitor_peer *peer = m->peers; peer; peer = peer->next)
		if (peer->checks && !peer->ended) {
			peer->checks = false;
			monitor_peer_send(m, peer, MONITOR_CHECKED, payload, sizeof(payload));
		}
}

static void tell_none(struct monitor *m, const char *why)
{
	struct err e;

	err_set(&e, ERR_STATE, "%s", why);
	for (struct monitor_peer *peer = m->peers; peer; peer = peer->next)
		if (peer->checks && !peer->ended) {
			peer->checks = false;
			monitor_peer_send_err(m, peer, &e);
		}
}

/* ---- the end of one ---- */

static void act_on_failure(struct monitor *m)
{
	const char *action = m->config.health.on_failure;

	if (str_equal(action, "kill"))
		monitor_request_end_unhealthy(m, MONITOR_UNHEALTHY_KILL);
	else if (str_equal(action, "stop"))
		monitor_request_end_unhealthy(m, MONITOR_UNHEALTHY_STOP);
	else if (str_equal(action, "restart"))
		monitor_request_end_unhealthy(m, MONITOR_UNHEALTHY_RESTART);
}

static void take_result(struct monitor *m, struct monitor_health_result *result)
{
	int64_t code = result->exit_code;
	struct err ignored; /* a full tmpfs: the next one may find room */
	char action[32];

	bool changed = monitor_health_count(&m->check.tally, &m->config.health, code,
					    m->check.began_ms - m->started_ms);
	monitor_health_add_at(m->run_dir, result, m->check.tally.failing_streak, &ignored);
	if (changed) {
		mem_replace(&m->state.health, monitor_health_name(m->check.tally.status));
		monitor_container_store(m, MONITOR_STATE_RUNNING, &ignored);
		snprintf(action, sizeof(action), "health_status: %s", m->state.health);
		monitor_change_tell(m, action, NULL);
	}
	plan_next(m);
	tell_result(m, code);
	if (changed && m->check.tally.status == MONITOR_HEALTH_UNHEALTHY)
		act_on_failure(m);
}

/* It was killed, or could not be started. */
static void take_failure(struct monitor *m, const char *why)
{
	struct monitor_health_result result = { .exit_code = MONITOR_HEALTH_NO_EXIT,
						.output = mem_text(why) };
	char at[MOMENT_TEXT_SIZE];

	moment_format(at, moment_now_ns());
	result.start = mem_text(at);
	result.end = mem_text(at);
	take_result(m, &result);
	shape_clear(&monitor_health_result_shape, &result);
}

/* Forgets the probe, whose result nobody wants or has been read. */
static void close_probe(struct monitor *m)
{
	siginfo_t info;

	/* one that does not even die is the init's once this monitor ends */
	waitid(P_PIDFD, (id_t)m->check.probe.fd, &info, WEXITED | WNOHANG);
	monitor_source_close(m, &m->check.probe);
	if (m->check.result >= 0)
		close(take_fd(&m->check.result));
	m->check.late_ms = 0;
}

static void probe_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	struct monitor_health_result result = { 0 };
	own_clear(str_clear) struct str text = { 0 };
	struct err unread;
	ssize_t n;

	(void)source;
	(void)events;
	/* all of it is there, for the process has ended */
	fcntl(m->check.result, F_SETFL, O_NONBLOCK);
	while (text.length < RESULT_BYTES_MAX &&
	       (n = read(m->check.result, str_room(&text, 4096), 4096)) > 0)
		text.length += (size_t)n;
	close_probe(m);
	if (!text.length || shape_read_text(&monitor_health_result_shape, text.text, text.length,
					    &result, &unread) < 0) {
		take_failure(m, "the process of the health check was killed");
		return;
	}
	take_result(m, &result);
	shape_clear(&monitor_health_result_shape, &result);
}

/* ---- the loop's ---- */

static void begin(struct monitor *m, int64_t now_ms)
{
	struct err e;

	m->check.began_ms = now_ms;
	int pidfd = monitor_probe_start(&m->check.result, m, &e);
	if (pidfd < 0) {
		take_failure(m, e.text);
		return;
	}
	m->check.due_ms = 0;
	m->check.late_ms = now_ms + monitor_health_timeout_ms(&m->config.health) + LATE_MS;
	m->check.probe.ready = probe_ready;
	monitor_source_open(m, &m->check.probe, pidfd, EPOLLIN);
}

void monitor_check_begin(struct monitor *m)
{
	if (is_on(m))
		plan_next(m);
}

int64_t monitor_check_next_ms(const struct monitor *m)
{
	return m->check.due_ms ? m->check.due_ms : m->check.late_ms;
}

void monitor_check_turn(struct monitor *m, int64_t now_ms)
{
	if (m->check.late_ms && now_ms >= m->check.late_ms) {
		m->check.late_ms = 0;
		process_signal(m->check.probe.fd, SIGKILL);
	}
	if (m->check.due_ms && now_ms >= m->check.due_ms)
		begin(m, now_ms);
}

static void cancel(struct monitor *m, const char *why)
{
	struct pollfd ended = { .fd = m->check.probe.fd, .events = POLLIN };

	m->check.due_ms = 0;
	tell_none(m, why);
	if (m->check.probe.fd < 0)
		return;
	close(take_fd(&m->check.result));
	if (poll(&ended, 1, CANCEL_MS) == 0) {
		process_signal(m->check.probe.fd, SIGKILL);
		poll(&ended, 1, CANCEL_MS);
	}
	close_probe(m);
}

void monitor_check_pause(struct monitor *m)
{
	if (is_on(m))
		cancel(m, "the container is paused");
}

/* Its processes go with the container's. */
void monitor_check_end(struct monitor *m)
{
	if (m->check.probe.fd >= 0)
		process_signal(m->check.probe.fd, SIGKILL);
	cancel(m, "the container has ended");
}

int monitor_check_ask(struct monitor *m, struct monitor_peer *peer, struct err *e)
{
	if (!is_on(m)) {
		err_set(e, ERR_UNSUPPORTED, "the container has no health check");
		return err_hint(e, "one is given by --health-cmd, or by the image");
	}
	if (m->paused)
		return err_set(e, ERR_STATE, "the container is paused");
	if (m->phase != MONITOR_PHASE_RUNNING)
		return err_set(e, ERR_STATE, "the container is not running");
	if (m->checkpointer)
		return err_set(e, ERR_STATE, "the container is being stored");
	peer->checks = true;
	if (m->check.probe.fd < 0)
		m->check.due_ms = monitor_loop_now_ms();
	return 0;
}
