/* routed.c - inside, the way to everywhere is an address of the link that the host has on each such
 * link (169.254.0.1, fe80::1). The route to the container goes with its device; what the parent
 * device answers for does not, and is taken back by leave. After a crash it stays until the next
 * container joins a network of that parent: an answer for which there is no route of ours is
 * nobody's. So the route comes first when something is made. */
#include "network/routed.h"

#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "network/control.h"
#include "network/host.h"
#include "network/namespace.h"
#include "network/pair.h"
#include "network/route.h"
#include "network/subnets.h"
#include "wire/netlink.h"

#define OPTION_PARENT "parent"

const char *const network_routed_options[] = { OPTION_PARENT, NULL };

/* The host's, on the link to each container. */
static struct network_address own_address(int family)
{
	struct network_address address = { 0 };
	struct err never;

	network_address_parse(&address, family == AF_INET ? "169.254.0.1" : "fe80::1", &never);
	return address;
}

static const char *parent_of(const struct network *network)
{
	return shape_map_get(&network->options, OPTION_PARENT);
}

int network_routed_plan(struct network *network, const struct networks *others, struct err *e)
{
	const struct network_subnets_wish wish = { .parent = parent_of(network) };

	if (wish.parent && network->subnets.count == 0) {
		err_set(e, ERR_INVALID, "which addresses may its containers have?");
		return err_hint(e,
				"--subnet of %s, with --ip-range for the part that nobody else "
				"uses",
				wish.parent);
	}
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	return network_subnets_plan(network, others, socket, &wish, e);
}

/* ---- the parent ---- */

struct answers {
	struct network_address *items;
	size_t count;
};

static void answers_clear(struct answers *answers)
{
	free(answers->items);
}

static void take_answer(void *arg, const struct network_address *address)
{
	struct answers *answers = arg;

	answers->items = mem_resize(answers->items, answers->count + 1, sizeof(*answers->items));
	answers->items[answers->count++] = *address;
}

/* Nobody's are those to which no route is left. */
static void leave_out_routed(void *arg, int index, const struct network_address *to)
{
	struct answers *answers = arg;

	(void)index;
	for (size_t i = 0; i < answers->count; i++)
		if (network_address_equal(&answers->items[i], to) &&
		    answers->items[i].prefix == to->prefix)
			answers->items[i--] = answers->items[--answers->count];
}

/* What a crash left. The routes are asked for last: what is answered for had its route before. */
static int sweep(int socket, int parent, struct err *e)
{
	own_clear(answers_clear) struct answers answers = { 0 };

	int r = network_route_answers(socket, parent, take_answer, &answers, e);
	if (r == 0 && answers.count)
		r = network_route_list(socket, leave_out_routed, &answers, e);
	for (size_t i = 0; r == 0 && i < answers.count; i++)
		r = network_route_answer_no_more(socket, parent, &answers.items[i], e);
	return r;
}

static int ensure_parent(int socket, const struct network *network, const char *parent,
			 const struct network_subnets *s, struct err *e)
{
	struct network_link link;

	int r = network_link_find(&link, socket, parent, e);
	for (size_t i = 0; r == 0 && i < s->count; i++)
		if (s->subnets[i].family == AF_INET6)
			r = network_host_answer_ndp(parent, e);
	if (r == 0)
		r = sweep(socket, link.index, e);
	return r < 0 ? err_add(e, "the parent of network %s", network->name) : link.index;
}

int network_routed_ensure(const struct store *store, const struct network *network, struct err *e)
{
	const char *parent = parent_of(network);
	struct network_subnets s;

	(void)store;
	int r = network_subnets_read(&s, network, e);
	for (size_t i = 0; r == 0 && i < s.count; i++)
		r = network_host_forward(s.subnets[i].family, e);
	if (r < 0 || !parent)
		return r;
	own_fd int socket = wire_netlink_open(e);
	return socket < 0 ? socket : ensure_parent(socket, network, parent, &s, e);
}

