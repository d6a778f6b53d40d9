/* holm-proxy ADDRESS PORT - takes the connections of the socket that it was given (descriptor 3,
 * listening) to this address and port: for ports that are published at ::1, which no NAT reaches
 * (decision 0030). It is nobody, and opens nothing but sockets.
 * holm-proxy ADDRESS PORT inside - the same for an ordinary user's container, in the network
 * namespace that is descriptor 4, and as the client (inside.h, decision 0056); 0.0.0.0 and :: are
 * the address that the container has then.
 * Each connection is a process of its own, which ends with this one. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/str.h"
#include "proxy/carry.h"
#include "proxy/inside.h"

enum { LISTENER = 3, NAMESPACE = 4, NOBODY = 65534, CONNECTIONS_MAX = 1024 };
enum { SCARCE_WAIT_NS = 100 * 1000 * 1000 };

struct target {
	struct sockaddr_storage address;
	socklen_t length;
	bool inside;
	bool keeps; /* the client's address */
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

static bool is_any(const struct sockaddr_storage *address)
{
	const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;

	return address->ss_family == AF_INET
		       ? ((const struct sockaddr_in *)address)->sin_addr.s_addr == INADDR_ANY
		       : IN6_IS_ADDR_UNSPECIFIED(six);
}

static void set_port(struct sockaddr_storage *address, in_port_t port)
{
	if (address->ss_family == AF_INET)
		((struct sockaddr_in *)address)->sin_port = port;
	else
		((struct sockaddr_in6 *)address)->sin6_port = port;
}

/* Both families have it at one place. */
static in_port_t port_of(const struct sockaddr_storage *address)
{
	return ((const struct sockaddr_in *)address)->sin_port;
}

static int connect_inside(const struct target *target, int fd,
			  const struct sockaddr_storage *client)
{
	struct sockaddr_storage address = target->address, local = { 0 };
	socklen_t length = sizeof(local);

	if (is_any(&address)) {
		if (!proxy_inside_find(&address, client->ss_family))
			return -1;
		set_port(&address, port_of(&target->address));
	}
	if (getsockname(fd, (struct sockaddr *)&local, &length) < 0 ||
	    !proxy_inside_may(client, &local, &address))
		return -1;
	return proxy_inside_connect(&address, client, target->keeps);
}

static int connect_to(const struct target *target, int client,
		      const struct sockaddr_storage *address)
{
	if (target->inside)
		return connect_inside(target, client, address);
	int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&target->address, target->length) < 0)
		return -1;
	return fd;
}

_Noreturn static void serve(int client, const struct sockaddr_storage *address,
			    const struct target *target, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	close(LISTENER);
	int server = connect_to(target, client, address);
	if (server >= 0)
		proxy_carry(client, server);
	_exit(0);
}

/* ---- all of them ---- */

static int become_nobody(const struct target *target, struct err *e)
{
	int r = target->inside ? proxy_inside_drop(e) : 0;

	if (r < 0)
		return r;
	if (!target->inside && geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
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

/* accept(2): the connection is still there then, and so would be the error. */
static void wait_if_scarce(void)
{
	static const int scarce[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM };
	const struct timespec moment = { .tv_nsec = SCARCE_WAIT_NS };

	for (size_t i = 0; i < COUNT_OF(scarce); i++)
		if (errno == scarce[i]) {
			nanosleep(&moment, NULL);
			return;
		}
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
		struct sockaddr_storage address = { 0 };
		socklen_t length = sizeof(address);
		int client = accept4(LISTENER, (struct sockaddr *)&address, &length, SOCK_CLOEXEC);
		if (client < 0) {
			wait_if_scarce();
			continue;
		}
		pid_t pid = fork();
		if (pid == 0)
			serve(client, &address, target, self);
		connections += pid > 0;
		close(client);
	}
}

int main(int argc, char **argv)
{
	struct target target;
	struct err e;

	if (argc < 3 || argc > 4 || (argc == 4 && !str_equal(argv[3], "inside")))
		return 125;
	int r = parse_target(&target, argv[1], argv[2], &e);
	target.inside = argc == 4;
	if (r == 0 && target.inside)
		r = proxy_inside_enter(&target.keeps, NAMESPACE, &e);
	if (r == 0)
		r = become_nobody(&target, &e);
	if (r < 0) {
		log_warning("holm-proxy: %s", e.text);
		return 125;
	}
	const struct sigaction child = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGCHLD, &child, NULL);
	run(&target);
}
