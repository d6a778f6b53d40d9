/* holm-proxy ADDRESS PORT - takes the connections of the socket that it was given (descriptor 3,
 * listening) to this address and port: for ports that are published at ::1, which no NAT reaches
 * (decision 0030). Each connection is a process of its own, which ends with this one. It is nobody,
 * and opens nothing but sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/number.h"

enum { LISTENER = 3, NOBODY = 65534, CONNECTIONS_MAX = 512, CHUNK = 64 << 10 };

struct target {
	struct sockaddr_storage address;
	socklen_t length;
};

static int parse_target(struct target *to, const char *address, const char *port, struct err *e)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&to->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&to->address;
	uint64_t number;

	memset(to, 0, sizeof(*to));
	int r = number_parse_u64(&number, port, UINT16_MAX, e);
	if (r < 0)
		return r;
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)number);
		to->length = sizeof(*four);
	} else if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)number);
		to->length = sizeof(*six);
	} else {
		return err_set(e, ERR_INVALID, "%s: not an IP address", address);
	}
	return 0;
}

/* ---- one connection ---- */

/* One direction: what was read and not yet written. */
struct flow {
	int from, to;
	size_t start, end;
	bool closed;
	char bytes[CHUNK];
};

/* false: it is at its end, either way. */
static bool move(struct flow *flow)
{
	if (flow->start == flow->end) {
		ssize_t n = read(flow->from, flow->bytes, sizeof(flow->bytes));
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0) {
			flow->closed = true;
			return shutdown(flow->to, SHUT_WR) == 0;
		}
		flow->start = 0;
		flow->end = (size_t)n;
	}
	ssize_t n = write(flow->to, flow->bytes + flow->start, flow->end - flow->start);
	if (n > 0)
		flow->start += (size_t)n;
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static void wait_for(struct flow flows[2])
{
	struct pollfd fds[2] = { { .fd = flows[0].from }, { .fd = flows[1].from } };

	for (int i = 0; i < 2; i++)
		if (flows[i].start < flows[i].end)
			fds[!i].events |= POLLOUT;
		else if (!flows[i].closed)
			fds[i].events |= POLLIN;
	/* who is only there to be written to would wake us for its end */
	for (int i = 0; i < 2; i++)
		if (!fds[i].events)
			fds[i].fd = -1;
	poll(fds, 2, -1);
}

static void carry(int client, int server)
{
	static struct flow flows[2];

	flows[0].from = flows[1].to = client;
	flows[0].to = flows[1].from = server;
	fcntl(client, F_SETFL, O_NONBLOCK);
	fcntl(server, F_SETFL, O_NONBLOCK);
	while (!flows[0].closed || !flows[1].closed) {
		wait_for(flows);
		for (int i = 0; i < 2; i++)
			if (!flows[i].closed && !move(&flows[i]))
				return;
	}
}

_Noreturn static void serve(int client, const struct target *target, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	close(LISTENER);
	int server = socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server >= 0 &&
	    connect(server, (const struct sockaddr *)&target->address, target->length) == 0)
		carry(client, server);
	_exit(0);
}

/* ---- all of them ---- */

static int become_nobody(struct err *e)
{
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return err_sys(e, "become nobody");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "set no_new_privs");
	return 0;
}

/* It is there to interrupt accept(2), so that who has ended is reaped. */
static void on_child(int signal)
{
	(void)signal;
}

_Noreturn static void run(const struct target *target)
{
	const pid_t self = getpid();
	int connections = 0;

	for (;;) {
		/* with as many as may be, until one ends */
		while (connections > 0 &&
		       waitpid(-1, NULL, connections < CONNECTIONS_MAX ? WNOHANG : 0) > 0)
			connections--;
		int client = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0)
			continue;
		pid_t pid = fork();
		if (pid == 0)
			serve(client, target, self);
		connections += pid > 0;
		close(client);
	}
}

int main(int argc, char **argv)
{
	struct target target;
	struct err e;

	if (argc != 3)
		return 125;
	int r = parse_target(&target, argv[1], argv[2], &e);
	if (r == 0)
		r = become_nobody(&e);
	if (r < 0) {
		log_warning("holm-proxy: %s", e.text);
		return 125;
	}
	const struct sigaction child = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGCHLD, &child, NULL);
	run(&target);
}
