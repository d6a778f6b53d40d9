/* calls.c - system calls of the container that are answered here. The filter of its processes hands
 * them to a listener; each process that is started, by exec, too, brings one along, to the socket
 * MONITOR_CALLS_SOCKET in the run folder. The kernel allows one listener for a chain of filters, so
 * all who answer share it: figures_call.c, children.c. Without this program such calls fail with
 * ENOSYS. */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/socket.h"
#include "monitor/monitor.h"
#include "oci/runtime_spec.h"

enum {
	MESSAGE_BYTES_MAX = 65536, /* the state of the process, which nobody needs here */
	MESSAGE_WAIT_S = 2,
	BACKLOG = 64,
};

/* The kernel's structures may be longer than ours: seccomp_unotify(2). */
union notification {
	struct seccomp_notif call;
	struct seccomp_notif_resp response;
	char bytes[1024];
};

int monitor_calls_reply(int listener, uint64_t id, long r)
{
	union notification said = { .response.id = id };

	if (r == -EAGAIN)
		said.response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (r < 0)
		said.response.error = (int)r;
	else
		said.response.val = r;
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &said) < 0 ? -errno : 0;
}

static void listener_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	union notification got = { 0 };

	/* no process has this filter any more */
	if (!(events & EPOLLIN)) {
		monitor_source_close(m, source);
		return;
	}
	if (ioctl(source->fd, SECCOMP_IOCTL_NOTIF_RECV, &got) < 0)
		return;
	if (monitor_children_are_meant(&got.call.data))
		monitor_children_ask(m, source->fd, &got.call);
	else
		monitor_calls_reply(source->fd, got.call.id,
				    monitor_figures_call_answer(m, source->fd, &got.call));
}

static bool fits_kernel(void)
{
	struct seccomp_notif_sizes sizes;

	return syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 &&
	       sizes.seccomp_notif <= sizeof(union notification) &&
	       sizes.seccomp_notif_resp <= sizeof(union notification);
}

/* Those that are closed are used again. */
static struct monitor_calls_listener *new_listener(struct monitor_calls *calls)
{
	for (struct monitor_calls_listener *at = calls->listeners; at; at = at->next)
		if (at->source.fd < 0)
			return at;
	struct monitor_calls_listener *made = mem_new_struct(struct monitor_calls_listener);
	made->source.fd = -1;
	made->next = calls->listeners;
	calls->listeners = made;
	return made;
}

static void take_listener(struct monitor *m, int connection)
{
	own_free char *text = mem_new(1, MESSAGE_BYTES_MAX);
	int fds[FD_PASS_MAX];
	size_t count = 0;
	struct err ignored;

	if (fd_receive(connection, text, MESSAGE_BYTES_MAX, fds, &count, &ignored) <= 0)
		return;
	for (size_t i = 1; i < count; i++)
		close(fds[i]);
	if (count == 0)
		return;
	struct monitor_calls_listener *listener = new_listener(&m->calls);
	listener->source.ready = listener_ready;
	monitor_source_open(m, &listener->source, fds[0], EPOLLIN);
}

/* From holm's own programs alone: nobody else comes into the run folder. They connect and send at
 * once. */
static void socket_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	const struct timeval wait = { .tv_sec = MESSAGE_WAIT_S };

	(void)events;
	own_fd int connection = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC);
	if (connection < 0)
		return;
	setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	take_listener(m, connection);
}

static int open_socket(struct monitor *m, struct err *e)
{
	if (!fits_kernel())
		return err_set(e, ERR_UNSUPPORTED,
			       "the kernel's seccomp notifications are none of a known size");
	unlinkat(m->run_dir, MONITOR_CALLS_SOCKET, 0);
	own_fd int fd =
		socket_bind_at(SOCK_STREAM | SOCK_NONBLOCK, m->run_dir, MONITOR_CALLS_SOCKET, e);
	if (fd < 0)
		return fd;
	if (listen(fd, BACKLOG) < 0)
		return err_sys(e, "listen at " MONITOR_CALLS_SOCKET);
	m->calls.socket.ready = socket_ready;
	monitor_source_open(m, &m->calls.socket, take_fd(&fd), EPOLLIN);
	return 0;
}

int monitor_calls_prepare(struct monitor *m, const struct oci_spec *spec, struct err *e)
{
	const struct shape_map *all = &spec->annotations;
	bool asked = shape_map_get(all, "org.holm.seccomp.asks") ||
		     shape_map_get(all, "org.holm.seccomp.children");

	monitor_calls_close(m);
	int r = monitor_children_prepare(m, spec, e);
	return r < 0 || !asked ? r : open_socket(m, e);
}

void monitor_calls_close(struct monitor *m)
{
	for (struct monitor_calls_listener *at = m->calls.listeners, *next; at; at = next) {
		next = at->next;
		monitor_source_close(m, &at->source);
	}
	monitor_source_close(m, &m->calls.socket);
	monitor_children_close(m);
}
