/* dns.c - the container's name server: this process keeps the sockets that it listens on, and
 * starts holm-dns when something has come in there. So a container that never asks has none; one
 * that was killed, or has ended because nobody asked for a minute or what it works by has changed,
 * is there again with the next question, which has waited in the socket meanwhile. */
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "monitor/monitor.h"

/* One that fails at once would fail again. */
enum { EARLY_MS = 1000, PAUSE_MS = 1000 };

/* Where holm-dns wants them. */
enum { UDP_FD = 3, TCP_FD };

static void listen_again(struct monitor *m)
{
	m->dns.again_at_ms = 0;
	monitor_source_set(m, &m->dns.udp, EPOLLIN);
	monitor_source_set(m, &m->dns.tcp, EPOLLIN);
}

static void pause_listening(struct monitor *m)
{
	monitor_source_set(m, &m->dns.udp, 0);
	monitor_source_set(m, &m->dns.tcp, 0);
}

static pid_t spawn(const struct monitor *m)
{
	const char *folder = secure_getenv("HOLM_LIBEXEC");
	own_free char *path = mem_format("%s/holm-dns", str_empty(folder) ? HOLM_LIBEXEC : folder);
	const char *const argv[] = { "holm-dns", m->run_path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid;

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, m->dns.udp.fd, UDP_FD);
	posix_spawn_file_actions_adddup2(&actions, m->dns.tcp.fd, TCP_FD);
	int r = posix_spawn(&pid, path, &actions, &attr, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (r)
		log_warning("start %s: %s", path, strerrordesc_np(r));
	return r ? -r : pid;
}

static void process_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	int64_t now_ms = monitor_loop_now_ms();
	siginfo_t info = { 0 };

	(void)events;
	waitid(P_PIDFD, (id_t)source->fd, &info, WEXITED);
	monitor_source_close(m, source);
	bool failed = info.si_code != CLD_EXITED || info.si_status != 0;
	if (failed && now_ms < m->dns.started_ms + EARLY_MS)
		m->dns.again_at_ms = now_ms + PAUSE_MS;
	else
		listen_again(m);
}

static void socket_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	(void)source;
	(void)events;
	pause_listening(m);
	m->dns.started_ms = monitor_loop_now_ms();
	pid_t pid = spawn(m);
	int pidfd = pid < 0 ? -1 : pidfd_open(pid, 0);
	if (pid >= 0 && pidfd < 0) {
		kill(pid, SIGKILL); /* our child, which nobody else reaps */
		process_wait(pid);
	}
	if (pidfd < 0)
		m->dns.again_at_ms = m->dns.started_ms + PAUSE_MS;
	else
		monitor_source_open(m, &m->dns.process, pidfd, EPOLLIN);
}

void monitor_dns_open(struct monitor *m, int udp, int tcp)
{
	m->dns.udp.ready = m->dns.tcp.ready = socket_ready;
	m->dns.process.ready = process_ready;
	monitor_source_open(m, &m->dns.udp, udp, EPOLLIN);
	monitor_source_open(m, &m->dns.tcp, tcp, EPOLLIN);
}

int64_t monitor_dns_next_ms(const struct monitor *m)
{
	return m->dns.again_at_ms;
}

void monitor_dns_turn(struct monitor *m, int64_t now_ms)
{
	if (m->dns.again_at_ms && now_ms >= m->dns.again_at_ms)
		listen_again(m);
}

void monitor_dns_close(struct monitor *m)
{
	m->dns.again_at_ms = 0;
	if (m->dns.process.fd >= 0) {
		process_signal(m->dns.process.fd, SIGKILL);
		waitid(P_PIDFD, (id_t)m->dns.process.fd, NULL, WEXITED);
	}
	monitor_source_close(m, &m->dns.process);
	monitor_source_close(m, &m->dns.udp);
	monitor_source_close(m, &m->dns.tcp);
}
