/* source.c - descriptors in the epoll loop. */
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/own.h"
#include "monitor/monitor.h"

void monitor_source_open(struct monitor *m, struct monitor_source *source, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	source->fd = fd;
	source->events = events;
	/* fails for want of kernel memory alone, or of fs.epoll.max_user_watches */
	if (epoll_ctl(m->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		abort();
}

void monitor_source_set(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (source->fd < 0 || source->events == events)
		return;
	/* EPOLLHUP comes even for no events: a source that waits for nothing must leave */
	int op = !events ? EPOLL_CTL_DEL : source->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
	if (epoll_ctl(m->epoll, op, source->fd, &event) < 0)
		abort();
	source->events = events;
}

void monitor_source_close(struct monitor *m, struct monitor_source *source)
{
	if (source->fd < 0)
		return;
	monitor_source_set(m, source, 0);
	close(take_fd(&source->fd));
}
