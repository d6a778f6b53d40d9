#include "network/reserve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/str.h"
#include "network/port_owner.h"

/* Of any port that all addresses have to have free. */
enum { ANY_TRIES = 64, ADDRESSES_MAX = 8, FIRST_BYTES_MAX = 32 };

int network_reserve_open(struct network_reserve *ret, struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret->pair) < 0)
		return err_sys(e, "make a socket pair");
	return 0;
}

void network_reserve_close(struct network_reserve *reserve)
{
	for (int i = 0; i < 2; i++)
		if (reserve->pair[i] >= 0)
			close(take_fd(&reserve->pair[i]));
}

/* ---- one socket ---- */

static socklen_t fill(struct sockaddr_storage *to, const struct network_address *address,
		      uint16_t port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)to;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	to->ss_family = (sa_family_t)address->family;
	if (address->family == AF_INET) {
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, address->bytes, sizeof(four->sin_addr));
		return sizeof(*four);
	}
	six->sin6_port = htons(port);
	memcpy(&six->sin6_addr, address->bytes, sizeof(six->sin6_addr));
	return sizeof(*six);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address = { 0 };
	socklen_t length = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return 0;
	return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
						  : ((struct sockaddr_in6 *)&address)->sin6_port);
}

static int make_socket(int protocol, int family, struct err *e)
{
	int type = protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM, on = 1;

	own_fd int fd = socket(family, type | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT
			       ? -errno
			       : err_sys(e, "make a socket");
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return err_sys(e, "set up a socket");
	return take_fd(&fd);
}

/* The ends of connections to an earlier server on the port (TIME_WAIT) are in nobody's way: with
 * SO_REUSEADDR they do not count, which the socket does not keep, since with it others would not
 * count it either. But a socket that nobody sees, as this one is, has to be asked for without. */
static int bind_late(int fd, const struct sockaddr_storage *address, socklen_t length)
{
	int on = 1, off = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)address, length) < 0)
		return -errno;
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off)) < 0 ? -errno : 0;
}

static int taken(const struct network_address *host, int protocol, uint16_t port, struct err *e)
{
	char address[NETWORK_ADDRESS_TEXT], owner[NETWORK_PORT_OWNER_TEXT];

	network_address_format(address, host, false);
	if (network_port_owner(owner, protocol, host, port) <= 0)
		strcpy(owner, "a socket of no process that can be seen");
	return err_set(e, ERR_EXISTS, "port %u/%s of %s is taken by %s", port,
		       network_port_protocol_name(protocol), address, owner);
}

/* ip-sysctl.rst, ip_unprivileged_port_start: of this network namespace. */
static int privileged(uint16_t port, struct err *e)
{
	own_clear(str_clear) struct str first = { 0 };
	struct err unread;

	if (fd_read_file_at(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start",
			    FIRST_BYTES_MAX, &first, &unread) < 0)
		str_add(&first, "1024");
	err_set(e, ERR_PERMISSION, "port %u: ports below %.*s are not for ordinary users", port,
		(int)strcspn(first.text, "\n"), first.text);
	return err_hint(e,
			"take a higher one, or have an administrator set sysctl "
			"net.ipv4.ip_unprivileged_port_start=%u",
			port);
}

/* Returns the socket. -EAFNOSUPPORT, -EPROTONOSUPPORT: there can be none. */
static int bind_one(int protocol, const struct network_address *host, uint16_t port, struct err *e)
{
	char owner[NETWORK_PORT_OWNER_TEXT], text[NETWORK_ADDRESS_TEXT];
	struct sockaddr_storage address;

	own_fd int fd = make_socket(protocol, host->family, e);
	if (fd < 0)
		return fd;
	socklen_t length = fill(&address, host, port);
	int r = bind(fd, (struct sockaddr *)&address, length) < 0 ? -errno : 0;
	if (r == -EADDRINUSE && protocol == IPPROTO_TCP && port &&
	    network_port_owner(owner, protocol, host, port) == 0)
		r = bind_late(fd, &address, length);
	network_address_format(text, host, false);
	if (r == -EADDRINUSE)
		return taken(host, protocol, port, e);
	if (r == -EACCES)
		return privileged(port, e);
	if (r == -EADDRNOTAVAIL)
		return err_set(e, ERR_INVALID, "%s is no address of this host", text);
	return r < 0 ? err_number(e, -r, "bind to %s, port %u", text, port) : take_fd(&fd);
}

