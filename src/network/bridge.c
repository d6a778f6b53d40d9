#include "network/bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "network/firewall.h"
#include "network/namespace.h"
#include "wire/netlink.h"

/* The networks that nobody gave a subnet get one of the 256 of this, if nobody here has it. */
#define POOL "10.99.0.0/16"
enum { POOL_PREFIX = 24, NAME_TRIES = 8 };

/* As given in Docker's option. */
#define OPTION_BRIDGE "com.docker.network.bridge.name"

/* What a network's texts say. */
struct parsed {
	struct network_address subnets[NETWORK_SUBNETS_MAX];
	struct network_address gateways[NETWORK_SUBNETS_MAX]; /* with the subnet's prefix */
	size_t count;
};

static int parse(struct parsed *ret, const struct network *network, struct err *e)
{
	*ret = (struct parsed){ 0 };
	if (network->subnets.count == 0 || network->subnets.count > NETWORK_SUBNETS_MAX)
		return err_set(e, ERR_CORRUPT, "network %s has %zu subnets, not 1 to %d",
			       network->name, network->subnets.count, NETWORK_SUBNETS_MAX);
	for (size_t i = 0; i < network->subnets.count; i++) {
		const struct network_subnet *s = &network->subnets.items[i];
		int r = network_address_parse_subnet(&ret->subnets[i], s->subnet, e);
		if (r == 0)
			r = network_address_parse(&ret->gateways[i], s->gateway, e);
		if (r < 0)
			return err_add(e, "network %s", network->name);
		ret->gateways[i].prefix = ret->subnets[i].prefix;
	}
	ret->count = network->subnets.count;
	return 0;
}

/* ---- planning ---- */

struct taken {
	struct network_address address; /* with the prefix of its subnet */
	char owner[160];                /* "the network web", "eth0" */
};

struct map {
	struct taken *items;
	size_t count;
};

static void map_clear(struct map *map)
{
	free(map->items);
}

static void map_add(struct map *map, const struct network_address *address, const char *owner)
{
	map->items = mem_resize(map->items, map->count + 1, sizeof(*map->items));
	struct taken *item = &map->items[map->count++];
	item->address = *address;
	snprintf(item->owner, sizeof(item->owner), "%s", owner);
}

static void add_host(void *arg, int index, const struct network_address *address)
{
	char name[IF_NAMESIZE] = "a device";

	if_indextoname((unsigned)index, name);
	map_add(arg, address, name);
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
	return network_link_addresses(socket, add_host, map, e);
}

static const struct taken *map_find(const struct map *map, const struct network_address *subnet)
{
	for (size_t i = 0; i < map->count; i++)
		if (network_address_overlaps(subnet, &map->items[i].address))
			return &map->items[i];
	return NULL;
}

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

static int choose_subnet(struct network *network, const struct map *map, struct err *e)
{
	struct network_address pool, subnet;

	int r = network_address_parse_subnet(&pool, POOL, e);
	for (unsigned i = 0; r == 0 && i < 1U << (POOL_PREFIX - pool.prefix); i++) {
		subnet = network_address_nth(&pool, (uint64_t)i << (32 - POOL_PREFIX));
		subnet.prefix = POOL_PREFIX;
		if (map_find(map, &subnet))
			continue;
		add_first(network, &subnet);
		return 0;
	}
	if (r < 0)
		return r;
	err_set(e, ERR_NO_SPACE, "all subnets of %s are in use", POOL);
	return err_hint(e, "name one with --subnet, or remove networks: holm network prune");
}

static int plan_subnet(struct network_subnet *s, const struct map *map, struct err *e)
{
	struct network_address subnet, gateway, range;
	char text[NETWORK_ADDRESS_TEXT];

	int r = network_address_parse_subnet(&subnet, s->subnet, e);
	if (r < 0)
		return err_add(e, "--subnet");
	if (network_address_hosts(&subnet) < 2)
		return err_set(e, ERR_INVALID,
			       "--subnet %s: too small for a gateway and a container", s->subnet);
	const struct taken *taken = map_find(map, &subnet);
	if (taken) {
		network_address_format(text, &taken->address, true);
		return err_set(e, ERR_EXISTS, "--subnet %s: it overlaps %s of %s", s->subnet, text,
			       taken->owner);
	}
	if (!s->gateway) {
		gateway = network_address_nth(&subnet, 1);
		network_address_format(text, &gateway, false);
		s->gateway = mem_text(text);
	}
	r = network_address_parse(&gateway, s->gateway, e);
	if (r < 0)
		return err_add(e, "--gateway");
	if (!network_address_holds(&subnet, &gateway) || network_address_equal(&subnet, &gateway))
		return err_set(e, ERR_INVALID, "--gateway %s: not an address in %s", s->gateway,
			       s->subnet);
	if (!s->range)
		return 0;
	r = network_address_parse_subnet(&range, s->range, e);
	if (r < 0)
		return err_add(e, "--ip-range");
	if (!network_address_holds(&subnet, &range) || network_address_hosts(&range) == 0)
		return err_set(e, ERR_INVALID, "--ip-range %s: not a part of %s", s->range,
			       s->subnet);
	return 0;
}

