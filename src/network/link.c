#include "network/link.h"

#include <ctype.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "wire/netlink.h"

int network_link_check_name(const char *name, struct err *e)
{
	bool good = !str_empty(name) && strlen(name) < NETWORK_LINK_NAME && !str_equal(name, ".") &&
		    !str_equal(name, "..");

	for (const char *c = name; good && *c; c++)
		good = *c != '/' && *c != ':' && *c != '%' && isgraph((unsigned char)*c);
	if (good)
		return 0;
	return err_set(e, ERR_INVALID,
		       "'%.40s' is no name of a network device: 1 to 15 letters, without blanks, "
		       "/, : or %%",
		       name);
}

bool network_link_parse_mac(unsigned char to[NETWORK_MAC], const char *text)
{
	unsigned char mac[NETWORK_MAC];

	if (!text || sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1], &mac[2],
			    &mac[3], &mac[4], &mac[5]) != NETWORK_MAC)
		return false;
	memcpy(to, mac, sizeof(mac));
	return true;
}

bool network_link_has_no_mac(const unsigned char mac[NETWORK_MAC])
{
	static const unsigned char none[NETWORK_MAC];

	return memcmp(mac, none, NETWORK_MAC) == 0;
}

/* ---- finding ---- */

static void copy_text(char *to, size_t size, const struct rtattr *from)
{
	if (from)
		snprintf(to, size, "%.*s", (int)RTA_PAYLOAD(from), (const char *)RTA_DATA(from));
}

static void take_link(const struct nlmsghdr *message, void *context)
{
	const struct ifinfomsg *link = NLMSG_DATA(message);
	struct network_link *to = context;

	if (message->nlmsg_type != RTM_NEWLINK)
		return;
	to->index = link->ifi_index;
	to->up = link->ifi_flags & IFF_UP;
	copy_text(to->alias, sizeof(to->alias),
		  wire_netlink_find(message, sizeof(*link), IFLA_IFALIAS));
	const struct rtattr *mac = wire_netlink_find(message, sizeof(*link), IFLA_ADDRESS);
	if (mac && RTA_PAYLOAD(mac) == sizeof(to->mac))
		memcpy(to->mac, RTA_DATA(mac), sizeof(to->mac));
	const struct rtattr *master = wire_netlink_find(message, sizeof(*link), IFLA_MASTER);
	if (master && RTA_PAYLOAD(master) == sizeof(to->master))
		memcpy(&to->master, RTA_DATA(master), sizeof(to->master));
	const struct rtattr *mtu = wire_netlink_find(message, sizeof(*link), IFLA_MTU);
	if (mtu && RTA_PAYLOAD(mtu) == sizeof(to->mtu))
		memcpy(&to->mtu, RTA_DATA(mtu), sizeof(to->mtu));
	const struct rtattr *details = wire_netlink_find(message, sizeof(*link), IFLA_LINKINFO);
	if (details)
		copy_text(to->kind, sizeof(to->kind),
			  wire_netlink_find_in(details, IFLA_INFO_KIND));
}

int network_link_find(struct network_link *ret, int socket, const char *name, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct network_link found = { 0 };

	wire_netlink_begin(&request, RTM_GETLINK, 0, &link, sizeof(link));
	wire_netlink_add_text(&request, IFLA_IFNAME, name);
	int r = wire_netlink_call(socket, &request, take_link, &found, e);
	if (r == -ENODEV || (r == 0 && found.index == 0))
		return err_set(e, ERR_NOT_FOUND, "there is no network device %s", name);
	if (r < 0)
		return err_add(e, "find network device %s", name);
	*ret = found;
	return 0;
}

/* ---- addresses and routes ---- */

