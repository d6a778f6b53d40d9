/* guest.c - a container that boots a whole system: the folder that its init finds at /run/host
 * (CONTAINER_INTERFACE.md of systemd), how it says that it is ready, and what it wrote to its
 * console before somebody came to look. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/socket.h"
#include "base/str.h"
#include "monitor/monitor.h"

enum {
	MESSAGE_BYTES_MAX = 4096, /* as systemd's own NOTIFY_BUFFER_MAX */
	ASK_AGAIN_MS = 50,
	UNSEEN_MS = 1000,
	QUIET_MS = 1500, /* an init that neither tells nor asks to log in is done then */
};

/* ---- /run/host ---- */

static void format_uuid(char to[40])
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		memset(b, 0, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40; /* RFC 9562: version 4, variant 1 */
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(to, 40, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x\n",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}

static void notify_ready(struct monitor *m, struct monitor_source *source, uint32_t events);

static int open_notify(struct monitor *m, int host, struct err *e)
{
	unlinkat(host, MONITOR_GUEST_NOTIFY, 0);
	own_fd int fd = socket_bind_at(SOCK_DGRAM | SOCK_NONBLOCK, host, MONITOR_GUEST_NOTIFY, e);
	if (fd < 0)
		return fd;
	/* root of a user namespace is no root here; nobody else gets into the run folder */
	if (fchmodat(host, MONITOR_GUEST_NOTIFY, 0666, 0) < 0)
		return err_sys(e, "open the socket for readiness");
	m->guest.notify.ready = notify_ready;
	monitor_source_open(m, &m->guest.notify, take_fd(&fd), EPOLLIN);
	return 0;
}

/* Two systems in one folder would ruin it. */
static int lock_folder(struct monitor *m, struct err *e)
{
	const char *path = m->config.guest_folder;

	if (!path || m->guest.folder)
		return 0;
	own_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		err_set(e, ERR_STATE, "%s is booted already, by another container", path);
		return err_hint(e, "--ephemeral boots a copy of it that goes when it ends");
	}
	m->guest.folder = take_fd(&fd);
	return 0;
}

/* A boot is one of the container's own: the id of the host's is the same for all of them, and
 * journals count by it. */
int monitor_guest_prepare(struct monitor *m, struct err *e)
{
	char boot_id[40];

	if (!m->config.guest)
		return 0;
	monitor_guest_close(m);
	int r = lock_folder(m, e);
	if (r < 0)
		return r;
	own_fd int host = openat(m->run_dir, MONITOR_GUEST_FOLDER,
				 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (host < 0)
		return err_sys(e, "open " MONITOR_GUEST_FOLDER " of the run folder");
	format_uuid(boot_id);
	r = fd_write_file_at(m->run_dir, MONITOR_GUEST_BOOT_ID, boot_id, strlen(boot_id), 0444, e);
	if (r == 0)
		r = open_notify(m, host, e);
	memset(m->guest.last, 0, sizeof(m->guest.last));
	m->guest.quiet_at_ms = monitor_loop_now_ms() + QUIET_MS;
	return r;
}

void monitor_guest_close(struct monitor *m)
{
	monitor_source_close(m, &m->guest.notify);
	m->guest.is_ready = false;
	m->guest.quiet_at_ms = 0;
	m->guest.ask_at_ms = 0;
}

/* ---- readiness ---- */

static void become_ready(struct monitor *m)
{
	if (m->guest.is_ready)
		return;
	m->guest.is_ready = true;
	m->guest.quiet_at_ms = 0;
	for (struct monitor_peer *peer = m->peers; peer; peer = peer->next) {
		if (!peer->awaits)
			continue;
		peer->awaits = false;
		monitor_peer_send(m, peer, MONITOR_READY, NULL, 0);
	}
	monitor_change_tell(m, "ready", NULL);
}

/* sd_notify(3): lines. The pid that the sender claims is of no interest. */
static void hear(struct monitor *m, char *message)
{
	char *rest;

	for (char *line = strtok_r(message, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strcmp(line, "READY=1") == 0)
			become_ready(m);
		/* whoever speaks here tells when it is ready, too */
		m->guest.quiet_at_ms = 0;
	}
}

static void notify_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	char message[MESSAGE_BYTES_MAX + 1];

	(void)events;
	ssize_t n = recv(source->fd, message, MESSAGE_BYTES_MAX, MSG_DONTWAIT);
	if (n < 0)
		return;
	message[n] = '\0';
	hear(m, message);
}

/* Of an init that does not tell: a getty that asks who is there, or busybox for a key. */
static void look_for_login(struct monitor *m, const char *bytes, size_t length)
{
	static const char *const prompts[] = { "login: ", "Please press Enter" };
	struct monitor_guest *g = &m->guest;

	if (monitor_init_notifies((pid_t)m->state.container.pid))
		return;
	for (size_t i = 0; i < length && !g->is_ready; i++) {
		memmove(g->last, g->last + 1, sizeof(g->last) - 1);
		g->last[sizeof(g->last) - 1] = bytes[i];
		for (size_t k = 0; k < COUNT_OF(prompts); k++) {
			size_t n = strlen(prompts[k]);
			if (memcmp(g->last + sizeof(g->last) - n, prompts[k], n) == 0)
				become_ready(m);
		}
	}
}

void monitor_guest_turn(struct monitor *m, int64_t now_ms)
{
	if (m->guest.quiet_at_ms && now_ms >= m->guest.quiet_at_ms) {
		m->guest.quiet_at_ms = 0;
		if (m->phase == MONITOR_PHASE_RUNNING &&
		    !monitor_init_notifies((pid_t)m->state.container.pid))
			become_ready(m);
	}
	if (m->guest.ask_at_ms && now_ms >= m->guest.ask_at_ms)
		monitor_guest_ask(m, m->guest.wish);
}

/* ---- going down ---- */

void monitor_guest_ask(struct monitor *m, enum monitor_init_wish wish)
{
	struct err unheard;
	int signal;

	m->guest.ask_at_ms = 0;
	if (m->phase != MONITOR_PHASE_RUNNING)
		return;
	int r = monitor_init_ask((pid_t)m->state.container.pid, m->process.fd, wish, &signal,
				 &unheard);
	if (r < 0)
		log_debug("%s", unheard.text);
	else
		monitor_request_tell_kill(m, signal);
	m->guest.wish = wish;
	if (r != 0)
		m->guest.ask_at_ms = monitor_loop_now_ms() + (r < 0 ? ASK_AGAIN_MS : UNSEEN_MS);
}

/* ---- the console ---- */

void monitor_guest_output(struct monitor *m, const char *bytes, size_t length)
{
	struct str *tail = &m->guest.console;

	if (!m->config.guest || m->is_exec)
		return;
	if (!m->guest.is_ready)
		look_for_login(m, bytes, length);
	if (m->guest.quiet_at_ms)
		m->guest.quiet_at_ms = monitor_loop_now_ms() + QUIET_MS;
	if (length > MONITOR_GUEST_CONSOLE_MAX) {
		bytes += length - MONITOR_GUEST_CONSOLE_MAX;
		length = MONITOR_GUEST_CONSOLE_MAX;
	}
	if (tail->length + length > 2 * MONITOR_GUEST_CONSOLE_MAX) {
		size_t keep = MONITOR_GUEST_CONSOLE_MAX - length;
		memmove(tail->text, tail->text + tail->length - keep, keep);
		tail->length = keep;
	}
	str_add_n(tail, bytes, length);
}

void monitor_guest_scroll_back(struct monitor *m, struct monitor_peer *peer)
{
	const struct str *tail = &m->guest.console;
	size_t from = tail->length > MONITOR_GUEST_CONSOLE_MAX
			      ? tail->length - MONITOR_GUEST_CONSOLE_MAX
			      : 0;

	if (tail->length > from)
		monitor_peer_send(m, peer, MONITOR_STDOUT, tail->text + from, tail->length - from);
}
