#include "network/route.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/own.h"
#include "network/link.h"
#include "wire/netlink.h"

/* Who made an entry, so that nobody else's is taken back: linux/rtnetlink.h leaves the numbers that
 * it does not list to whoever wants one. */
enum { PROTOCOL_HOLM = 104 };

/* false: no address of IP. */
static bool take_address(struct network_address *to, int family, const struct rtattr *bytes)
{
	*to = (struct network_address){ .family = family };
	if (!bytes || (family != AF_INET && family != AF_INET6) ||
	    RTA_PAYLOAD(bytes) != network_address_length(to))
		return false;
	memcpy(to->bytes, RTA_DATA(bytes), RTA_PAYLOAD(bytes));
	to->prefix = (uint8_t)(network_address_length(to) * 8);
	return true;
}

/* ---- routes ---- */

struct routes_listener {
	void (*each)(void *arg, int index, const struct network_address *to);
	void *arg;
};

static void take_route(const struct nlmsghdr *message, void *context)
{
	const struct routes_listener *listener = context;
	const struct rtmsg *route = NLMSG_DATA(message);
	struct network_address to;

	if (message->nlmsg_type != RTM_NEWROUTE || route->rtm_table != RT_TABLE_MAIN ||
	    route->rtm_type != RTN_UNICAST)
		return;
	const struct rtattr *device = wire_netlink_find(message, sizeof(*route), RTA_OIF);
	if (!device || RTA_PAYLOAD(device) != sizeof(int))
		return;
	if (!take_address(&to, route->rtm_family,
			  wire_netlink_find(message, sizeof(*route), RTA_DST)))
		return;
	if (network_address_is_of_link(&to)) /* each device has this one */
		return;
	to.prefix = route->rtm_dst_len;
	listener->each(listener->arg, *(const int *)RTA_DATA(device), &to);
}

int network_route_list(int socket,
		       void (*each)(void *arg, int index, const struct network_address *to),
		       void *arg, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct rtmsg all = { .rtm_family = AF_UNSPEC };
	struct routes_listener listener = { each, arg };

	wire_netlink_begin(&request, RTM_GETROUTE, NLM_F_DUMP, &all, sizeof(all));
	int r = wire_netlink_call(socket, &request, take_route, &listener, e);
	return r < 0 ? err_add(e, "list the host's routes") : 0;
}

static int add_route(int socket, const struct network_route *route, uint16_t flag, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct rtmsg family = {
		.rtm_family = (unsigned char)route->to.family,
		.rtm_dst_len = route->to.prefix,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = PROTOCOL_HOLM,
		.rtm_scope = route->to.family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	char text[NETWORK_ADDRESS_TEXT];

	network_address_format(text, &route->to, true);
	wire_netlink_begin(&request, RTM_NEWROUTE, NLM_F_CREATE | flag, &family, sizeof(family));
	wire_netlink_add(&request, RTA_DST, route->to.bytes, network_address_length(&route->to));
	wire_netlink_add_u32(&request, RTA_OIF, (uint32_t)route->index);
	if (route->source.family)
		wire_netlink_add(&request, RTA_PREFSRC, route->source.bytes,
				 network_address_length(&route->source));
	int r = wire_netlink_call(socket, &request, NULL, NULL, e);
	if (r == -EEXIST)
		return err_set(e, ERR_EXISTS, "there is a route to %s already", text);
	return r < 0 ? err_add(e, "add a route to %s", text) : 0;
}

struct own_route {
	const struct network_address *to;
	bool found;
};

static void find_own(const struct nlmsghdr *message, void *context)
{
	struct own_route *own = context;
	const struct rtmsg *route = NLMSG_DATA(message);
	struct network_address to;

	if (message->nlmsg_type == RTM_NEWROUTE && route->rtm_protocol == PROTOCOL_HOLM &&
	    route->rtm_dst_len == own->to->prefix &&
	    take_address(&to, route->rtm_family,
			 wire_netlink_find(message, sizeof(*route), RTA_DST)) &&
	    network_address_equal(&to, own->to))
		own->found = true;
}

static bool is_own(int socket, const struct network_address *to)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct rtmsg all = { .rtm_family = (unsigned char)to->family };
	struct own_route own = { .to = to };
	struct err ignored;

	wire_netlink_begin(&request, RTM_GETROUTE, NLM_F_DUMP, &all, sizeof(all));
	return wire_netlink_call(socket, &request, find_own, &own, &ignored) == 0 && own.found;
}

