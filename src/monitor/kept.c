/* kept.c - descriptors of the person's, sockets above all, that the container inherits. They come
 * behind our own, and stay open here for as long as the container may be started again: whoever
 * comes to a listening socket meanwhile waits in its queue. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "monitor/monitor.h"
#include "monitor/program.h"

void monitor_kept_take(struct monitor *m, size_t count)
{
	if (!count)
		return;
	m->kept.fds = mem_new(count, sizeof(*m->kept.fds));
	m->kept.count = count;
	for (size_t i = 0; i < count; i++) {
		int fd = MONITOR_PROGRAM_KEPT + (int)i;
		m->kept.fds[i] = fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
	}
}

void monitor_kept_close(struct monitor *m)
{
	for (size_t i = 0; i < m->kept.count; i++)
		if (m->kept.fds[i] >= 0)
			close(m->kept.fds[i]);
	free(m->kept.fds);
	m->kept = (struct monitor_kept){ 0 };
}

int monitor_kept_pass(const struct monitor *m, struct runtime_options *options,
		      const struct monitor_listen_config *listen, struct err *e)
{
	if (listen->fds < 0 || (uint64_t)listen->fds > m->kept.count)
		return err_set(e, ERR_CORRUPT, "%lld sockets are to be told of, and %zu are there",
			       (long long)listen->fds, m->kept.count);
	options->keep_fds = m->kept.fds;
	options->keep_fds_count = m->kept.count;
	options->listen_fds = (size_t)listen->fds;
	options->listen_names = listen->names;
	return 0;
}