static int plan_name(struct network *network, int socket, struct err *e)
{
	const char *asked = shape_map_get(&network->options, OPTION_BRIDGE);
	struct network_link link;

	if (asked) {
		int r = network_link_check_name(asked, e);
		if (r < 0)
			return err_add(e, "--opt %s", OPTION_BRIDGE);
		if (network_link_find(&link, socket, asked, e) == 0)
			return err_set(e, ERR_EXISTS, "--opt %s=%s: there is such a device already",
				       OPTION_BRIDGE, asked);
		mem_replace(&network->bridge, asked);
	} else if (str_equal(network->name, NETWORK_DEFAULT) &&
		   network_link_find(&link, socket, "holm0", e) < 0) {
		mem_replace(&network->bridge, "holm0");
	} else {
		free(network->bridge);
		network->bridge = mem_format("holm-%.8s", network->id);
	}
	return 0;
}

int network_bridge_plan(struct network *network, const struct networks *others, struct err *e)
{
	own_clear(map_clear) struct map map = { 0 };

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	int r = map_read(&map, socket, others, e);
	if (r == 0 && !has_ipv4(network))
		r = choose_subnet(network, &map, e);
	if (network->subnets.count > NETWORK_SUBNETS_MAX)
		return err_set(e, ERR_INVALID, "--subnet: at most %d", NETWORK_SUBNETS_MAX);
	for (size_t i = 0; r == 0 && i < network->subnets.count; i++) {
		struct network_address subnet;
		own_free char *owner = mem_text("another --subnet");
		r = plan_subnet(&network->subnets.items[i], &map, e);
		if (r == 0)
			r = network_address_parse_subnet(&subnet, network->subnets.items[i].subnet,
							 e);
		if (r == 0)
			map_add(&map, &subnet, owner);
	}
	return r < 0 ? r : plan_name(network, socket, e);
}

/* ---- being there ---- */

static int turn_on(const char *path, struct err *e)
{
	char now = '0';

	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (read(fd, &now, 1) == 1 && now != '0')
		return 0;
	int r = fd_write_control_at(AT_FDCWD, path, "1", e);
	if (r < 0)
		return err_add(e, "let this host forward");
	log_debug("%s is on now: containers reach nothing beyond this host without it", path);
	return 0;
}

static int forward(const struct network *network, const struct parsed *p, struct err *e)
{
	int r = 0;

	for (size_t i = 0; !network->internal && r == 0 && i < p->count; i++)
		r = turn_on(p->subnets[i].family == AF_INET
				    ? "/proc/sys/net/ipv4/ip_forward"
				    : "/proc/sys/net/ipv6/conf/all/forwarding",
			    e);
	return r;
}

/* The address that is told to the neighbours: 02 says that nobody sells it. */
static void make_mac(unsigned char to[NETWORK_MAC], const struct network_address *address)
{
	unsigned length = network_address_length(address);

	to[0] = 0x02;
	to[1] = 0x42;
	memcpy(to + 2, address->bytes + length - 4, 4);
}

/* Is the device there, ours and up, and are its rules? */
static bool is_whole(const struct network *network, int socket, int *ret_index)
{
	own_free char *alias = mem_format("holm:%s", network->id);
	struct network_link link;
	struct err missing;

	if (network_link_find(&link, socket, network->bridge, &missing) < 0 || !link.up ||
	    !str_equal(link.alias, alias) || !network_firewall_knows(network->bridge))
		return false;
	*ret_index = link.index;
	return true;
}

static int ensure_device(const struct network *network, const struct parsed *p, int socket,
			 struct err *e)
{
	own_free char *alias = mem_format("holm:%s", network->id);
	unsigned char mac[NETWORK_MAC];
	struct network_link link;

