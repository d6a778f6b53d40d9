#include "network/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "network/publish.h"

enum { LISTENER = 3, NAMESPACE = 4, WAITING_MAX = 1024 };

bool network_proxy_wanted(const struct network_address *host)
{
	return host->family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)host->bytes);
}

bool network_proxy_carries(int protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static socklen_t fill(struct sockaddr_storage *to, const struct network_port *port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)to;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	to->ss_family = (sa_family_t)port->host.family;
	if (port->host.family == AF_INET) {
		four->sin_port = htons(port->host_port);
		memcpy(&four->sin_addr, port->host.bytes, sizeof(four->sin_addr));
		return sizeof(*four);
	}
	six->sin6_port = htons(port->host_port);
	memcpy(&six->sin6_addr, port->host.bytes, sizeof(six->sin6_addr));
	return sizeof(*six);
}

static int listen_at(const struct network_port *port, struct err *e)
{
	char text[NETWORK_ADDRESS_TEXT];
	struct sockaddr_storage address;
	socklen_t length = fill(&address, port);
	const bool stream = port->protocol == IPPROTO_TCP;
	int on = 1;

	own_fd int fd =
		socket(address.ss_family, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    (address.ss_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    (stream && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0))
		return err_sys(e, "make a socket");
	network_address_format(text, &port->host, false);
	if (bind(fd, (struct sockaddr *)&address, length) < 0 ||
	    (stream && listen(fd, WAITING_MAX) < 0))
		return errno == EADDRINUSE
			       ? err_set(e, ERR_EXISTS, "port %u of %s is taken", port->host_port,
					 text)
			       : err_sys(e, "listen at %s, port %u", text, port->host_port);
	return take_fd(&fd);
}

/* What the program gets: namespace -1, nothing. */
struct given {
	int null, listener, namespace;
};

static int spawn(const char *program, const char *const argv[], const struct given *given,
		 pid_t *ret)
{
	static const char *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, "/");
	for (int fd = 0; fd < LISTENER; fd++)
		posix_spawn_file_actions_adddup2(&actions, given->null, fd);
	posix_spawn_file_actions_adddup2(&actions, given->listener, LISTENER);
	if (given->namespace >= 0)
		posix_spawn_file_actions_adddup2(&actions, given->namespace, NAMESPACE);
	posix_spawn_file_actions_addclosefrom_np(&actions,
						 given->namespace >= 0 ? NAMESPACE + 1 : NAMESPACE);
	int r = posix_spawn(ret, program, &actions, &attr, (char *const *)argv,
			    (char *const *)environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return -r;
}

/* Out of the way of the numbers that they are to have. */
static int move_up(int fd)
{
	return fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, NAMESPACE + 1);
}

int network_proxy_start(const struct network_port *port, int namespace_fd, struct err *e)
{
	const char *folder = secure_getenv("HOLM_LIBEXEC");
	own_free char *program =
		mem_format("%s/holm-proxy", str_empty(folder) ? HOLM_LIBEXEC : folder);
	own_free char *number = mem_format("%u", port->target_port);
	char target[NETWORK_ADDRESS_TEXT];
	pid_t pid;

	network_address_format(target, &port->target, false);
	own_fd int made = listen_at(port, e);
	if (made < 0)
		return made;
	own_fd int listener = move_up(made);
	own_fd int namespace = move_up(namespace_fd);
	own_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || listener < 0 || (namespace < 0 && namespace_fd >= 0))
		return err_sys(e, "open /dev/null");
	const char *const argv[] = { "holm-proxy", target, number, namespace >= 0 ? "inside" : NULL,
				     NULL };
	const struct given given = { null, listener, namespace };
	int r = spawn(program, argv, &given, &pid);
	return r < 0 ? err_number(e, -r, "start %s", program) : pid;
}
