/* subnets.c - a subnet is taken if another network has it, if a device of the host has an address
 * in it, or if the host has a route to (a part of) it. A route that is wider, as that into a VPN,
 * leaves a person free to name a part of it; what is chosen keeps clear of those, too. */
#include "network/subnets.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "network/link.h"
#include "network/route.h"

/* The networks that nobody gave a subnet get one of the parts of these: the first is what hardly
 * anybody uses, the others are for hosts with a route to all of 10.0.0.0/8. */
static const char *const pools[] = { "10.99.0.0/16", "172.28.0.0/14", "192.168.0.0/16" };
enum { POOL_PREFIX = 24 };

int network_subnets_read(struct network_subnets *ret, const struct network *network, struct err *e)
{
	*ret = (struct network_subnets){ 0 };
	if (network->subnets.count > NETWORK_SUBNETS_MAX)
		return err_set(e, ERR_CORRUPT, "network %s has %zu subnets, more than %d",
			       network->name, network->subnets.count, NETWORK_SUBNETS_MAX);
	for (size_t i = 0; i < network->subnets.count; i++) {
		const struct network_subnet *s = &network->subnets.items[i];
		int r = network_address_parse_subnet(&ret->subnets[i], s->subnet, e);
		if (r == 0 && s->gateway)
			r = network_address_parse(&ret->gateways[i], s->gateway, e);
		if (r < 0)
			return err_add(e, "network %s", network->name);
		ret->gateways[i].prefix = ret->subnets[i].prefix;
	}
	ret->count = network->subnets.count;
	return 0;
}

/* ---- what is taken ---- */

struct taken {
	struct network_address address; /* with the prefix of its subnet */
	bool route;                     /* a way to it is all there is */
	char owner[160];                /* "the network web", "eth0" */
};

struct map {
	struct taken *items;
	size_t count;
	int parent; /* the device that does not count */
};

static void map_clear(struct map *map)
{
	free(map->items);
}

static struct taken *map_add(struct map *map, const struct network_address *address,
			     const char *owner)
{
	map->items = mem_resize(map->items, map->count + 1, sizeof(*map->items));
	struct taken *item = &map->items[map->count++];
	*item = (struct taken){ .address = *address };
	snprintf(item->owner, sizeof(item->owner), "%s", owner);
	return item;
}

static struct taken *add_device(struct map *map, int index, const struct network_address *address)
{
	char name[IF_NAMESIZE] = "a device";

	if_indextoname((unsigned)index, name);
	return map_add(map, address, name);
}

static void add_address(void *arg, int index, const struct network_address *address)
{
	struct map *map = arg;

	if (index != map->parent)
		add_device(map, index, address);
}

static void add_route(void *arg, int index, const struct network_address *to)
{
	struct map *map = arg;

	/* of one host: a container that is routed, or the way to a VPN's own end */
	bool host = to->prefix == 8 * network_address_length(to);

	if (index != map->parent && to->prefix > 0 && !host)
		add_device(map, index, to)->route = true;
}

static int map_read(struct map *map, int socket, const struct networks *others, struct err *e)
{
	struct network_address subnet;
	struct err ignored;

	for (size_t i = 0; i < others->items.count; i++) {
		const struct network *other = &others->items.items[i];
		own_free char *owner = mem_format("the network %s", other->name);
		for (size_t k = 0; k < other->subnets.count; k++)
			if (network_address_parse_subnet(&subnet, other->subnets.items[k].subnet,
							 &ignored) == 0)
				map_add(map, &subnet, owner);
	}
	int r = network_link_addresses(socket, add_address, map, e);
	return r < 0 ? r : network_route_list(socket, add_route, map, e);
}

/* wide: also a route that is wider than the subnet. */
static const struct taken *map_find(const struct map *map, const struct network_address *subnet,
				    bool wide)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct taken *item = &map->items[i];
		if (item->route && !wide ? network_address_holds(subnet, &item->address)
					 : network_address_overlaps(subnet, &item->address))
			return item;
	}
	return NULL;
}

/* ---- choosing ---- */

static bool has_ipv4(const struct network *network)
{
	for (size_t i = 0; i < network->subnets.count; i++)
		if (!strchr(network->subnets.items[i].subnet, ':'))
			return true;
	return false;
}

/* The first of its list. */
static void add_first(struct network *network, const struct network_address *subnet)
{
	char text[NETWORK_ADDRESS_TEXT];

	network_address_format(text, subnet, true);
	shape_list_add(&network->subnets);
	struct network_subnet *all = network->subnets.items;
	memmove(all + 1, all, (network->subnets.count - 1) * sizeof(*all));
	all[0] = (struct network_subnet){ .subnet = mem_text(text) };
}

/* false: all of it is taken. */
static bool choose_of(struct network *network, const char *text, const struct map *map)
{
	struct network_address pool = { 0 }, subnet;
	struct err never;

	network_address_parse_subnet(&pool, text, &never);
	for (unsigned i = 0; i < 1U << (POOL_PREFIX - pool.prefix); i++) {
		subnet = network_address_nth(&pool, (uint64_t)i << (32 - POOL_PREFIX));
		subnet.prefix = POOL_PREFIX;
		if (map_find(map, &subnet, true))
			continue;
		add_first(network, &subnet);
		return true;
	}
	return false;
}