	make_mac(mac, &p->gateways[0]);
	int r = network_link_find(&link, socket, network->bridge, e);
	if (r < 0 && e->kind != ERR_NOT_FOUND)
		return r;
	if (r < 0) {
		const struct network_bridge bridge = { network->bridge, alias, mac, network->mtu };
		return network_link_make_bridge(socket, &bridge, p->gateways, p->count, e);
	}
	if (!str_equal(link.kind, "bridge") || !str_equal(link.alias, alias)) {
		err_set(e, ERR_EXISTS, "the device %s is not that of the network %s",
			network->bridge, network->name);
		return err_hint(e, "rename or remove it (ip link), or remove the network");
	}
	if (!link.up)
		r = network_link_mend_bridge(socket, link.index, p->gateways, p->count, e);
	return r < 0 ? r : link.index;
}

/* A bridge is only known as ours, and a table only whole, some calls after its birth. */
static int make_whole(const struct store *store, const struct network *network,
		      const struct parsed *p, int socket, struct err *e)
{
	const struct network_firewall firewall = { network->bridge, network->internal, p->subnets,
						   p->count };

	own_fd int lock = network_record_lock(store, e);
	if (lock < 0)
		return lock;
	int index = ensure_device(network, p, socket, e);
	int r = index < 0 ? index : network_firewall_ensure(&firewall, e);
	return r < 0 ? r : index;
}

int network_bridge_ensure(const struct store *store, const struct network *network, struct err *e)
{
	struct parsed p;
	int index;

	int r = parse(&p, network, e);
	if (r < 0)
		return r;
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	if (!is_whole(network, socket, &index))
		index = make_whole(store, network, &p, socket, e);
	r = index < 0 ? index : forward(network, &p, e);
	return r < 0 ? err_add(e, "network %s", network->name) : index;
}

int network_bridge_remove(const struct network *network, struct err *e)
{
	own_free char *alias = mem_format("holm:%s", network->id);
	struct network_link link;
	struct parsed p;

	int r = parse(&p, network, e);
	if (r < 0)
		return r;
	const struct network_firewall firewall = { network->bridge, network->internal, p.subnets,
						   p.count };
	r = network_firewall_remove(&firewall, e);
	if (r < 0)
		return r;
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	r = network_link_find(&link, socket, network->bridge, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r;
	if (!str_equal(link.alias, alias))
		return 0; /* another's */
	r = network_link_delete(socket, network->bridge, e);
	return r < 0 && e->kind != ERR_NOT_FOUND ? r : 0;
}

/* ---- joining ---- */

static bool has_no_mac(const struct network_member *member)
{
	static const unsigned char none[NETWORK_MAC];

	return memcmp(member->mac, none, NETWORK_MAC) == 0;
}

/* The outer end's name is by chance: that of the last run may still be there, since a namespace
 * that dies takes its time. */
static int make_pair(int socket, struct network_veth *veth, struct err *e)
{
	char outer[NETWORK_LINK_NAME];
	uint32_t number;
	int r = 0;

	veth->outer = outer;
	for (int i = 0; i < NAME_TRIES; i++) {
		if (getrandom(&number, sizeof(number), 0) < 0)
			return err_sys(e, "getrandom");
		snprintf(outer, sizeof(outer), "veth%08x", number);
		r = network_link_make_veth(socket, veth, e);
		if (r == 0 || e->kind != ERR_EXISTS)
			break;
	}
	veth->outer = NULL;
	return r;
}

int network_bridge_join(const struct network *network, int bridge,
			const struct network_namespace *namespace, struct network_member *member,
			struct err *e)
{
	struct parsed p;

	int r = parse(&p, network, e);
	if (r < 0)
		return r;
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	if (has_no_mac(member))
		make_mac(member->mac, &member->addresses[0]);
	struct network_veth veth = {
		.bridge = bridge,
		.inner = member->device,
		.namespace_fd = namespace->fd,
		.mtu = network->mtu,
	};
	memcpy(veth.mac, member->mac, sizeof(veth.mac));
	r = make_pair(socket, &veth, e);
	const struct network_inner inner = {
		.name = member->device,
		.addresses = member->addresses,
		.addresses_count = member->count,
		.gateways = p.gateways,
		.gateways_count = member->default_route && !network->internal ? p.count : 0,
	};
	if (r == 0)
		r = network_link_set_inner(namespace->socket, &inner, e);
	return r < 0 ? err_add(e, "join the network %s", network->name) : 0;
}