static void add_address(struct wire_netlink_request *request, int index, uint16_t flags,
			const struct network_address *address)
{
	const struct ifaddrmsg family = {
		.ifa_family = (unsigned char)address->family,
		.ifa_prefixlen = address->prefix,
		.ifa_scope =
			network_address_is_of_link(address) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.ifa_index = (unsigned)index,
	};
	unsigned length = network_address_length(address);

	wire_netlink_next(request, "add an address", RTM_NEWADDR, flags, &family, sizeof(family));
	wire_netlink_add(request, IFA_LOCAL, address->bytes, length);
	wire_netlink_add(request, IFA_ADDRESS, address->bytes, length);
	/* ours alone: nobody needs to be asked whether it is free */
	if (address->family == AF_INET6)
		wire_netlink_add_u32(request, IFA_FLAGS, IFA_F_NODAD);
}

static void add_route(struct wire_netlink_request *request, int index, uint16_t flags,
		      const struct network_inner_route *route)
{
	const struct rtmsg family = {
		.rtm_family = (unsigned char)route->gateway.family,
		.rtm_dst_len = route->to.prefix,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = route->direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
		/* the gateway that no subnet holds */
		.rtm_flags = route->gateway.family == AF_INET &&
					     network_address_is_of_link(&route->gateway)
				     ? RTNH_F_ONLINK
				     : 0,
	};
	unsigned length = network_address_length(&route->gateway);

	wire_netlink_next(request, "add a route", RTM_NEWROUTE, flags, &family, sizeof(family));
	if (route->to.prefix)
		wire_netlink_add(request, RTA_DST, route->to.bytes, length);
	if (!route->direct)
		wire_netlink_add(request, RTA_GATEWAY, route->gateway.bytes, length);
	wire_netlink_add_u32(request, RTA_OIF, (uint32_t)index);
}

static void add_raise(struct wire_netlink_request *request, int index)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC,
					.ifi_index = index,
					.ifi_flags = IFF_UP,
					.ifi_change = IFF_UP };

	wire_netlink_next(request, "raise the device", RTM_NEWLINK, 0, &link, sizeof(link));
}

struct addresses_listener {
	void (*each)(void *arg, int index, const struct network_address *address);
	void *arg;
};

static void take_address(const struct nlmsghdr *message, void *context)
{
	const struct ifaddrmsg *found = NLMSG_DATA(message);
	const struct addresses_listener *listener = context;
	struct network_address address = { .family = found->ifa_family,
					   .prefix = found->ifa_prefixlen };

	if (message->nlmsg_type != RTM_NEWADDR ||
	    (address.family != AF_INET && address.family != AF_INET6))
		return;
	/* with a peer IFA_ADDRESS is the peer's */
	const struct rtattr *bytes = wire_netlink_find(message, sizeof(*found), IFA_LOCAL);
	if (!bytes)
		bytes = wire_netlink_find(message, sizeof(*found), IFA_ADDRESS);
	if (!bytes || RTA_PAYLOAD(bytes) != network_address_length(&address))
		return;
	memcpy(address.bytes, RTA_DATA(bytes), RTA_PAYLOAD(bytes));
	listener->each(listener->arg, (int)found->ifa_index, &address);
}

int network_link_addresses(int socket,
			   void (*each)(void *arg, int index,
					const struct network_address *address),
			   void *arg, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ifaddrmsg all = { .ifa_family = AF_UNSPEC };
	struct addresses_listener listener = { each, arg };

	wire_netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, &all, sizeof(all));
	int r = wire_netlink_call(socket, &request, take_address, &listener, e);
	return r < 0 ? err_add(e, "list the host's addresses") : 0;
}

/* ---- bridges ---- */

int network_link_raise(int socket, int index, const struct network_address *addresses, size_t count,
		       struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };

	for (size_t i = 0; i < count; i++)
		add_address(&request, index, NLM_F_CREATE | NLM_F_REPLACE, &addresses[i]);
	add_raise(&request, index);
	return wire_netlink_call(socket, &request, NULL, NULL, e);
}

