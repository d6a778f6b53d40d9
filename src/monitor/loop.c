/* loop.c - the epoll loop. Sources are never freed while a round of events is worked through:
 * peers only get marked, and monitor_peer_sweep() frees them between two rounds. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/moment.h"
#include "base/own.h"
#include "monitor/monitor.h"

enum { EVENTS_MAX = 16 };

int64_t monitor_loop_now_ms(void)
{
	return moment_monotonic_ns() / 1000000;
}

/* SIGTERM asks for a clean stop: the host shuts down. */
static void signals_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	struct signalfd_siginfo signal;

	(void)events;
	if (read(source->fd, &signal, sizeof(signal)) == sizeof(signal) &&
	    signal.ssi_signo == SIGTERM)
		monitor_request_shutdown(m);
}

int monitor_loop_open(struct monitor *m, struct err *e)
{
	static const int blocked[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE,
				       SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2 };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++)
		sigaddset(&set, blocked[i]);
	sigprocmask(SIG_SETMASK, &set, NULL);
	/* SIGPIPE stays blocked and unread: writes then fail with EPIPE */
	sigdelset(&set, SIGPIPE);
	own_fd int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return err_sys(e, "make a signalfd");
	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (m->epoll < 0)
		return err_sys(e, "make an epoll");
	m->signals.ready = signals_ready;
	monitor_source_open(m, &m->signals, take_fd(&signals), EPOLLIN);
	return 0;
}

static void sooner(int64_t *earliest, int64_t at)
{
	if (at && (!*earliest || at < *earliest))
		*earliest = at;
}

static int wait_ms(const struct monitor *m)
{
	int64_t earliest = 0;

	sooner(&earliest, m->stop_at_ms);
	sooner(&earliest, m->timeout_at_ms);
	sooner(&earliest, monitor_check_next_ms(m));
	sooner(&earliest, monitor_dns_next_ms(m));
	sooner(&earliest, m->guest.quiet_at_ms);
	sooner(&earliest, m->guest.ask_at_ms);
	sooner(&earliest, m->figures.load_at_ms);
	sooner(&earliest, m->children.due_ms);
	sooner(&earliest, m->threshold.due_ms);
	if (m->phase == MONITOR_PHASE_RESTARTING)
		sooner(&earliest, m->restart_at_ms);
	if (!earliest)
		return -1;
	int64_t left = earliest - monitor_loop_now_ms();
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static void run_timers(struct monitor *m)
{
	int64_t now = monitor_loop_now_ms();
	struct err e;

	monitor_request_kill_late(m, now);
	monitor_check_turn(m, now);
	monitor_dns_turn(m, now);
	monitor_guest_turn(m, now);
	monitor_figures_turn(m, now);
	monitor_children_turn(m, now);
	monitor_threshold_turn(m, now);
	if (m->phase != MONITOR_PHASE_RESTARTING)
		return;
	if (m->stopped)
		monitor_end(m, NULL);
	else if (now >= m->restart_at_ms && monitor_container_start(m, &e) < 0)
		monitor_end(m, &e);
}

static bool is_done(const struct monitor *m)
{
	return m->phase == MONITOR_PHASE_ENDED && !monitor_peer_any_queued(m);
}

void monitor_loop_run(struct monitor *m)
{
	struct epoll_event events[EVENTS_MAX];

	while (!is_done(m)) {
		int count =
			monitor_memory_wait(&m->memory, m->epoll, events, EVENTS_MAX, wait_ms(m));
		if (count < 0 && count != -EINTR)
			abort();
		for (int i = 0; i < count; i++) {
			struct monitor_source *source = events[i].data.ptr;
			/* closed, or silenced, by what came before it in this round */
			if (source->fd >= 0 && source->events)
				source->ready(m, source, events[i].events);
		}
		run_timers(m);
		monitor_peer_sweep(m);
	}
}
