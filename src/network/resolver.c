/* resolver.c - the sockets are bound to ports by chance, and the namespace's own nftables turn port
 * 53 into these on the way out and back again in the answers: a name server that the container
 * itself runs may then have port 53 on all addresses. The rules keep no state, so nothing that the
 * container sends is tracked on their account. A kernel that cannot do this binds port 53. */
#include "network/resolver.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "network/namespace.h"
#include "wire/netlink.h"

#define TABLE "holm-names"
#define CHAIN "output"

enum { PORT = 53, BACKLOG = 16, PRIORITY_RAW = -300 };

void network_resolver_close(struct network_resolver *resolver)
{
	if (resolver->udp >= 0)
		close(resolver->udp);
	if (resolver->tcp >= 0)
		close(resolver->tcp);
	*resolver = (struct network_resolver)NETWORK_RESOLVER_INIT;
}

/* ---- sockets ---- */

/* port 0: any; returns it. The device may not be up yet. */
static int bind_to(int fd, uint16_t port, struct err *e)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t length = sizeof(address);
	int on = 1;

	inet_pton(AF_INET, NETWORK_RESOLVER, &address.sin_addr);
	if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return err_sys(e, "bind %s, port %u", NETWORK_RESOLVER, port);
	return ntohs(address.sin_port);
}

static int open_one(int *ret, int type, uint16_t port, struct err *e)
{
	own_fd int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "make a socket");
	int bound = bind_to(fd, port, e);
	if (bound < 0)
		return bound;
	if (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
		return err_sys(e, "listen on %s", NETWORK_RESOLVER);
	*ret = take_fd(&fd);
	return bound;
}

/* ---- rules ---- */

static void add_be(struct wire_netlink_request *to, uint16_t type, uint32_t value)
{
	wire_netlink_add_u32(to, type, htonl(value));
}

/* An expression begins; its two nests are ended by end_expression(). */
struct expression {
	size_t element;
	size_t data;
};

static struct expression begin_expression(struct wire_netlink_request *to, const char *name)
{
	struct expression expression = { .element = wire_netlink_nest(to, NFTA_LIST_ELEM) };

	wire_netlink_add_text(to, NFTA_EXPR_NAME, name);
	expression.data = wire_netlink_nest(to, NFTA_EXPR_DATA);
	return expression;
}

static void end_expression(struct wire_netlink_request *to, struct expression expression)
{
	wire_netlink_nest_end(to, expression.data);
	wire_netlink_nest_end(to, expression.element);
}

static void add_value(struct wire_netlink_request *to, uint16_t type, const void *bytes,
		      size_t length)
{
	size_t nest = wire_netlink_nest(to, type);

	wire_netlink_add(to, NFTA_DATA_VALUE, bytes, length);
	wire_netlink_nest_end(to, nest);
}

static void compare(struct wire_netlink_request *to, const void *bytes, size_t length)
{
	struct expression expression = begin_expression(to, "cmp");

	add_be(to, NFTA_CMP_SREG, NFT_REG_1);
	add_be(to, NFTA_CMP_OP, NFT_CMP_EQ);
	add_value(to, NFTA_CMP_DATA, bytes, length);
	end_expression(to, expression);
}

static void match_protocol(struct wire_netlink_request *to, uint8_t protocol)
{
	struct expression expression = begin_expression(to, "meta");

	add_be(to, NFTA_META_DREG, NFT_REG_1);
	add_be(to, NFTA_META_KEY, NFT_META_L4PROTO);
	end_expression(to, expression);
	compare(to, &protocol, sizeof(protocol));
}

static void match_payload(struct wire_netlink_request *to, uint32_t base, uint32_t offset,
			  const void *bytes, size_t length)
{
	struct expression expression = begin_expression(to, "payload");

	add_be(to, NFTA_PAYLOAD_DREG, NFT_REG_1);
	add_be(to, NFTA_PAYLOAD_BASE, base);
	add_be(to, NFTA_PAYLOAD_OFFSET, offset);
	add_be(to, NFTA_PAYLOAD_LEN, (uint32_t)length);
	end_expression(to, expression);
	compare(to, bytes, length);
}