/* The alias cannot be given at birth: net/core/rtnetlink.c, rtnl_create_link(). */
static int make_device(int socket, const struct network_bridge *bridge, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };

	wire_netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	wire_netlink_add_text(&request, IFLA_IFNAME, bridge->name);
	wire_netlink_add(&request, IFLA_ADDRESS, bridge->mac, NETWORK_MAC);
	if (bridge->mtu)
		wire_netlink_add_u32(&request, IFLA_MTU, bridge->mtu);
	size_t details = wire_netlink_nest(&request, IFLA_LINKINFO);
	wire_netlink_add_text(&request, IFLA_INFO_KIND, "bridge");
	wire_netlink_nest_end(&request, details);
	return wire_netlink_call(socket, &request, NULL, NULL, e);
}

int network_link_set_alias(int socket, int index, const char *alias, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = index };

	wire_netlink_begin(&request, RTM_SETLINK, 0, &link, sizeof(link));
	wire_netlink_add(&request, IFLA_IFALIAS, alias, strlen(alias));
	return wire_netlink_call(socket, &request, NULL, NULL, e);
}

int network_link_make_bridge(int socket, const struct network_bridge *bridge,
			     const struct network_address *addresses, size_t count, struct err *e)
{
	struct network_link made;
	struct err ignored;

	int r = make_device(socket, bridge, e);
	if (r == -EEXIST)
		return err_set(e, ERR_EXISTS, "there is a network device %s already", bridge->name);
	if (r < 0)
		return err_add(e, "make the bridge %s", bridge->name);
	r = network_link_find(&made, socket, bridge->name, e);
	if (r == 0)
		r = network_link_set_alias(socket, made.index, bridge->alias, e);
	if (r == 0)
		r = network_link_raise(socket, made.index, addresses, count, e);
	if (r < 0) {
		network_link_delete(socket, bridge->name, &ignored);
		return err_add(e, "make the bridge %s", bridge->name);
	}
	return made.index;
}

int network_link_delete(int socket, const char *name, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };

	wire_netlink_begin(&request, RTM_DELLINK, 0, &link, sizeof(link));
	wire_netlink_add_text(&request, IFLA_IFNAME, name);
	int r = wire_netlink_call(socket, &request, NULL, NULL, e);
	if (r == -ENODEV)
		return err_set(e, ERR_NOT_FOUND, "there is no network device %s", name);
	return r < 0 ? err_add(e, "remove the network device %s", name) : 0;
}

/* ---- veth pairs ---- */

/* The peer is a whole message of its own within the attribute: drivers/net/veth.c. */
static void add_peer(struct wire_netlink_request *request, const struct network_veth *veth)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	size_t peer = wire_netlink_nest(request, VETH_INFO_PEER);

	wire_netlink_add_raw(request, &link, sizeof(link));
	wire_netlink_add_text(request, IFLA_IFNAME, veth->inner);
	wire_netlink_add(request, IFLA_ADDRESS, veth->mac, sizeof(veth->mac));
	wire_netlink_add_u32(request, IFLA_NET_NS_FD, (uint32_t)veth->namespace_fd);
	if (veth->mtu)
		wire_netlink_add_u32(request, IFLA_MTU, veth->mtu);
	wire_netlink_nest_end(request, peer);
}

/* Not at birth: the kernel takes a port's options from those that exist (rtnl_changelink()). */
static void add_port(struct wire_netlink_request *request, const struct network_veth *veth)
{
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	const unsigned char on = 1;

	wire_netlink_next(request, "set up the bridge's port", RTM_NEWLINK, 0, &link, sizeof(link));
	wire_netlink_add_text(request, IFLA_IFNAME, veth->outer);
	size_t details = wire_netlink_nest(request, IFLA_LINKINFO);
	wire_netlink_add_text(request, IFLA_INFO_SLAVE_KIND, "bridge");
	size_t port = wire_netlink_nest(request, IFLA_INFO_SLAVE_DATA);
	if (veth->hairpin)
		wire_netlink_add(request, IFLA_BRPORT_MODE, &on, sizeof(on));
	if (veth->isolated)
		wire_netlink_add(request, IFLA_BRPORT_ISOLATED, &on, sizeof(on));
	wire_netlink_nest_end(request, port);
	wire_netlink_nest_end(request, details);
}

