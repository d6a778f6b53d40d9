#include "build/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/process.h"
#include "base/socket.h"

enum { CHUNK = 64 << 10, MAX = BUILD_FORWARD_CONNECTIONS_MAX };

struct pair {
	int ends[2]; /* of who asks, and to the agent */
};

struct pairs {
	struct pair items[MAX];
	size_t count;
};

/* ---- the child ---- */

static int connect_to(int place_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", place_fd);
	own_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const void *)&address, sizeof(address)) < 0)
		return -1;
	return take_fd(&fd);
}

static void take_connection(struct pairs *pairs, int listener, int place_fd)
{
	const struct timeval stall = { .tv_sec = BUILD_FORWARD_STALL_S };

	own_fd int asks = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	own_fd int agent = asks < 0 ? -1 : connect_to(place_fd);
	if (agent < 0)
		return;
	setsockopt(asks, SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof(stall));
	setsockopt(agent, SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof(stall));
	pairs->items[pairs->count++] = (struct pair){ { take_fd(&asks), take_fd(&agent) } };
}

/* False: this is its end. */
static bool pass_on(const struct pair *pair, int from)
{
	static char chunk[CHUNK];
	ssize_t n = read(pair->ends[from], chunk, sizeof(chunk));

	return n > 0 && fd_write_all(pair->ends[!from], chunk, (size_t)n) == 0;
}

static void drop(struct pairs *pairs, size_t number)
{
	close(pairs->items[number].ends[0]);
	close(pairs->items[number].ends[1]);
	pairs->items[number] = pairs->items[--pairs->count];
}

static void serve(int listener, int place_fd)
{
	static struct pairs pairs;
	struct pollfd polled[1 + 2 * MAX];

	for (;;) {
		size_t count = pairs.count;
		polled[0] = (struct pollfd){ count < MAX ? listener : -1, POLLIN, 0 };
		for (size_t i = 0; i < 2 * count; i++)
			polled[1 + i] =
				(struct pollfd){ pairs.items[i / 2].ends[i % 2], POLLIN, 0 };
		if (poll(polled, 1 + 2 * count, -1) < 0 && errno != EINTR)
			return;
		/* the last one takes the place of one that is dropped */
		for (size_t i = count; i-- > 0;)
			for (int end = 0; end < 2; end++)
				if (polled[1 + 2 * i + (size_t)end].revents &&
				    !pass_on(&pairs.items[i], end)) {
					drop(&pairs, i);
					break;
				}
		if (polled[0].revents)
			take_connection(&pairs, listener, place_fd);
	}
}

/* ---- the parent ---- */

static int listen_at(const struct build_forward *forward, struct err *e)
{
	own_fd int fd = socket_bind_at(SOCK_STREAM, forward->folder_fd, forward->name, e);
	if (fd < 0)
		return fd;
	if (fchownat(forward->folder_fd, forward->name, forward->uid, forward->gid,
		     AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(forward->folder_fd, forward->name, forward->mode, 0) < 0)
		return err_sys(e, "set the owner of a socket");
	return listen(fd, SOMAXCONN) < 0 ? err_sys(e, "listen") : take_fd(&fd);
}

int build_forward_start(pid_t *ret, const struct build_forward *forward, struct err *e)
{
	own_fd int place = open(forward->to, O_PATH | O_CLOEXEC);
	if (place < 0)
		return err_sys(e, "the socket %s", forward->to);
	own_fd int probe = connect_to(place);
	if (probe < 0)
		return err_sys(e, "connect to the agent at %s", forward->to);
	own_fd int listener = listen_at(forward, e);
	if (listener < 0)
		return listener;
	pid_t parent = getpid(), child = fork();
	if (child < 0)
		return err_sys(e, "fork");
	if (child > 0) {
		*ret = child;
		return 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	if (getppid() == parent)
		serve(listener, place);
	_exit(1);
}

void build_forward_stop(pid_t child)
{
	kill(child, SIGKILL);
	process_wait(child);
}
