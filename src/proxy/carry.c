#include "proxy/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"

/* Pipes are made of the size that the kernel gives them. One through which much comes at once gets
 * larger; if all were so from the beginning, some tens of connections would reach what a user may
 * have of pipes, and all new ones of that user were small (pipe-user-pages-soft, pipe(7)). */
enum { MUCH = 16 << 10, CHUNK = 256 << 10 };

/* One direction, and how much of it is in the pipe. */
struct flow {
	int from, to;
	int pipe[2];
	size_t held;
	bool closed, grown;
};

static bool is_for_later(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static void grow(struct flow *flow)
{
	flow->grown = true;
	(void)fcntl(flow->pipe[1], F_SETPIPE_SZ, CHUNK);
}

/* false: it is at its end, either way. */
static bool move(struct flow *flow)
{
	const unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

	if (flow->held == 0) {
		ssize_t n = splice(flow->from, NULL, flow->pipe[1], NULL, CHUNK, flags);
		if (n < 0)
			return is_for_later();
		if (n == 0) {
			flow->closed = true;
			return shutdown(flow->to, SHUT_WR) == 0;
		}
		flow->held = (size_t)n;
		if (n >= MUCH && !flow->grown)
			grow(flow);
	}
	ssize_t n = splice(flow->pipe[0], NULL, flow->to, NULL, flow->held, flags);
	if (n > 0)
		flow->held -= (size_t)n;
	return n >= 0 || is_for_later();
}

static void wait_for(const struct flow flows[2])
{
	struct pollfd fds[2] = { { .fd = flows[0].from }, { .fd = flows[1].from } };

	for (int i = 0; i < 2; i++)
		if (flows[i].held)
			fds[!i].events |= POLLOUT;
		else if (!flows[i].closed)
			fds[i].events |= POLLIN;
	/* who is only there to be written to would wake us for its end */
	for (int i = 0; i < 2; i++)
		if (!fds[i].events)
			fds[i].fd = -1;
	poll(fds, 2, -1);
}

static bool open_pipe(struct flow *flow)
{
	return pipe2(flow->pipe, O_CLOEXEC | O_NONBLOCK) == 0;
}

void proxy_carry(int client, int server)
{
	struct flow flows[2] = { { .from = client, .to = server },
				 { .from = server, .to = client } };

	if (!open_pipe(&flows[0]) || !open_pipe(&flows[1]))
		return;
	fcntl(client, F_SETFL, O_NONBLOCK);
	fcntl(server, F_SETFL, O_NONBLOCK);
	while (!flows[0].closed || !flows[1].closed) {
		wait_for(flows);
		for (int i = 0; i < 2; i++)
			if (!flows[i].closed && !move(&flows[i]))
				return;
	}
}
