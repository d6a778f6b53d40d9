/* loop.c - both devices have one MAC and resolve no addresses (IFF_NOARP), so that what leaves by
 * the one is for the other. The rules name the devices by index: made anew, they need new rules. */
#include "network/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/str.h"
#include "network/firewall.h"
#include "network/link.h"
#include "wire/netlink.h"

#define ALIAS "holm:judged ports"

/* A packet of any size goes through whole. */
enum { LOOP_MTU = 65535 };

/* ---- what is there ---- */

static bool has_table(int socket, int family)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct nfgenmsg header = { .nfgen_family = (unsigned char)family,
					 .version = NFNETLINK_V0 };
	struct err ignored;

	wire_netlink_begin(&request, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, 0, &header,
			   sizeof(header));
	wire_netlink_add_text(&request, NFTA_TABLE_NAME, NETWORK_FIREWALL_TABLE);
	return wire_netlink_call(socket, &request, NULL, NULL, &ignored) == 0;
}

static bool has_device(int socket, const char *name)
{
	struct network_link link;
	struct err ignored;

	return network_link_find(&link, socket, name, &ignored) == 0 && link.up &&
	       str_equal(link.alias, ALIAS);
}

bool network_loop_ready(void)
{
	struct err ignored;

	own_fd int filter = wire_netlink_open_filter(&ignored);
	own_fd int socket = wire_netlink_open(&ignored);

	return filter >= 0 && socket >= 0 && has_device(socket, NETWORK_LOOP_IN) &&
	       has_table(filter, NFPROTO_IPV4) && has_table(filter, NFPROTO_IPV6);
}

/* ---- the devices ---- */

static void add_end(struct wire_netlink_request *request, const char *name)
{
	static const unsigned char mac[NETWORK_MAC] = { 0x02, 0x42, 0, 0, 0, 1 };

	wire_netlink_add_text(request, IFLA_IFNAME, name);
	wire_netlink_add(request, IFLA_ADDRESS, mac, sizeof(mac));
	wire_netlink_add_u32(request, IFLA_MTU, LOOP_MTU);
}

static int make_pair(int socket, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC,
					.ifi_flags = IFF_UP | IFF_NOARP,
					.ifi_change = IFF_UP | IFF_NOARP };
	/* it is born first, and cannot be up alone (veth_open()) */
	const struct ifinfomsg down = { .ifi_family = AF_UNSPEC,
					.ifi_flags = IFF_NOARP,
					.ifi_change = IFF_NOARP };

	wire_netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	add_end(&request, NETWORK_LOOP_OUT);
	size_t details = wire_netlink_nest(&request, IFLA_LINKINFO);
	wire_netlink_add_text(&request, IFLA_INFO_KIND, "veth");
	size_t specific = wire_netlink_nest(&request, IFLA_INFO_DATA);
	size_t peer = wire_netlink_nest(&request, VETH_INFO_PEER);
	wire_netlink_add_raw(&request, &down, sizeof(down));
	add_end(&request, NETWORK_LOOP_IN);
	wire_netlink_nest_end(&request, peer);
	wire_netlink_nest_end(&request, specific);
	wire_netlink_nest_end(&request, details);
	return wire_netlink_call(socket, &request, NULL, NULL, e);
}

/* 192.0.0.8 is the address that stands for none (RFC 7600); without one the kernel takes no packet
 * here while it looks at where packets come from at all, however loosely. */
static int set_in(int socket, int index, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	static const unsigned char dummy[] = { 192, 0, 0, 8 };
	const struct ifaddrmsg address = { .ifa_family = AF_INET,
					   .ifa_prefixlen = 32,
					   .ifa_scope = RT_SCOPE_HOST,
					   .ifa_index = (unsigned)index };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC,
					.ifi_index = index,
					.ifi_flags = IFF_UP,
					.ifi_change = IFF_UP };

	wire_netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &address,
			   sizeof(address));
	wire_netlink_add(&request, IFA_LOCAL, dummy, sizeof(dummy));
	wire_netlink_add(&request, IFA_ADDRESS, dummy, sizeof(dummy));
	wire_netlink_next(&request, "raise it", RTM_SETLINK, 0, &link, sizeof(link));
	wire_netlink_add(&request, IFLA_IFALIAS, ALIAS, strlen(ALIAS));
	int r = wire_netlink_call(socket, &request, NULL, NULL, e);
	/* what comes in here came in by another device, and its answer leaves there */
	return r < 0 ? r
		     : fd_write_control_at(AT_FDCWD,
					   "/proc/sys/net/ipv4/conf/" NETWORK_LOOP_IN "/rp_filter",
					   "2", e);
}

static int make_devices(struct err *e)
{
	struct network_link link;

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	int r = network_link_delete(socket, NETWORK_LOOP_OUT, e);
	if (r < 0 && e->kind != ERR_NOT_FOUND)
		return r;
	r = make_pair(socket, e);
	if (r == 0)
		r = network_link_find(&link, socket, NETWORK_LOOP_IN, e);
	return r < 0 ? r : set_in(socket, link.index, e);
}

/* ---- the rules ---- */

static const char rules[] =
#include "network/loop.inc"
	;

int network_loop_ensure(struct err *e)
{
	if (network_loop_ready())
		return 0;
	int r = make_devices(e);
	if (r == 0)
		r = network_firewall_load(rules, e);
	return r < 0 ? err_add(e, "make the way of published ports through the host's firewall")
		     : 0;
}