static void write_port(struct wire_netlink_request *to, uint8_t protocol, uint32_t offset,
		       const uint16_t *port)
{
	struct expression expression = begin_expression(to, "immediate");

	add_be(to, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	add_value(to, NFTA_IMMEDIATE_DATA, port, sizeof(*port));
	end_expression(to, expression);
	expression = begin_expression(to, "payload");
	add_be(to, NFTA_PAYLOAD_SREG, NFT_REG_1);
	add_be(to, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER);
	add_be(to, NFTA_PAYLOAD_OFFSET, offset);
	add_be(to, NFTA_PAYLOAD_LEN, sizeof(*port));
	add_be(to, NFTA_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_INET);
	add_be(to, NFTA_PAYLOAD_CSUM_OFFSET,
	       protocol == IPPROTO_UDP ? offsetof(struct udphdr, check)
				       : offsetof(struct tcphdr, check));
	end_expression(to, expression);
}

/* What goes to (or comes from) our address and this port has that one instead. Source and
 * destination port lie in the same places in both protocols. */
static void add_rule(struct wire_netlink_request *to, uint8_t protocol, bool answers, int from,
		     int into)
{
	const struct nfgenmsg family = { .nfgen_family = NFPROTO_IPV4, .version = NFNETLINK_V0 };
	uint32_t address_at =
		answers ? offsetof(struct iphdr, saddr) : offsetof(struct iphdr, daddr);
	uint32_t port_at =
		answers ? offsetof(struct udphdr, source) : offsetof(struct udphdr, dest);
	uint16_t old_port = htons((uint16_t)from), new_port = htons((uint16_t)into);
	struct in_addr address;

	inet_pton(AF_INET, NETWORK_RESOLVER, &address);
	wire_netlink_next(to, "add a rule", NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE,
			  NLM_F_CREATE | NLM_F_APPEND, &family, sizeof(family));
	wire_netlink_add_text(to, NFTA_RULE_TABLE, TABLE);
	wire_netlink_add_text(to, NFTA_RULE_CHAIN, CHAIN);
	size_t all = wire_netlink_nest(to, NFTA_RULE_EXPRESSIONS);
	match_payload(to, NFT_PAYLOAD_NETWORK_HEADER, address_at, &address, sizeof(address));
	match_protocol(to, protocol);
	match_payload(to, NFT_PAYLOAD_TRANSPORT_HEADER, port_at, &old_port, sizeof(old_port));
	write_port(to, protocol, port_at, &new_port);
	wire_netlink_nest_end(to, all);
}

static void add_chain(struct wire_netlink_request *to)
{
	const struct nfgenmsg family = { .nfgen_family = NFPROTO_IPV4, .version = NFNETLINK_V0 };

	wire_netlink_next(to, "add a table", NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE,
			  NLM_F_CREATE, &family, sizeof(family));
	wire_netlink_add_text(to, NFTA_TABLE_NAME, TABLE);
	wire_netlink_next(to, "add a chain", NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN,
			  NLM_F_CREATE, &family, sizeof(family));
	wire_netlink_add_text(to, NFTA_CHAIN_TABLE, TABLE);
	wire_netlink_add_text(to, NFTA_CHAIN_NAME, CHAIN);
	size_t hook = wire_netlink_nest(to, NFTA_CHAIN_HOOK);
	add_be(to, NFTA_HOOK_HOOKNUM, NF_INET_LOCAL_OUT);
	add_be(to, NFTA_HOOK_PRIORITY, (uint32_t)PRIORITY_RAW);
	wire_netlink_nest_end(to, hook);
	wire_netlink_add_text(to, NFTA_CHAIN_TYPE, "filter");
}

static int add_rules(int socket, int udp_port, int tcp_port, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };

	add_chain(&request);
	add_rule(&request, IPPROTO_UDP, false, PORT, udp_port);
	add_rule(&request, IPPROTO_UDP, true, udp_port, PORT);
	add_rule(&request, IPPROTO_TCP, false, PORT, tcp_port);
	add_rule(&request, IPPROTO_TCP, true, tcp_port, PORT);
	return wire_netlink_commit(socket, &request, NFNL_SUBSYS_NFTABLES, e);
}

/* ---- in the namespace ---- */

static int open_translated(struct network_resolver *resolver, struct err *e)
{
	own_fd int socket = wire_netlink_open_filter(e);
	if (socket < 0)
		return socket;
	int udp_port = open_one(&resolver->udp, SOCK_DGRAM, 0, e);
	if (udp_port < 0)
		return udp_port;
	int tcp_port = open_one(&resolver->tcp, SOCK_STREAM, 0, e);
	return tcp_port < 0 ? tcp_port : add_rules(socket, udp_port, tcp_port, e);
}

static int open_here(struct network_resolver *resolver, struct err *e)
{
	int r = open_translated(resolver, e);

	if (r == 0)
		return 0;
	log_debug("port 53 of %s is not translated: %s", NETWORK_RESOLVER, e->text);
	network_resolver_close(resolver);
	r = open_one(&resolver->udp, SOCK_DGRAM, PORT, e);
	if (r >= 0)
		r = open_one(&resolver->tcp, SOCK_STREAM, PORT, e);
	return r < 0 ? r : 0;
}

static int enter_and_open(struct network_resolver *ret, const struct network_namespace *namespace,
			  struct err *e)
{
	int back = network_namespace_enter(namespace, e);
	if (back < 0)
		return back;
	int r = open_here(ret, e);
	network_namespace_leave(back);
	return r;
}

/* Where there is no way back from: a child opens them. */
static int open_in_child(void *arg, int *fds, struct err *e)
{
	const struct network_namespace *namespace = arg;
	struct network_resolver made = NETWORK_RESOLVER_INIT;

	if (setns(namespace->fd, CLONE_NEWNET) < 0)
		return err_sys(e, "enter the container's network namespace");
	int r = open_here(&made, e);
	fds[0] = made.udp;
	fds[1] = made.tcp;
	return r;
}

static int open_by_child(struct network_resolver *ret, const struct network_namespace *namespace,
			 struct err *e)
{
	int fds[2];

	int r = child_open(fds, 2, open_in_child, (void *)namespace, e);
	if (r == 0)
		*ret = (struct network_resolver){ fds[0], fds[1] };
	return r;
}

int network_resolver_open(struct network_resolver *ret, const struct network_namespace *namespace,
			  struct err *e)
{
	struct network_resolver made = NETWORK_RESOLVER_INIT;

	int r = network_namespace_is_ours() ? enter_and_open(&made, namespace, e)
					    : open_by_child(&made, namespace, e);
	if (r < 0)
		network_resolver_close(&made);
	else
		*ret = made;
	return r < 0 ? err_add(e, "open the container's name server") : 0;
}
