#include "dns/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IDLE_MS = 10000, LENGTH_BYTES = 2 };

void dns_stream_open(struct dns_streams *streams)
{
	*streams = (struct dns_streams){ 0 };
	for (size_t i = 0; i < DNS_STREAMS_MAX; i++)
		streams->items[i].fd = -1;
}

static void end(struct dns_streams *streams, struct dns_stream *s)
{
	close(s->fd);
	str_clear(&s->read);
	str_clear(&s->write);
	*s = (struct dns_stream){ .fd = -1 };
	streams->count--;
}

void dns_stream_accept(struct dns_streams *streams, int listener, int64_t now_ms)
{
	struct dns_stream *s = streams->items;

	if (streams->count == DNS_STREAMS_MAX)
		return;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	while (s->fd >= 0)
		s++;
	*s = (struct dns_stream){ .fd = fd,
				  .serial = ++streams->serial,
				  .due_ms = now_ms + IDLE_MS };
	streams->count++;
}

size_t dns_stream_poll(const struct dns_streams *streams, struct pollfd *fds)
{
	size_t count = 0;

	for (size_t i = 0; count < streams->count && i < DNS_STREAMS_MAX; i++) {
		const struct dns_stream *s = &streams->items[i];
		short events = s->write.length ? POLLOUT : s->asked ? 0 : POLLIN;
		if (s->fd >= 0)
			fds[count++] = (struct pollfd){ .fd = s->fd, .events = events };
	}
	return count;
}

/* How long the question is with its length, as far as that is known. */
static size_t expected(const struct str *read)
{
	const uint8_t *at = (const uint8_t *)read->text;

	return read->length < LENGTH_BYTES ? LENGTH_BYTES
					   : LENGTH_BYTES + (size_t)(at[0] << 8 | at[1]);
}

/* 1: the question is whole; 0: more is to come. */
static int read_some(struct dns_stream *s)
{
	while (s->read.length < expected(&s->read)) {
		size_t missing = expected(&s->read) - s->read.length;
		ssize_t n = recv(s->fd, str_room(&s->read, missing), missing, 0);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		s->read.length += (size_t)n;
	}
	return 1;
}

static int write_some(struct dns_stream *s)
{
	ssize_t n = send(s->fd, s->write.text, s->write.length, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	memmove(s->write.text, s->write.text + n, s->write.length - (size_t)n);
	s->write.length -= (size_t)n;
	return 0;
}

static int turn(struct dns_streams *streams, struct dns_stream *s, int64_t now_ms, dns_asked *asked,
		void *arg)
{
	if (s->write.length)
		return write_some(s);
	int r = s->asked ? -ECONNRESET : read_some(s); /* it has hung up */
	if (r <= 0)
		return r;
	s->due_ms = now_ms + IDLE_MS;
	s->asked = true;
	struct str question = s->read;
	s->read = (struct str){ 0 };
	asked(arg, (int)(s - streams->items), s->serial,
	      (const uint8_t *)question.text + LENGTH_BYTES, question.length - LENGTH_BYTES);
	str_clear(&question);
	return 0;
}

void dns_stream_turn(struct dns_streams *streams, const struct pollfd *fds, size_t count,
		     int64_t now_ms, dns_asked *asked, void *arg)
{
	size_t k = 0;

	for (size_t i = 0; i < DNS_STREAMS_MAX; i++) {
		struct dns_stream *s = &streams->items[i];
		if (s->fd < 0)
			continue;
		bool ready = k < count && fds[k].fd == s->fd && fds[k].revents;
		k += k < count && fds[k].fd == s->fd;
		if ((ready && turn(streams, s, now_ms, asked, arg) < 0) || now_ms >= s->due_ms)
			end(streams, s);
	}
}

int64_t dns_stream_next_ms(const struct dns_streams *streams)
{
	int64_t next = 0;

	for (size_t i = 0; streams->count && i < DNS_STREAMS_MAX; i++) {
		const struct dns_stream *s = &streams->items[i];
		if (s->fd >= 0 && (!next || s->due_ms < next))
			next = s->due_ms;
	}
	return next;
}

void dns_stream_answer(struct dns_streams *streams, int connection, uint32_t serial,
		       const uint8_t *bytes, size_t length)
{
	struct dns_stream *s = &streams->items[connection];

	if (s->fd < 0 || s->serial != serial)
		return;
	s->asked = false;
	str_add_char(&s->write, (char)(length >> 8));
	str_add_char(&s->write, (char)length);
	str_add_n(&s->write, bytes, length);
}
