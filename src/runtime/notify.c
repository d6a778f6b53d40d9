#include "runtime/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/path.h"
#include "base/socket.h"
#include "base/str.h"
#include "oci/runtime_spec.h"

#define FOLDER "notify"
#define NAME   "notify.sock"

enum { MAIN_PID_TEXT_MAX = 32, READY_TIMEOUT_MS = 30000 };

void runtime_notify_close(struct runtime_notify *notify)
{
	if (notify->socket >= 0)
		close(notify->socket);
	if (notify->host >= 0)
		close(notify->host);
	notify->socket = notify->host = -1;
}

/* ---- before the container is made ---- */

int runtime_notify_prepare(struct oci_spec *spec, int dir_fd, const char *path, struct err *e)
{
	static const char *const options[] = { "bind", "ro", "nosuid", "nodev", "noexec" };

	if (!spec->process)
		return 0;
	if (mkdirat(dir_fd, FOLDER, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make the folder %s/" FOLDER, path);
	struct oci_mount *mount = shape_list_add(&spec->mounts);
	mount->destination = mem_text(RUNTIME_NOTIFY_INSIDE);
	mount->type = mem_text("bind");
	mount->source = path_join(path, FOLDER);
	for (size_t i = 0; i < COUNT_OF(options); i++)
		strv_add(&mount->options, options[i]);
	strv_set(&spec->process->env, "NOTIFY_SOCKET=" RUNTIME_NOTIFY_INSIDE "/" NAME);
	return 0;
}

bool runtime_notify_is_prepared(int dir_fd)
{
	return faccessat(dir_fd, FOLDER, F_OK, 0) == 0;
}

/* ---- before it is started ---- */

int runtime_notify_open(struct runtime_notify *ret, int dir_fd, const char *host, struct err *e)
{
	own_clear(runtime_notify_close) struct runtime_notify notify = RUNTIME_NOTIFY_INIT;
	own_fd int folder = openat(dir_fd, FOLDER, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	*ret = notify;
	if (str_empty(host) || (folder < 0 && errno == ENOENT))
		return 0;
	if (folder < 0)
		return err_sys(e, "open " FOLDER);
	unlinkat(folder, NAME, 0);
	notify.socket = socket_bind_at(SOCK_DGRAM | SOCK_NONBLOCK, folder, NAME, e);
	if (notify.socket < 0)
		return notify.socket;
	/* of whatever user the container's process is; nobody else gets into the folder */
	if (fchmodat(folder, NAME, 0777, 0) < 0)
		return err_sys(e, "open " NAME " for all");
	notify.host = socket_connect(SOCK_DGRAM | SOCK_NONBLOCK, host, e);
	if (notify.host < 0)
		return err_add(e, "NOTIFY_SOCKET");
	*ret = notify;
	notify = (struct runtime_notify)RUNTIME_NOTIFY_INIT;
	return 0;
}

/* ---- handing on ---- */

/* sd_notify(3). What is left out speaks of processes and descriptors of the sender, or changes what
 * the service may do: MAINPID, FDSTORE, BARRIER, NOTIFYACCESS, WATCHDOG_USEC... */
static bool may_pass(const char *line, size_t length)
{
	static const char *const names[] = { "READY=",         "RELOADING=", "STOPPING=",
					     "STATUS=",        "ERRNO=",     "BUSERROR=",
					     "EXIT_STATUS=",   "WATCHDOG=",  "EXTEND_TIMEOUT_USEC=",
					     "MONOTONIC_USEC=" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (length >= strlen(names[i]) && strncmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

bool runtime_notify_filter(char to[RUNTIME_NOTIFY_PASSED_MAX], const char *message, pid_t main_pid)
{
	bool ready = false;
	size_t at = 0;

	for (const char *line = message; *line;) {
		size_t length = strcspn(line, "\n");
		if (may_pass(line, length)) {
			memcpy(to + at, line, length);
			at += length;
			to[at++] = '\n';
			ready |= length == strlen("READY=1") &&
				 strncmp(line, "READY=1", length) == 0;
		}
		line += length + (line[length] == '\n');
	}
	to[at] = '\0';
	if (ready)
		snprintf(to + at, MAIN_PID_TEXT_MAX, "MAINPID=%d", (int)main_pid);
	return ready;
}

/* Descriptors that come along (of BARRIER=1: its sender waits until they are closed) are closed. */
static ssize_t receive(int socket, char text[RUNTIME_NOTIFY_BYTES_MAX + 1], struct err *e)
{
	int fds[FD_PASS_MAX];
	size_t count = 0;

	ssize_t n = fd_receive(socket, text, RUNTIME_NOTIFY_BYTES_MAX, fds, &count, e);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	if (n < 0)
		return n;
	text[n] = '\0';
	return n;
}

/* Most of what a service says is replaced by what it says next, and may get lost where the manager
 * does not keep up; not so that it is ready, which it says once. */
static void hand_on(int host, const char *text, bool once)
{
	int64_t end_ns = moment_monotonic_ns() + READY_TIMEOUT_MS * (int64_t)1000000;

	while (send(host, text, strlen(text), MSG_NOSIGNAL) < 0 && once) {
		struct pollfd writable = { host, POLLOUT, 0 };
		int64_t left_ms = (end_ns - moment_monotonic_ns()) / 1000000;
		if ((errno != EAGAIN && errno != EINTR) || left_ms <= 0)
			return;
		poll(&writable, 1, (int)left_ms);
	}
}

int runtime_notify_forward(struct runtime_notify *notify, pid_t main_pid, struct err *e)
{
	char text[RUNTIME_NOTIFY_BYTES_MAX + 1], passed[RUNTIME_NOTIFY_PASSED_MAX];

	ssize_t n = receive(notify->socket, text, e);
	if (n < 0)
		return (int)n;
	bool ready = runtime_notify_filter(passed, text, main_pid);
	if (*passed)
		hand_on(notify->host, passed, ready);
	return ready;
}

/* The messages that a process leaves behind are there when its end is seen. */
int runtime_notify_wait(struct runtime_notify *notify, pid_t main_pid, int pidfd, struct err *e)
{
	bool ended = false;

	while (notify->socket >= 0) {
		struct pollfd ready[] = { { notify->socket, POLLIN, 0 }, { pidfd, POLLIN, 0 } };
		if (!ended && poll(ready, 2, -1) < 0)
			continue;
		ended = ended || ready[1].revents;
		int r = runtime_notify_forward(notify, main_pid, e);
		if (r == 1 || (r == -EAGAIN && ended))
			return 0;
		if (r < 0 && r != -EAGAIN)
			return r;
	}
	return 0;
}
