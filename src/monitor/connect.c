#include "monitor/connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "monitor/health.h"
#include "monitor/monitor.h"
#include "runtime/runtime.h"

int monitor_connect_parse(struct monitor_connect_address *ret, const char *text, struct err *e)
{
	struct monitor_connect_address to = { .http = str_starts(text, "http://") };
	uint64_t port;

	if (!to.http && !str_starts(text, "tcp://"))
		return err_set(e, ERR_INVALID, "'%s' is neither http:// nor tcp://", text);
	const char *rest = strstr(text, "://") + 3;
	size_t length = strcspn(rest, "/");
	to.path = rest[length] ? rest + length : to.http ? "/" : "";
	own_free char *place = mem_text_n(rest, length);
	char *colon = strrchr(place, ':');
	if (!colon)
		return err_set(e, ERR_INVALID, "'%s' has no port", text);
	*colon = '\0';
	size_t end = strlen(place);
	bool six = place[0] == '[' && end > 2 && place[end - 1] == ']';
	if (six)
		place[end - 1] = '\0';
	if (number_parse_u64(&port, colon + 1, UINT16_MAX, e) < 0)
		return err_add(e, "the port of '%s'", text);
	struct in6_addr ignored;
	const char *host = six ? place + 1 : place;
	if (inet_pton(six ? AF_INET6 : AF_INET, host, &ignored) != 1 || !port)
		return err_set(e, ERR_INVALID, "'%s': no address and port", text);
	to.port = (uint16_t)port;
	snprintf(to.host, sizeof(to.host), "%s", host);
	*ret = to;
	return 0;
}

static int enter_network(const struct runtime_container *container, struct err *e)
{
	own_fd int fd = process_open((pid_t)container->pid, container->pid_start);
	if (fd < 0)
		return err_number(e, -fd, "open the container's process");
	return setns(fd, CLONE_NEWNET) < 0 ? err_sys(e, "enter the container's network") : 0;
}

struct connection {
	int fd;
	int monitor;
	int64_t deadline_ms;
};

static int wait_for(const struct connection *c, short events, struct err *e)
{
	struct pollfd fds[] = { { .fd = c->fd, .events = events }, { .fd = c->monitor } };

	for (;;) {
		int64_t left = c->deadline_ms - monitor_loop_now_ms();
		if (left <= 0)
			return err_set(e, ERR_TIMEOUT, "no answer in time");
		int n = poll(fds, 2, left > INT32_MAX ? INT32_MAX : (int)left);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "wait for an answer");
		if (n > 0 && fds[1].revents)
			return err_number(e, ECANCELED, "the check");
		if (n > 0 && fds[0].revents)
			return 0;
	}
}

static int connect_to(struct connection *c, const struct monitor_connect_address *a, struct err *e)
{
	bool six = strchr(a->host, ':') != NULL;
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(a->port) };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(a->port) };
	int failure = 0;
	socklen_t size = sizeof(failure);

	inet_pton(six ? AF_INET6 : AF_INET, a->host,
		  six ? (void *)&to6.sin6_addr : (void *)&to4.sin_addr);
	c->fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return err_sys(e, "make a socket");
	int r = six ? connect(c->fd, (struct sockaddr *)&to6, sizeof(to6))
		    : connect(c->fd, (struct sockaddr *)&to4, sizeof(to4));
	if (r < 0 && errno != EINPROGRESS)
		return err_sys(e, "connect to %s port %u", a->host, a->port);
	r = wait_for(c, POLLOUT, e);
	if (r < 0)
		return r;
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &failure, &size);
	return failure ? err_number(e, failure, "connect to %s port %u", a->host, a->port) : 0;
}

/* The beginning of what it says; the status stands in its first bytes. */
static int read_answer(const struct connection *c, struct str *to, struct err *e)
{
	while (to->length < MONITOR_HEALTH_OUTPUT_MAX) {
		int r = wait_for(c, POLLIN, e);
		if (r < 0)
			return to->length ? 0 : r;
		ssize_t n = recv(c->fd, str_room(to, MONITOR_HEALTH_OUTPUT_MAX),
				 MONITOR_HEALTH_OUTPUT_MAX - to->length, 0);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0 && !to->length)
			return err_sys(e, "read the answer");
		if (n <= 0)
			return 0;
		to->length += (size_t)n;
		to->text[to->length] = '\0';
	}
	return 0;
}

static int ask(const struct connection *c, const struct monitor_connect_address *a,
	       struct str *output, struct err *e)
{
	own_clear(str_clear) struct str request = { 0 };
	bool six = strchr(a->host, ':') != NULL;
	unsigned status = 0;

	str_addf(&request,
		 "GET %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nUser-Agent: holm\r\nAccept: */*\r\n"
		 "Connection: close\r\n\r\n",
		 a->path, six ? "[" : "", a->host, six ? "]" : "", a->port);
	if (send(c->fd, request.text, request.length, MSG_NOSIGNAL) != (ssize_t)request.length)
		return err_sys(e, "send the request");
	int r = read_answer(c, output, e);
	if (r < 0)
		return r;
	const char *text = output->text ? output->text : "";
	if (strncmp(text, "HTTP/1.", 7) != 0 || sscanf(text + 7, "%*c %3u", &status) != 1)
		return err_set(e, ERR_UNREACHABLE, "the answer is no HTTP");
	if (status < 200 || status >= 400)
		return err_set(e, ERR_UNREACHABLE, "HTTP status %u", status);
	return 0;
}

int monitor_connect_check(const struct runtime_container *container, const char *address,
			  int64_t deadline_ms, int monitor, struct str *output, struct err *e)
{
	struct connection c = { .fd = -1, .monitor = monitor, .deadline_ms = deadline_ms };
	struct monitor_connect_address a;

	int r = monitor_connect_parse(&a, address, e);
	if (r == 0)
		r = enter_network(container, e);
	if (r == 0)
		r = connect_to(&c, &a, e);
	if (r == 0 && a.http)
		r = ask(&c, &a, output, e);
	if (c.fd >= 0)
		close(c.fd);
	return r;
}
