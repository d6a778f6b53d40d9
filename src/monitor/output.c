/* output.c - from the container's pipes or terminal to the log and to those who are attached. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/moment.h"
#include "base/own.h"
#include "monitor/monitor.h"

static bool is_terminal(const struct monitor *m, const struct monitor_source *source)
{
	return m->tty && source == &m->output[0];
}

/* Reads once; false: there is nothing now, or it has come to its end and is closed. */
static bool read_once(struct monitor *m, struct monitor_source *source)
{
	enum monitor_log_stream stream =
		source == &m->output[0] ? MONITOR_LOG_STDOUT : MONITOR_LOG_STDERR;
	char bytes[MONITOR_PAYLOAD_MAX];
	ssize_t n;

	do
		n = read(source->fd, bytes, sizeof(bytes));
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) { /* a terminal ends with EIO */
		monitor_source_close(m, source);
		return false;
	}
	monitor_log_writer_add(&m->log, stream, bytes, (size_t)n, moment_now_ns());
	monitor_guest_output(m, bytes, (size_t)n);
	monitor_peer_broadcast(m, stream, bytes, (size_t)n);
	return true;
}

static void output_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	if (events & EPOLLOUT)
		monitor_input_flush(m);
	if (source->fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_once(m, source);
}

void monitor_output_open(struct monitor *m, int index, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	m->output[index].ready = output_ready;
	monitor_source_open(m, &m->output[index], fd, EPOLLIN);
}

void monitor_output_drain(struct monitor *m)
{
	for (int i = 0; i < 2; i++)
		while (m->output[i].fd >= 0 && read_once(m, &m->output[i]))
			;
}

void monitor_output_update(struct monitor *m)
{
	m->output_held = monitor_peer_holds_output(m);
	for (int i = 0; i < 2; i++) {
		struct monitor_source *source = &m->output[i];
		uint32_t events = m->output_held ? 0 : EPOLLIN;
		if (is_terminal(m, source) && monitor_input_is_waiting(m))
			events |= EPOLLOUT;
		monitor_source_set(m, source, events);
	}
}

void monitor_output_close(struct monitor *m)
{
	for (int i = 0; i < 2; i++)
		monitor_source_close(m, &m->output[i]);
	if (m->terminal_peer >= 0)
		close(take_fd(&m->terminal_peer));
}
