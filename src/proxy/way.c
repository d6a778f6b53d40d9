#include "proxy/way.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"

/* TABLE is "ho", and of UDP each process has a table of its own, with its number. PRIORITY is
 * before the main table's 32766. */
enum { TABLE = 0x686f, UDP_TABLES = 0x68000000, PRIORITY = 100, LOOPBACK = 1, VALUES_MAX = 256 };

static const unsigned char families[] = { AF_INET, AF_INET6 };

/* ---- netlink ---- */

struct request {
	struct nlmsghdr header;
	union {
		struct fib_rule_hdr rule;
		struct rtmsg route;
	};
	char values[VALUES_MAX];
};
_Static_assert(sizeof(struct fib_rule_hdr) == sizeof(struct rtmsg), "one place for the values");

static void add(struct request *r, unsigned short type, const void *value, unsigned short length)
{
	struct rtattr *attribute = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(length);
	memcpy(RTA_DATA(attribute), value, length);
	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

static void add_number(struct request *r, unsigned short type, uint32_t value)
{
	add(r, type, &value, sizeof(value));
}

static struct request new_request(unsigned short type, unsigned short flags)
{
	return (struct request){ .header = { .nlmsg_len = offsetof(struct request, values),
					     .nlmsg_type = type,
					     .nlmsg_flags = (unsigned short)(NLM_F_REQUEST |
									     NLM_F_ACK | flags) } };
}

static int ask(int socket, const struct request *r)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer;

	if (send(socket, r, r->header.nlmsg_len, 0) < 0)
		return -errno;
	ssize_t n = recv(socket, &answer, sizeof(answer), MSG_TRUNC);
	if (n < (ssize_t)sizeof(answer) || answer.header.nlmsg_type != NLMSG_ERROR)
		return n < 0 ? -errno : -EPROTO;
	/* of another port of the container's */
	return answer.error.error == -EEXIST ? 0 : answer.error.error;
}

static int open_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

static struct request new_route(unsigned short type, unsigned short flags, unsigned char family,
				uint32_t table)
{
	struct request r = new_request(type, flags);

	r.route = (struct rtmsg){ .rtm_family = family,
				  .rtm_protocol = RTPROT_STATIC,
				  .rtm_scope = RT_SCOPE_HOST,
				  .rtm_type = RTN_LOCAL };
	add_number(&r, RTA_OIF, LOOPBACK);
	add_number(&r, RTA_TABLE, table);
	add_number(&r, RTA_PRIORITY, 1);
	return r;
}

/* ---- TCP ---- */

static int add_mark(int socket, unsigned char family)
{
	struct request r = new_request(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);

	r.rule = (struct fib_rule_hdr){ .family = family, .action = FR_ACT_TO_TBL };
	add_number(&r, FRA_FWMARK, PROXY_WAY_MARK);
	add_number(&r, FRA_TABLE, TABLE);
	add_number(&r, FRA_PRIORITY, PRIORITY);
	return ask(socket, &r);
}

bool proxy_way_mark(void)
{
	int r = 0;

	own_fd int accept =
		open("/proc/sys/net/ipv4/tcp_fwmark_accept", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	own_fd int netlink = open_netlink();
	if (accept < 0 || netlink < 0 || fd_write_all(accept, "1", 1) < 0)
		return false;
	for (size_t i = 0; r == 0 && i < COUNT_OF(families); i++) {
		const struct request route =
			new_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, families[i], TABLE);
		r = add_mark(netlink, families[i]);
		if (r == 0)
			r = ask(netlink, &route);
		if (families[i] == AF_INET6)
			r = 0; /* a kernel may have none */
	}
	return r == 0;
}

/* ---- UDP ---- */

static uint32_t udp_table(void)
{
	return UDP_TABLES + (uint32_t)getpid();
}

static int ask_rule(const struct proxy_way *way, unsigned short type, unsigned char family)
{
	const struct fib_rule_port_range port = { ntohs(way->port), ntohs(way->port) };
	const uint8_t protocol = IPPROTO_UDP;
	struct request r = new_request(type, type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0);

	r.rule = (struct fib_rule_hdr){ .family = family, .action = FR_ACT_TO_TBL };
	add_number(&r, FRA_TABLE, udp_table());
	add_number(&r, FRA_PRIORITY, PRIORITY);
	add(&r, FRA_IP_PROTO, &protocol, sizeof(protocol));
	add(&r, FRA_SPORT_RANGE, &port, sizeof(port));
	return ask(way->socket, &r);
}

bool proxy_way_open(struct proxy_way *way, in_port_t port)
{
	*way = (struct proxy_way){ open_netlink(), port };
	if (way->socket < 0)
		return false;
	ask_rule(way, RTM_NEWRULE, AF_INET6); /* a kernel may have none */
	if (ask_rule(way, RTM_NEWRULE, AF_INET) == 0)
		return true;
	proxy_way_close(way);
	return false;
}

void proxy_way_close(struct proxy_way *way)
{
	for (size_t i = 0; way->socket >= 0 && i < COUNT_OF(families); i++)
		ask_rule(way, RTM_DELRULE, families[i]);
	if (way->socket >= 0)
		close(way->socket);
	way->socket = -1;
}

static void add_address(struct request *r, unsigned short type,
			const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		add(r, type, &((const struct sockaddr_in *)address)->sin_addr,
		    sizeof(struct in_addr));
	else
		add(r, type, &((const struct sockaddr_in6 *)address)->sin6_addr,
		    sizeof(struct in6_addr));
}

static struct request new_client(unsigned short type, unsigned short flags,
				 const struct sockaddr_storage *client)
{
	bool four = client->ss_family == AF_INET;
	struct request r = new_route(type, flags, (unsigned char)client->ss_family, udp_table());

	r.route.rtm_dst_len =
		(unsigned char)(8 * (four ? sizeof(struct in_addr) : sizeof(struct in6_addr)));
	add_address(&r, RTA_DST, client);
	return r;
}

bool proxy_way_add(const struct proxy_way *way, const struct sockaddr_storage *client,
		   const struct sockaddr_storage *from)
{
	struct request r = new_client(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, client);

	add_address(&r, RTA_PREFSRC, from);
	return way->socket >= 0 && ask(way->socket, &r) == 0;
}

void proxy_way_remove(const struct proxy_way *way, const struct sockaddr_storage *client)
{
	const struct request r = new_client(RTM_DELROUTE, 0, client);

	if (way->socket >= 0)
		ask(way->socket, &r);
}