/* ---- a container ---- */

/* The container's address and nothing beside it; the host's, on the same link. */
static int set_inner(const struct network *network, const struct network_namespace *namespace,
		     const struct network_member *member, struct err *e)
{
	struct network_address alone[NETWORK_SUBNETS_MAX];
	struct network_inner_route routes[NETWORK_SUBNETS_MAX] = { 0 };
	struct network_inner inner = {
		.name = member->device,
		.addresses = alone,
		.addresses_count = member->count,
		.routes = routes,
	};
	bool has[2] = { false, false };
	struct network_subnets s;

	int r = network_subnets_read(&s, network, e);
	for (size_t i = 0; r == 0 && i < member->count; i++) {
		int family = member->addresses[i].family;
		alone[i] = member->addresses[i];
		alone[i].prefix = (uint8_t)(network_address_length(&alone[i]) * 8);
		/* the first network is the way to everywhere, another one to its own subnets */
		if (member->default_route && has[family == AF_INET6])
			continue;
		has[family == AF_INET6] = true;
		struct network_inner_route *route = &routes[inner.routes_count++];
		route->gateway = own_address(family);
		if (!member->default_route)
			route->to = s.subnets[i];
	}
	return r < 0 ? r : network_link_set_inner(namespace->socket, &inner, e);
}

static int set_outer(int socket, int parent, const struct network_member *member, struct err *e)
{
	struct network_address own[NETWORK_SUBNETS_MAX];
	struct network_link link;

	int r = network_link_find(&link, socket, member->outer, e);
	for (size_t i = 0; i < member->count; i++)
		own[i] = own_address(member->addresses[i].family);
	if (r == 0)
		r = network_link_raise(socket, link.index, own, member->count, e);
	for (size_t i = 0; r == 0 && i < member->count; i++) {
		struct network_route route = { .to = member->addresses[i], .index = link.index };
		route.to.prefix = (uint8_t)(network_address_length(&route.to) * 8);
		if (parent)
			r = network_route_source(&route.source, socket, parent, route.to.family, e);
		if (r == 0)
			r = network_route_add(socket, &route, e);
		if (r == 0 && parent)
			r = network_route_answer(socket, parent, &route.to, e);
	}
	return r;
}

int network_routed_join(const struct network *network, int parent,
			const struct network_namespace *namespace, struct network_member *member,
			struct err *e)
{
	const struct network_pair pair = { .mtu = network->mtu };
	struct network_address routers[NETWORK_SUBNETS_MAX];
	struct network_dhcp dhcp = { 0 };

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	int r = network_pair_make(socket, &pair, namespace, member, e);
	for (size_t i = 0; i < member->count; i++)
		routers[i] = own_address(member->addresses[i].family);
	bool answered = network_dhcp_plan(&dhcp, member, routers, network->mtu);
	dhcp.address.prefix = 32;
	if (r == 0)
		r = network_control_pair(socket, member, answered ? &dhcp : NULL, true, e);
	if (r == 0)
		r = set_inner(network, namespace, member, e);
	if (r == 0)
		r = set_outer(socket, parent, member, e);
	return r < 0 ? err_add(e, "join the network %s", network->name) : 0;
}

/* A parent that is gone has taken its entries along. */
void network_routed_leave(const struct network *network, const struct network_left *left)
{
	const char *parent = parent_of(network);
	struct network_address address;
	struct network_link link;
	struct err ignored;

	own_fd int socket = parent ? wire_netlink_open(&ignored) : -1;
	if (socket < 0 || network_link_find(&link, socket, parent, &ignored) < 0)
		return;
	for (size_t i = 0; i < left->addresses->count; i++)
		if (network_address_parse(&address, left->addresses->items[i], &ignored) == 0)
			network_route_answer_no_more(socket, link.index, &address, &ignored);
}
