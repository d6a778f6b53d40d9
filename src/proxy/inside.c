/* inside.c - a connection that is made here and speaks as somebody else (IP_TRANSPARENT) gets its
 * answers only if packets to that address stay in this namespace. Those of the service do: the
 * first packet is marked, the service's socket takes over its mark (tcp_fwmark_accept,
 * ip-sysctl.rst), and what has the mark is routed by a table in which every address is this
 * namespace's own. Nothing else is: not what the service asks of the same client by itself. */
#include "proxy/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"

/* "holm" and "ho", so that nobody has them by chance. PRIORITY is before the main table's 32766. */
enum { MARK = 0x686f6c6d, TABLE = 0x686f, PRIORITY = 100, LOOPBACK = 1 };

/* ---- the way back ---- */

struct request {
	struct nlmsghdr header;
	union {
		struct fib_rule_hdr rule;
		struct rtmsg route;
	};
	struct {
		struct rtattr attribute;
		uint32_t value;
	} values[3];
};

static void set(struct request *r, int index, unsigned short type, uint32_t value)
{
	r->values[index].attribute.rta_type = type;
	r->values[index].attribute.rta_len = RTA_LENGTH(sizeof(value));
	r->values[index].value = value;
}

static int ask(int socket, struct request *r, unsigned short type)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer;

	r->header = (struct nlmsghdr){ .nlmsg_len = sizeof(*r),
				       .nlmsg_type = type,
				       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE |
						      NLM_F_EXCL };
	if (send(socket, r, sizeof(*r), 0) < 0)
		return -errno;
	ssize_t n = recv(socket, &answer, sizeof(answer), MSG_TRUNC);
	if (n < (ssize_t)sizeof(answer) || answer.header.nlmsg_type != NLMSG_ERROR)
		return n < 0 ? -errno : -EPROTO;
	/* of another port of the container's */
	return answer.error.error == -EEXIST ? 0 : answer.error.error;
}

static int add_rule(int socket, unsigned char family)
{
	struct request r = { .rule = { .family = family, .action = FR_ACT_TO_TBL } };

	set(&r, 0, FRA_FWMARK, MARK);
	set(&r, 1, FRA_TABLE, TABLE);
	set(&r, 2, FRA_PRIORITY, PRIORITY);
	return ask(socket, &r, RTM_NEWRULE);
}

static int add_route(int socket, unsigned char family)
{
	struct request r = { .route = { .rtm_family = family,
					.rtm_protocol = RTPROT_STATIC,
					.rtm_scope = RT_SCOPE_HOST,
					.rtm_type = RTN_LOCAL } };

	set(&r, 0, RTA_OIF, LOOPBACK);
	set(&r, 1, RTA_TABLE, TABLE);
	set(&r, 2, RTA_PRIORITY, 1);
	return ask(socket, &r, RTM_NEWROUTE);
}

/* Not in containers whose /proc/sys may not be written to. */
static bool make_way_back(void)
{
	static const unsigned char families[] = { AF_INET, AF_INET6 };
	int r = 0;

	own_fd int accept =
		open("/proc/sys/net/ipv4/tcp_fwmark_accept", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	own_fd int socket_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (accept < 0 || socket_fd < 0 || fd_write_all(accept, "1", 1) < 0)
		return false;
	for (size_t i = 0; r == 0 && i < COUNT_OF(families); i++) {
		r = add_rule(socket_fd, families[i]);
		if (r == 0)
			r = add_route(socket_fd, families[i]);
		if (families[i] == AF_INET6)
			r = 0; /* a kernel may have none */
	}
	return r == 0;
}

int proxy_inside_enter(bool *ret_keeps, int namespace_fd, struct err *e)
{
	if (setns(namespace_fd, CLONE_NEWNET) < 0)
		return err_sys(e, "enter the container's network");
	*ret_keeps = make_way_back();
	return 0;
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

static socklen_t length_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
}

/* Who is this host speaks from the address that he speaks to, and the kernel drops what comes from
 * elsewhere with an address of its own. */
static bool is_this_host(const struct sockaddr_storage *client,
			 const struct sockaddr_storage *local)
{
	const struct sockaddr_in *four[] = { (const void *)client, (const void *)local };
	const struct sockaddr_in6 *six[] = { (const void *)client, (const void *)local };

	if (client->ss_family == AF_INET)
		return four[0]->sin_addr.s_addr == four[1]->sin_addr.s_addr ||
		       ntohl(four[0]->sin_addr.s_addr) >> 24 == 127;
	return IN6_ARE_ADDR_EQUAL(&six[0]->sin6_addr, &six[1]->sin6_addr) ||
	       IN6_IS_ADDR_LOOPBACK(&six[0]->sin6_addr);
}

/* An internal network leads nowhere. */
static bool has_route(const struct sockaddr_storage *to)
{
	own_fd int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)to, length_of(to)) == 0;
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

static int speak_as(int fd, const struct sockaddr_storage *client)
{
	int on = 1, mark = MARK;
	bool four = client->ss_family == AF_INET;

	if (setsockopt(fd, four ? SOL_IP : SOL_IPV6, four ? IP_TRANSPARENT : IPV6_TRANSPARENT, &on,
		       sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)client, length_of(client)) < 0)
		return -errno;
	return 0;
}

static int connect_as(const struct sockaddr_storage *target, const struct sockaddr_storage *client)
{
	own_fd int fd = socket(target->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = client ? speak_as(fd, client) : 0;
	if (r == 0 && connect(fd, (const struct sockaddr *)target, length_of(target)) < 0)
		r = -errno;
	return r < 0 ? r : take_fd(&fd);
}

int proxy_inside_connect(const struct sockaddr_storage *target,
			 const struct sockaddr_storage *client, bool keeps)
{
	int fd = -EADDRNOTAVAIL;

	if (keeps && is_good_inside(client, target))
		fd = connect_as(target, client);
	/* its port may be another's in there; one that refuses does so to all */
	return fd >= 0 || fd == -ECONNREFUSED ? fd : connect_as(target, NULL);
}