/* That of a container that has ended may still be there: its device takes a moment to go. */
int network_route_add(int socket, const struct network_route *route, struct err *e)
{
	int r = add_route(socket, route, NLM_F_EXCL, e);

	if (r < 0 && e->kind == ERR_EXISTS && is_own(socket, &route->to))
		r = add_route(socket, route, NLM_F_REPLACE, e);
	return r;
}

struct source {
	int index;
	struct network_address found;
};

/* The first that is not of the link alone. */
static void take_source(void *arg, int index, const struct network_address *address)
{
	struct source *to = arg;

	if (index == to->index && address->family == to->found.family && to->found.prefix == 0 &&
	    !network_address_is_of_link(address))
		to->found = *address;
}

int network_route_source(struct network_address *ret, int socket, int index, int family,
			 struct err *e)
{
	struct source source = { index, { .family = family } };

	int r = network_link_addresses(socket, take_source, &source, e);
	if (r < 0)
		return r;
	*ret = source.found.prefix ? source.found : (struct network_address){ 0 };
	return 0;
}

/* ---- proxy entries ---- */

static void begin_answer(struct wire_netlink_request *request, uint16_t type, uint16_t flags,
			 int index, const struct network_address *address)
{
	const struct ndmsg entry = {
		.ndm_family = (unsigned char)address->family,
		.ndm_ifindex = index,
		.ndm_state = NUD_PERMANENT,
		.ndm_flags = NTF_PROXY,
	};
	const unsigned char protocol = PROTOCOL_HOLM;

	wire_netlink_begin(request, type, flags, &entry, sizeof(entry));
	wire_netlink_add(request, NDA_DST, address->bytes, network_address_length(address));
	if (type == RTM_NEWNEIGH)
		wire_netlink_add(request, NDA_PROTOCOL, &protocol, sizeof(protocol));
}

int network_route_answer(int socket, int index, const struct network_address *address,
			 struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	char text[NETWORK_ADDRESS_TEXT];

	network_address_format(text, address, false);
	begin_answer(&request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, index, address);
	int r = wire_netlink_call(socket, &request, NULL, NULL, e);
	return r < 0 ? err_add(e, "answer for %s", text) : 0;
}

int network_route_answer_no_more(int socket, int index, const struct network_address *address,
				 struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	char text[NETWORK_ADDRESS_TEXT];

	network_address_format(text, address, false);
	begin_answer(&request, RTM_DELNEIGH, 0, index, address);
	int r = wire_netlink_call(socket, &request, NULL, NULL, e);
	return r < 0 && r != -ENOENT ? err_add(e, "answer for %s no more", text) : 0;
}

struct answers_listener {
	int index;
	void (*each)(void *arg, const struct network_address *address);
	void *arg;
};

static void take_answer(const struct nlmsghdr *message, void *context)
{
	const struct answers_listener *listener = context;
	const struct ndmsg *entry = NLMSG_DATA(message);
	struct network_address address;

	if (message->nlmsg_type != RTM_NEWNEIGH || entry->ndm_ifindex != listener->index)
		return;
	const struct rtattr *protocol = wire_netlink_find(message, sizeof(*entry), NDA_PROTOCOL);
	if (!protocol || *(const unsigned char *)RTA_DATA(protocol) != PROTOCOL_HOLM)
		return;
	if (take_address(&address, entry->ndm_family,
			 wire_netlink_find(message, sizeof(*entry), NDA_DST)))
		listener->each(listener->arg, &address);
}

static int list_answers(int socket, int family, struct answers_listener *listener, struct err *e)
{
	own_clear(wire_netlink_request_clear) struct wire_netlink_request request = { 0 };
	const struct ndmsg proxies = { .ndm_family = (unsigned char)family,
				       .ndm_flags = NTF_PROXY };

	wire_netlink_begin(&request, RTM_GETNEIGH, NLM_F_DUMP, &proxies, sizeof(proxies));
	int r = wire_netlink_call(socket, &request, take_answer, listener, e);
	return r < 0 ? err_add(e, "list what is answered for") : 0;
}

int network_route_answers(int socket, int index,
			  void (*each)(void *arg, const struct network_address *address), void *arg,
			  struct err *e)
{
	struct answers_listener listener = { index, each, arg };

	int r = list_answers(socket, AF_INET, &listener, e);
	return r < 0 ? r : list_answers(socket, AF_INET6, &listener, e);
}
