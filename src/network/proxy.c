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

enum { LISTENER = 3, WAITING_MAX = 128 };

bool network_proxy_wanted(const struct network_address *host)
{
	return host->family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)host->bytes);
}

static int listen_at(const struct network_port *port, struct err *e)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_port = htons(port->host_port) };
	int on = 1;

	memcpy(&address.sin6_addr, port->host.bytes, sizeof(address.sin6_addr));
	own_fd int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return err_sys(e, "make a socket");
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, WAITING_MAX) < 0)
		return errno == EADDRINUSE
			       ? err_set(e, ERR_EXISTS, "port %u of ::1 is taken", port->host_port)
			       : err_sys(e, "listen at ::1, port %u", port->host_port);
	return take_fd(&fd);
}

static int spawn(const char *program, const char *const argv[], int listener, int null, pid_t *ret)
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
		posix_spawn_file_actions_adddup2(&actions, null, fd);
	posix_spawn_file_actions_adddup2(&actions, listener, LISTENER);
	posix_spawn_file_actions_addclosefrom_np(&actions, LISTENER + 1);
	int r = posix_spawn(ret, program, &actions, &attr, (char *const *)argv,
			    (char *const *)environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return -r;
}

int network_proxy_start(const struct network_port *port, struct err *e)
{
	const char *folder = secure_getenv("HOLM_LIBEXEC");
	own_free char *program =
		mem_format("%s/holm-proxy", str_empty(folder) ? HOLM_LIBEXEC : folder);
	own_free char *number = mem_format("%u", port->target_port);
	char target[NETWORK_ADDRESS_TEXT];
	pid_t pid;

	network_address_format(target, &port->target, false);
	own_fd int listener = listen_at(port, e);
	if (listener < 0)
		return listener;
	own_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return err_sys(e, "open /dev/null");
	const char *const argv[] = { "holm-proxy", target, number, NULL };
	int r = spawn(program, argv, listener, null, &pid);
	return r < 0 ? err_number(e, -r, "start %s", program) : pid;
}
