/* peer.c - connections to the monitor and what waits to be sent to them.
 *
 * A slow reader costs memory or lost output, never the container's life: output beyond
 * QUEUE_MAX bytes is left out and its length told later (DROPPED), unless the peer attached with
 * MONITOR_ATTACH_LOSSLESS; then monitor_output_update() stops reading from the container until
 * its queue is below QUEUE_LOW. Answers and EXIT are never left out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "monitor/monitor.h"

enum {
	QUEUE_MAX = 256 << 10,
	QUEUE_LOW = 64 << 10,
	PEERS_MAX = 256,
	BACKLOG = 64,
};

static size_t queued(const struct monitor_peer *peer)
{
	return peer->queue.length - peer->queue_sent;
}

bool monitor_peer_any_queued(const struct monitor *m)
{
	for (const struct monitor_peer *peer = m->peers; peer; peer = peer->next)
		if (!peer->ended && queued(peer))
			return true;
	return false;
}

/* ---- sending ---- */

static void queue_frame(struct monitor_peer *peer, enum monitor_frame_type type,
			const void *payload, size_t length, size_t skip)
{
	unsigned char header[MONITOR_HEADER_SIZE];

	if (peer->queue_sent > QUEUE_LOW) {
		memmove(peer->queue.text, peer->queue.text + peer->queue_sent, queued(peer));
		peer->queue.length -= peer->queue_sent;
		peer->queue_sent = 0;
	}
	monitor_put_header(header, type, length);
	if (skip < sizeof(header)) {
		str_add_n(&peer->queue, header + skip, sizeof(header) - skip);
		skip = sizeof(header);
	}
	skip -= sizeof(header);
	str_add_n(&peer->queue, (const char *)payload + skip, length - skip);
}