int network_link_set_hairpin(int socket, const char *name, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct network_veth port = { .outer = name, .hairpin = true };

	add_port(&request, &port);
	return wire_netlink_call(socket, &request, NULL, NULL, e);
}

int network_link_set_bridge(int socket, const struct network_veth *veth, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC };

	wire_netlink_begin(&request, RTM_SETLINK, 0, &link, sizeof(link));
	wire_netlink_add_text(&request, IFLA_IFNAME, veth->outer);
	wire_netlink_add_u32(&request, IFLA_MASTER, (uint32_t)veth->bridge);
	if (veth->hairpin || veth->isolated)
		add_port(&request, veth);
	int r = wire_netlink_call(socket, &request, NULL, NULL, e);
	return r < 0 ? err_add(e, "make %s a port of its bridge", veth->outer) : 0;
}

int network_link_make_veth(int socket, const struct network_veth *veth, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ifinfomsg link = { .ifi_family = AF_UNSPEC,
					.ifi_flags = IFF_UP,
					.ifi_change = IFF_UP };

	wire_netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof(link));
	wire_netlink_add_text(&request, IFLA_IFNAME, veth->outer);
	if (veth->bridge)
		wire_netlink_add_u32(&request, IFLA_MASTER, (uint32_t)veth->bridge);
	if (veth->mtu)
		wire_netlink_add_u32(&request, IFLA_MTU, veth->mtu);
	size_t details = wire_netlink_nest(&request, IFLA_LINKINFO);
	wire_netlink_add_text(&request, IFLA_INFO_KIND, "veth");
	size_t specific = wire_netlink_nest(&request, IFLA_INFO_DATA);
	add_peer(&request, veth);
	wire_netlink_nest_end(&request, specific);
	wire_netlink_nest_end(&request, details);
	if (veth->hairpin || veth->isolated)
		add_port(&request, veth);
	int r = wire_netlink_call(socket, &request, NULL, NULL, e);
	if (r == -EEXIST)
		return err_set(e, ERR_EXISTS, "there is a network device %s already", veth->outer);
	return r < 0 ? err_add(e, "make the pair of %s and %s", veth->outer, veth->inner) : 0;
}

int network_link_set_inner(int socket, const struct network_inner *inner, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	struct network_link link;

	int r = network_link_find(&link, socket, inner->name, e);
	if (r < 0)
		return r;
	add_raise(&request, 1); /* lo is the first device of every namespace */
	add_raise(&request, link.index);
	for (size_t i = 0; i < inner->addresses_count; i++)
		add_address(&request, link.index, NLM_F_CREATE | NLM_F_EXCL, &inner->addresses[i]);
	for (size_t i = 0; i < inner->routes_count; i++)
		add_route(&request, link.index, NLM_F_CREATE | NLM_F_EXCL, &inner->routes[i]);
	r = wire_netlink_call(socket, &request, NULL, NULL, e);
	return r < 0 ? err_add(e, "%s", inner->name) : 0;
}

int network_link_set_default(int socket, const char *device, const struct network_address *gateways,
			     size_t count, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	struct network_link link;

	int r = network_link_find(&link, socket, device, e);
	if (r < 0 || count == 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		const struct network_inner_route route = { .gateway = gateways[i] };
		add_route(&request, link.index, NLM_F_CREATE | NLM_F_REPLACE, &route);
	}
	r = wire_netlink_call(socket, &request, NULL, NULL, e);
	return r < 0 ? err_add(e, "%s", device) : 0;
}