/* ---- one port ---- */

static void close_all(int *fds, size_t count)
{
	while (count > 0)
		if (fds[--count] >= 0)
			close(take_fd(&fds[count]));
}

static bool is_missing(int r)
{
	return r == -EAFNOSUPPORT || r == -EPROTONOSUPPORT;
}

/* At all addresses; *port 0: at any. */
static int bind_all(int fds[ADDRESSES_MAX], int protocol, const struct network_address *addresses,
		    size_t count, uint16_t *port, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		fds[i] = bind_one(protocol, &addresses[i], *port, e);
		if (is_missing(fds[i]))
			continue;
		if (fds[i] < 0) {
			int r = fds[i];
			close_all(fds, i);
			return r;
		}
		*port = port_of(fds[i]);
	}
	return 0;
}

static int hold(struct network_reserve *reserve, int fds[ADDRESSES_MAX], size_t count,
		struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			fds[n++] = fds[i];
	int r = n ? fd_send(reserve->pair[0], "", 1, fds, n, e) : 0;
	close_all(fds, n);
	return r < 0 ? err_add(e, "hold the host's port") : 0;
}

int network_reserve_take(uint16_t *ret, struct network_reserve *reserve, int protocol,
			 const struct network_address *addresses, size_t count,
			 struct network_port_range range, struct err *e)
{
	unsigned tries = range.low ? range.high - range.low + 1U : ANY_TRIES;
	int fds[ADDRESSES_MAX];
	uint16_t port = 0;
	int r = -EADDRINUSE;

	if (count > ADDRESSES_MAX)
		return err_set(e, ERR_INVALID, "a port at more than %d addresses", ADDRESSES_MAX);
	for (unsigned i = 0; r < 0 && i < tries; i++) {
		port = range.low ? (uint16_t)(range.low + i) : 0;
		r = bind_all(fds, protocol, addresses, count, &port, e);
		if (r < 0 && e->kind != ERR_EXISTS)
			return r;
	}
	if (r < 0 && tries > 1 && range.low)
		return err_set(e, ERR_EXISTS, "all of the ports %u-%u/%s are taken", range.low,
			       range.high, network_port_protocol_name(protocol));
	if (r < 0)
		return r;
	if (port == 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "this kernel has no %s to choose a port of: name one",
			       network_port_protocol_name(protocol));
	*ret = port;
	return hold(reserve, fds, count, e);
}

/* ---- giving back ---- */

static bool is_of(int fd, int protocol, uint16_t port)
{
	int its = 0;
	socklen_t length = sizeof(its);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &its, &length) == 0 && its == protocol &&
	       port_of(fd) == port;
}

static int put_back(struct network_reserve *reserve, int fds[FD_PASS_MAX], size_t count,
		    int protocol, uint16_t port, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (is_of(fds[i], protocol, port))
			close(fds[i]);
		else
			fds[n++] = fds[i];
	int r = n ? fd_send(reserve->pair[0], "", 1, fds, n, e) : 0;
	while (n > 0)
		close(fds[--n]);
	return r;
}

/* Each goes round once: a mark tells where the queue began. */
int network_reserve_drop(struct network_reserve *reserve, int protocol, uint16_t port,
			 struct err *e)
{
	int r = fd_send(reserve->pair[0], "|", 1, NULL, 0, e);

	while (r == 0) {
		int fds[FD_PASS_MAX];
		size_t count = 0;
		char mark = 0;
		ssize_t n = fd_receive(reserve->pair[1], &mark, 1, fds, &count, e);
		if (n < 0)
			return (int)n;
		if (n == 0 || mark == '|')
			return 0;
		r = put_back(reserve, fds, count, protocol, port, e);
	}
	return r;
}