/* How much of the frame the socket took; -1: the peer is gone. */
static ssize_t send_now(struct monitor_peer *peer, enum monitor_frame_type type,
			const void *payload, size_t length)
{
	unsigned char header[MONITOR_HEADER_SIZE];
	struct iovec parts[] = { { header, sizeof(header) }, { (void *)payload, length } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = length ? 2 : 1 };

	monitor_put_header(header, type, length);
	ssize_t n = sendmsg(peer->source.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	return n;
}

void monitor_peer_send(struct monitor *m, struct monitor_peer *peer, enum monitor_frame_type type,
		       const void *payload, size_t length)
{
	size_t sent = 0;

	if (peer->ended)
		return;
	if (!queued(peer)) {
		ssize_t n = send_now(peer, type, payload, length);
		if (n < 0) {
			monitor_peer_close(m, peer);
			return;
		}
		sent = (size_t)n;
	}
	if (sent < MONITOR_HEADER_SIZE + length)
		queue_frame(peer, type, payload, length, sent);
	monitor_peer_update(m, peer);
}

void monitor_peer_send_err(struct monitor *m, struct monitor_peer *peer, const struct err *e)
{
	unsigned char payload[sizeof(struct err) + 16];

	monitor_peer_send(m, peer, MONITOR_ERROR, payload, monitor_put_err(payload, e));
}

static void tell_dropped(struct monitor *m, struct monitor_peer *peer)
{
	unsigned char payload[8];

	monitor_put_u64(payload, peer->dropped);
	peer->dropped = 0;
	monitor_peer_send(m, peer, MONITOR_DROPPED, payload, sizeof(payload));
}

static void send_queue(struct monitor *m, struct monitor_peer *peer)
{
	while (queued(peer)) {
		ssize_t n = send(peer->source.fd, peer->queue.text + peer->queue_sent, queued(peer),
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			monitor_peer_close(m, peer);
			return;
		}
		peer->queue_sent += (size_t)n;
	}
	str_clear(&peer->queue);
	peer->queue_sent = 0;
	if (peer->dropped)
		tell_dropped(m, peer);
}

void monitor_peer_broadcast(struct monitor *m, enum monitor_log_stream stream, const void *bytes,
			    size_t length)
{
	bool out = stream == MONITOR_LOG_STDOUT;

	for (struct monitor_peer *peer = m->peers; peer; peer = peer->next) {
		if (peer->ended ||
		    !(peer->attach & (out ? MONITOR_ATTACH_STDOUT : MONITOR_ATTACH_STDERR)))
			continue;
		bool full = peer->dropped || queued(peer) + length > QUEUE_MAX;
		if (full && !(peer->attach & MONITOR_ATTACH_LOSSLESS))
			peer->dropped += length;
		else
			monitor_peer_send(m, peer, out ? MONITOR_STDOUT : MONITOR_STDERR, bytes,
					  length);
	}
}

void monitor_peer_send_exit(struct monitor *m)
{
	unsigned char payload[MONITOR_EXIT_SIZE];

	monitor_put_exit(payload, &m->exit);
	for (struct monitor_peer *peer = m->peers; peer; peer = peer->next) {
		if (peer->ended || !(peer->attach || peer->waits || peer == m->owner))
			continue;
		if (peer->dropped)
			tell_dropped(m, peer);
		monitor_peer_send(m, peer, MONITOR_EXIT, payload, sizeof(payload));
	}
}

/* ---- receiving ---- */

static void fill(struct monitor *m, struct monitor_peer *peer)
{
	size_t room;
	void *to = monitor_frames_room(&peer->frames, &room);
	ssize_t n;

	do
		n = recv(peer->source.fd, to, room, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		monitor_peer_close(m, peer);
		return;
	}
	if (n == 0)
		peer->read_closed = true;
	monitor_frames_added(&peer->frames, (size_t)n);
}

/* Works through whole frames; false: one of them waits for the container to take input. */
static bool take_frames(struct monitor *m, struct monitor_peer *peer)
{
	struct monitor_frame frame;
	int r = 0;

	while (!peer->ended && !peer->input.length &&
	       (r = monitor_frames_next(&peer->frames, &frame)) > 0) {
		r = monitor_request(m, peer, &frame);
		if (r < 0)
			break;
	}
	if (r < 0)
		monitor_peer_close(m, peer);
	return !peer->input.length;
}

void monitor_peer_read(struct monitor *m, struct monitor_peer *peer)
{
	if (!peer->ended && take_frames(m, peer) && !peer->ended && !peer->read_closed) {
		fill(m, peer);
		take_frames(m, peer);
	}
	/* gone, and all that it sent has been worked through */
	if (peer->read_closed && !peer->input.length)
		monitor_peer_close(m, peer);
	else
		monitor_peer_update(m, peer);
}

static void peer_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	struct monitor_peer *peer = (struct monitor_peer *)source;

	if (events & EPOLLOUT)
		send_queue(m, peer);
	if (!peer->ended && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		monitor_peer_read(m, peer);
	else
		monitor_peer_update(m, peer);
}

/* ---- life ---- */

void monitor_peer_update(struct monitor *m, struct monitor_peer *peer)
{
	uint32_t events = 0;

	if (!peer->ended) {
		if (!peer->input.length && !peer->read_closed)
			events |= EPOLLIN;
		if (queued(peer))
			events |= EPOLLOUT;
		monitor_source_set(m, &peer->source, events);
	}
	monitor_output_update(m);
}

struct monitor_peer *monitor_peer_add(struct monitor *m, int fd)
{
	struct monitor_peer *peer = mem_new_struct(struct monitor_peer);

	peer->source.ready = peer_ready;
	peer->next = m->peers;
	m->peers = peer;
	monitor_source_open(m, &peer->source, fd, EPOLLIN);
	return peer;
}

void monitor_peer_close(struct monitor *m, struct monitor_peer *peer)
{
	bool had_input = peer->attach & MONITOR_ATTACH_STDIN;

	if (peer->ended)
		return;
	if (peer->attach && m->phase == MONITOR_PHASE_RUNNING && !m->is_exec)
		monitor_change_tell(m, "detach", NULL);
	if (peer->attach && m->phase == MONITOR_PHASE_RUNNING && m->is_exec)
		monitor_change_tell(m, "exec_detach", "execID", m->exec_id, NULL);
	peer->ended = true;
	monitor_source_close(m, &peer->source);
	monitor_frames_clear(&peer->frames);
	str_clear(&peer->queue);
	str_clear(&peer->input);
	peer->queue_sent = 0;
	if (peer == m->owner)
		m->owner = NULL;
	monitor_request_release(m, peer);
	if (peer->attach & MONITOR_ATTACH_BOUND)
		monitor_request_abandon(m);
	if (had_input)
		monitor_input_end(m);
	monitor_output_update(m);
}

void monitor_peer_sweep(struct monitor *m)
{
	struct monitor_peer **at = &m->peers;

	while (*at) {
		struct monitor_peer *peer = *at;
		if (peer->ended) {
			*at = peer->next;
			free(peer);
		} else {
			at = &peer->next;
		}
	}
}

bool monitor_peer_holds_output(const struct monitor *m)
{
	size_t bound = m->output_held ? QUEUE_LOW : QUEUE_MAX;

	for (const struct monitor_peer *peer = m->peers; peer; peer = peer->next)
		if (!peer->ended && peer->attach & MONITOR_ATTACH_LOSSLESS && queued(peer) >= bound)
			return true;
	return false;
}

/* ---- the socket ---- */

/* The folder is 0700 as well: this holds even if someone opens it up. */
static bool is_allowed(int fd)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
		return false;
	return credentials.uid == 0 || credentials.uid == geteuid();
}

static int count_peers(const struct monitor *m)
{
	int count = 0;

	for (const struct monitor_peer *peer = m->peers; peer; peer = peer->next)
		count++;
	return count;
}

static void listener_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	int fd;

	(void)events;
	while ((fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (is_allowed(fd) && count_peers(m) < PEERS_MAX)
			monitor_peer_add(m, fd);
		else
			close(fd);
	}
}

int monitor_peer_listen(struct monitor *m, struct err *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	own_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "make the monitor's socket");
	/* what a killed monitor left */
	if (unlinkat(m->run_dir, "socket", 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove the old socket");
	/* the address holds 107 bytes, a run folder may have a longer name */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/socket", m->run_dir);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(e, "make the socket in %s", m->run_path);
	m->listener.ready = listener_ready;
	monitor_source_open(m, &m->listener, take_fd(&fd), EPOLLIN);
	return 0;
}
