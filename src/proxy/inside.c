#include "proxy/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "proxy/way.h"

/* ---- addresses ---- */

socklen_t proxy_inside_length(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
}

/* Both families have it at one place. */
in_port_t proxy_inside_port(const struct sockaddr_storage *address)
{
	return ((const struct sockaddr_in *)address)->sin_port;
}

void proxy_inside_set_port(struct sockaddr_storage *address, in_port_t port)
{
	((struct sockaddr_in *)address)->sin_port = port;
}

/* ---- going there ---- */

int proxy_inside_enter(int namespace_fd, struct err *e)
{
	return setns(namespace_fd, CLONE_NEWNET) < 0 ? err_sys(e, "enter the container's network")
						     : 0;
}

int proxy_inside_drop(struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct rights[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = 1U << CAP_NET_ADMIN, .permitted = 1U << CAP_NET_ADMIN }
	};

	return syscall(SYS_capset, &header, rights) < 0 ? err_sys(e, "give up rights") : 0;
}

/* ---- the service ---- */

static bool is_usable(const struct ifaddrs *entry, int family)
{
	if (!entry->ifa_addr || entry->ifa_addr->sa_family != family ||
	    (entry->ifa_flags & (IFF_UP | IFF_LOOPBACK)) != IFF_UP)
		return false;
	return family == AF_INET ||
	       !IN6_IS_ADDR_LINKLOCAL(&((struct sockaddr_in6 *)entry->ifa_addr)->sin6_addr);
}

static bool find(struct sockaddr_storage *to, const struct ifaddrs *all, int family)
{
	for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next)
		if (is_usable(entry, family)) {
			memset(to, 0, sizeof(*to));
			memcpy(to, entry->ifa_addr,
			       family == AF_INET ? sizeof(struct sockaddr_in)
						 : sizeof(struct sockaddr_in6));
			return true;
		}
	return false;
}

bool proxy_inside_find(struct sockaddr_storage *to, int family)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return false;
	bool found = find(to, all, family) || find(to, all, family == AF_INET ? AF_INET6 : AF_INET);
	freeifaddrs(all);
	return found;
}

/* What the container takes for itself (127.0.0.1 may be whom a service trusts) or for its link
 * does not come from outside. */
static bool means_the_same(const struct sockaddr_storage *client)
{
	const struct in6_addr *six = &((const struct sockaddr_in6 *)client)->sin6_addr;
	uint32_t four = ntohl(((const struct sockaddr_in *)client)->sin_addr.s_addr);

	if (client->ss_family == AF_INET6)
		return !IN6_IS_ADDR_LOOPBACK(six) && !IN6_IS_ADDR_LINKLOCAL(six) &&
		       !IN6_IS_ADDR_UNSPECIFIED(six) && !IN6_IS_ADDR_V4MAPPED(six);
	return four >> 24 != 127 && four >> 16 != 0xa9fe && four != INADDR_ANY;
}

static bool is_good_inside(const struct sockaddr_storage *client,
			   const struct sockaddr_storage *target)
{
	return client->ss_family == target->ss_family && means_the_same(client);
}

bool proxy_inside_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *four[] = { (const void *)a, (const void *)b };
	const struct sockaddr_in6 *six[] = { (const void *)a, (const void *)b };

	if (a->ss_family != b->ss_family)
		return false;
	return a->ss_family == AF_INET ? four[0]->sin_addr.s_addr == four[1]->sin_addr.s_addr
				       : IN6_ARE_ADDR_EQUAL(&six[0]->sin6_addr, &six[1]->sin6_addr);
}

/* Who is this host speaks from the address that he speaks to, and the kernel drops what comes from
 * elsewhere with an address of its own. */
static bool is_this_host(const struct sockaddr_storage *client,
			 const struct sockaddr_storage *local)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)client;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)client;

	if (proxy_inside_same(client, local))
		return true;
	return client->ss_family == AF_INET ? ntohl(four->sin_addr.s_addr) >> 24 == 127
					    : IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

/* An internal network leads nowhere. */
static bool has_route(const struct sockaddr_storage *to)
{
	own_fd int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)to, proxy_inside_length(to)) == 0;
}

bool proxy_inside_may(const struct sockaddr_storage *client, const struct sockaddr_storage *local,
		      const struct sockaddr_storage *target)
{
	struct sockaddr_storage far = *client;
	struct sockaddr_in *four = (struct sockaddr_in *)&far;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&far;
	bool kept = is_good_inside(client, target);

	if (is_this_host(client, local))
		return true;
	/* of the documentation (RFC 5737, RFC 3849): somewhere else */
	if (!kept && target->ss_family == AF_INET) {
		inet_pton(AF_INET, "192.0.2.1", &four->sin_addr);
	} else if (!kept) {
		inet_pton(AF_INET6, "2001:db8::1", &six->sin6_addr);
		six->sin6_scope_id = 0; /* it says a device of the host's */
	}
	far.ss_family = target->ss_family;
	return has_route(&far);
}

static int bind_as(int fd, const struct sockaddr_storage *client)
{
	struct sockaddr_storage any_port = *client;

	if (bind(fd, (const struct sockaddr *)client, proxy_inside_length(client)) == 0)
		return 0;
	/* of a service that listens at the port it is asked from, as NTP's; and of one client who
	 * asks at two addresses of the host's */
	if (errno != EADDRINUSE)
		return -errno;
	proxy_inside_set_port(&any_port, 0);
	return bind(fd, (const struct sockaddr *)&any_port, proxy_inside_length(client)) < 0
		       ? -errno
		       : 0;
}

/* A stream's own port may be in use by one that has ended. Two of datagrams with one address and
 * one port would take each other's answers. */
static int speak_as(int fd, int type, const struct sockaddr_storage *client)
{
	int on = 1, mark = PROXY_WAY_MARK;
	bool four = client->ss_family == AF_INET;

	if (setsockopt(fd, four ? SOL_IP : SOL_IPV6, four ? IP_TRANSPARENT : IPV6_TRANSPARENT, &on,
		       sizeof(on)) < 0)
		return -errno;
	if (type == SOCK_STREAM && (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0 ||
				    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0))
		return -errno;
	return bind_as(fd, client);
}

static int connect_as(const struct sockaddr_storage *target, int type,
		      const struct sockaddr_storage *client)
{
	own_fd int fd = socket(target->ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = client ? speak_as(fd, type, client) : 0;
	if (r == 0 && connect(fd, (const struct sockaddr *)target, proxy_inside_length(target)) < 0)
		r = -errno;
	return r < 0 ? r : take_fd(&fd);
}

int proxy_inside_connect(bool *keeps, int type, const struct sockaddr_storage *target,
			 const struct sockaddr_storage *client)
{
	int fd = -EADDRNOTAVAIL;

	if (*keeps && is_good_inside(client, target))
		fd = connect_as(target, type, client);
	/* one that refuses does so to all */
	if (fd >= 0 || fd == -ECONNREFUSED)
		return fd;
	*keeps = false;
	return connect_as(target, type, NULL);
}
