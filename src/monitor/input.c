/* input.c - from those who are attached to the container's standard input or terminal. What the
 * container does not take at once stays with its peer, which is not read until it is gone. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/own.h"
#include "monitor/monitor.h"

static int input_fd(const struct monitor *m)
{
	return m->tty ? m->output[0].fd : m->input.fd;
}

bool monitor_input_is_waiting(const struct monitor *m)
{
	for (const struct monitor_peer *peer = m->peers; peer; peer = peer->next)
		if (!peer->ended && peer->input.length)
			return true;
	return false;
}

/* How much it took; all of it when there is nobody to take it. */
static size_t write_some(struct monitor *m, const void *bytes, size_t length)
{
	int fd = input_fd(m);

	if (fd < 0)
		return length;
	ssize_t n = write(fd, bytes, length);
	if (n >= 0)
		return (size_t)n;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	if (!m->tty)
		monitor_input_close(m);
	return length;
}

static void update(struct monitor *m)
{
	if (m->tty)
		monitor_output_update(m);
	else
		monitor_source_set(m, &m->input, monitor_input_is_waiting(m) ? EPOLLOUT : 0);
}

void monitor_input_add(struct monitor *m, struct monitor_peer *peer, const void *bytes,
		       size_t length)
{
	size_t taken = monitor_input_is_waiting(m) ? 0 : write_some(m, bytes, length);

	if (taken < length)
		str_add_n(&peer->input, (const char *)bytes + taken, length - taken);
	update(m);
}

/* The first peer whose input waits, once. */
static struct monitor_peer *next_waiting(const struct monitor *m)
{
	for (struct monitor_peer *peer = m->peers; peer; peer = peer->next)
		if (!peer->ended && peer->input.length)
			return peer;
	return NULL;
}

void monitor_input_flush(struct monitor *m)
{
	struct monitor_peer *peer;

	while ((peer = next_waiting(m))) {
		struct str *input = &peer->input;
		size_t taken = write_some(m, input->text, input->length);
		if (taken < input->length) {
			memmove(input->text, input->text + taken, input->length - taken);
			input->length -= taken;
			break;
		}
		str_clear(input);
		monitor_peer_read(m, peer);
	}
	update(m);
}

static void input_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	(void)source;
	(void)events;
	monitor_input_flush(m);
}

void monitor_input_open(struct monitor *m, int fd)
{
	fcntl(fd, F_SETFL, O_WRONLY | O_NONBLOCK);
	m->input.ready = input_ready;
	monitor_source_open(m, &m->input, fd, EPOLLOUT);
	monitor_source_set(m, &m->input, 0);
}

void monitor_input_close(struct monitor *m)
{
	monitor_source_close(m, &m->input);
}

void monitor_input_end(struct monitor *m)
{
	if (m->config.stdin_once && !m->tty)
		monitor_input_close(m);
}

void monitor_input_resize(struct monitor *m, uint16_t rows, uint16_t columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	m->rows = rows;
	m->columns = columns;
	if (m->tty && m->output[0].fd >= 0)
		ioctl(m->output[0].fd, TIOCSWINSZ, &size);
}