static int choose_subnet(struct network *network, const struct map *map, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(pools); i++)
		if (choose_of(network, pools[i], map))
			return 0;
	err_set(e, ERR_NO_SPACE, "all subnets of %s, %s and %s are in use", pools[0], pools[1],
		pools[2]);
	return err_hint(e, "name one with --subnet, or remove networks: holm network prune");
}

/* ---- checking ---- */

static int plan_gateway(struct network_subnet *s, const struct network_address *subnet,
			const struct network_subnets_wish *wish, struct err *e)
{
	struct network_address gateway;
	char text[NETWORK_ADDRESS_TEXT];

	if (!s->gateway && !wish->gateway)
		return 0;
	if (!s->gateway) {
		gateway = network_address_nth(subnet, 1);
		network_address_format(text, &gateway, false);
		s->gateway = mem_text(text);
	}
	int r = network_address_parse(&gateway, s->gateway, e);
	if (r < 0)
		return err_add(e, "--gateway");
	r = network_address_check_host(subnet, &gateway, e);
	return r < 0 ? err_add(e, "--gateway") : 0;
}

static int check_range(const struct network_subnet *s, const struct network_address *subnet,
		       struct err *e)
{
	struct network_address range;

	if (!s->range)
		return 0;
	int r = network_address_parse_subnet(&range, s->range, e);
	if (r < 0)
		return err_add(e, "--ip-range");
	if (!network_address_holds(subnet, &range) || network_address_hosts(&range) == 0)
		return err_set(e, ERR_INVALID, "--ip-range %s: not a part of %s", s->range,
			       s->subnet);
	return 0;
}

/* A bridge of another store's, which may be gone. */
static int hint_store(int socket, const struct taken *taken, struct err *e)
{
	struct network_link link;
	struct err ignored;

	if (network_link_find(&link, socket, taken->owner, &ignored) == 0 &&
	    str_equal(link.kind, "bridge") && str_starts(link.alias, "holm:"))
		err_hint(e,
			 "%s is a bridge of another --root of holm's; if that is gone: ip link "
			 "delete %s",
			 taken->owner, taken->owner);
	return -e->number;
}

static int plan_subnet(struct network_subnet *s, struct map *map, int socket,
		       const struct network_subnets_wish *wish, struct err *e)
{
	struct network_address subnet;
	char text[NETWORK_ADDRESS_TEXT];

	int r = network_address_parse_subnet(&subnet, s->subnet, e);
	if (r < 0)
		return err_add(e, "--subnet");
	if (network_address_hosts(&subnet) < (wish->gateway ? 2 : 1))
		return err_set(e, ERR_INVALID, "--subnet %s: too small for %s", s->subnet,
			       wish->gateway ? "a gateway and a container" : "a container");
	const struct taken *taken = map_find(map, &subnet, false);
	if (taken) {
		network_address_format(text, &taken->address, true);
		err_set(e, ERR_EXISTS, "--subnet %s: it overlaps %s %s %s", s->subnet, text,
			taken->route ? "to which the host has a route by" : "of", taken->owner);
		return hint_store(socket, taken, e);
	}
	r = plan_gateway(s, &subnet, wish, e);
	if (r == 0)
		r = check_range(s, &subnet, e);
	if (r == 0)
		map_add(map, &subnet, "another --subnet");
	return r;
}

int network_subnets_plan(struct network *network, const struct networks *others, int socket,
			 const struct network_subnets_wish *wish, struct err *e)
{
	own_clear(map_clear) struct map map = { 0 };
	struct network_link parent = { 0 };
	int r = 0;

	if (wish->parent)
		r = network_link_find(&parent, socket, wish->parent, e);
	map.parent = parent.index;
	if (r == 0)
		r = map_read(&map, socket, others, e);
	if (r == 0 && !wish->named && !has_ipv4(network))
		r = choose_subnet(network, &map, e);
	if (r == 0 && network->subnets.count > NETWORK_SUBNETS_MAX)
		r = err_set(e, ERR_INVALID, "--subnet: at most %d", NETWORK_SUBNETS_MAX);
	for (size_t i = 0; r == 0 && i < network->subnets.count; i++)
		r = plan_subnet(&network->subnets.items[i], &map, socket, wish, e);
	return r;
}

int network_subnets_check_free(const struct network_subnets *subnets, int socket, struct err *e)
{
	own_clear(map_clear) struct map map = { 0 };
	char text[NETWORK_ADDRESS_TEXT], other[NETWORK_ADDRESS_TEXT];

	int r = network_link_addresses(socket, add_address, &map, e);
	for (size_t i = 0; r == 0 && i < subnets->count; i++) {
		const struct taken *taken = map_find(&map, &subnets->subnets[i], false);
		if (!taken)
			continue;
		network_address_format(text, &subnets->subnets[i], true);
		network_address_format(other, &taken->address, true);
		err_set(e, ERR_EXISTS, "its subnet %s overlaps %s of %s", text, other,
			taken->owner);
		r = hint_store(socket, taken, e);
	}
	return r;
}
