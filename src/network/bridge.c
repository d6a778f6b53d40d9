#include "network/bridge.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "network/control.h"
#include "network/firewall.h"
#include "network/host.h"
#include "network/namespace.h"
#include "network/neighbours.h"
#include "network/pair.h"
#include "network/subnets.h"
#include "storage/store.h"
#include "wire/netlink.h"

/* As given in Docker's option. */
#define OPTION_BRIDGE "com.docker.network.bridge.name"

/* May its containers reach each other? */
#define OPTION_ICC "com.docker.network.bridge.enable_icc"
/* Podman's; between networks nothing passes anyway but what is published. */
#define OPTION_ISOLATE "isolate"

const char *const network_bridge_options[] = { OPTION_BRIDGE, OPTION_ICC, OPTION_ISOLATE, NULL };

static bool is_off(const struct network *network, const char *option)
{
	const char *value = shape_map_get(&network->options, option);

	return value && (str_equal(value, "false") || str_equal(value, "0"));
}

static int check_switch(const struct network *network, const char *option, struct err *e)
{
	const char *value = shape_map_get(&network->options, option);

	if (!value || is_off(network, option) || str_equal(value, "true") || str_equal(value, "1"))
		return 0;
	return err_set(e, ERR_INVALID, "--opt %s=%s: neither true nor false", option, value);
}

static int check_options(const struct network *network, struct err *e)
{
	int r = check_switch(network, OPTION_ICC, e);
	if (r == 0)
		r = check_switch(network, OPTION_ISOLATE, e);
	if (r == 0 && is_off(network, OPTION_ISOLATE))
		r = err_set(e, ERR_UNSUPPORTED,
			    "--opt isolate=false: networks are apart; a container that is to reach "
			    "two of them joins both");
	return r;
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
	static const struct network_subnets_wish wish = { .gateway = true };

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	int r = check_options(network, e);
	if (r == 0)
		r = network_subnets_plan(network, others, socket, &wish, e);
	return r < 0 ? r : plan_name(network, socket, e);
}

/* ---- being there ---- */

static int read_subnets(struct network_subnets *ret, const struct network *network, struct err *e)
{
	struct network_subnets subnets;

	int r = network_subnets_read(&subnets, network, e);
	if (r < 0)
		return r;
	if (subnets.count == 0)
		return err_set(e, ERR_CORRUPT, "network %s has no subnet", network->name);
	for (size_t i = 0; i < subnets.count; i++)
		if (!subnets.gateways[i].family)
			return err_set(e, ERR_CORRUPT, "network %s: %s has no gateway",
				       network->name, network->subnets.items[i].subnet);
	*ret = subnets;
	return 0;
}

/* Borrows from both. */
static struct network_firewall firewall_of(const struct network *network,
					   const struct network_subnets *p)
{
	return (struct network_firewall){
		.bridge = network->bridge,
		.internal = network->internal,
		.apart = is_off(network, OPTION_ICC),
		.subnets = p->subnets,
		.count = p->count,
	};
}

/* Whoever turns forwarding on for containers has not asked for a router between the host's other
 * devices. A file says so as long as the host is up: the rules may be flushed. */
static int close_host(const struct store *store, int family, bool now, struct err *e)
{
	const char *mark = family == AF_INET ? "closed4" : "closed6";
	int r = 0;

	if (now)
		r = fd_write_file_at(store->run_fd, mark, "", 0, 0600, e);
	else if (faccessat(store->run_fd, mark, F_OK, 0) < 0)
		return 0;
	return r < 0 ? r : network_firewall_close(family, e);
}

static bool has_family(const struct network_subnets *p, int family)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->subnets[i].family == family)
			return true;
	return false;
}

/* anew: the rules may be. */
static int forward(const struct store *store, const struct network *network,
		   const struct network_subnets *p, bool anew, struct err *e)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < COUNT_OF(families); i++) {
		bool turn_on = !network->internal && has_family(p, families[i]) &&
			       !network_host_forwards(families[i]);
		if (turn_on || anew)
			r = close_host(store, families[i], turn_on, e);
		if (r == 0 && turn_on)
			r = network_host_forward(families[i], e);
	}
	return r;
}

/* Is the device there, ours and up, and are its rules? */
static bool is_whole(const struct network *network, int socket, int *ret_index)
{
	own_free char *alias = mem_format("holm:%s", network->id);
	struct network_link link;
	struct err missing;

	if (network_link_find(&link, socket, network->bridge, &missing) < 0 || !link.up ||
	    !str_equal(link.alias, alias) || !network_firewall_knows(network->bridge) ||
	    !network_neighbours_let(network->bridge))
		return false;
	*ret_index = link.index;
	return true;
}

/* Who was killed between its birth and its naming left it so. */
static bool is_nameless(const struct network_link *link, const unsigned char mac[NETWORK_MAC])
{
	return str_equal(link->kind, "bridge") && !*link->alias &&
	       memcmp(link->mac, mac, NETWORK_MAC) == 0;
}

static int ensure_device(const struct network *network, const struct network_subnets *p, int socket,
			 struct err *e)
{
	own_free char *alias = mem_format("holm:%s", network->id);
	unsigned char mac[NETWORK_MAC];
	struct network_link link;

	network_pair_mac(mac, &p->gateways[0]);
	int r = network_link_find(&link, socket, network->bridge, e);
	if (r < 0 && e->kind != ERR_NOT_FOUND)
		return r;
	if (r < 0) {
		const struct network_bridge bridge = { network->bridge, alias, mac, network->mtu };
		r = network_subnets_check_free(p, socket, e);
		if (r < 0)
			return r;
		return network_link_make_bridge(socket, &bridge, p->gateways, p->count, e);
	}
	if (is_nameless(&link, mac)) {
		r = network_link_set_alias(socket, link.index, alias, e);
		if (r == 0)
			r = network_link_raise(socket, link.index, p->gateways, p->count, e);
		return r < 0 ? r : link.index;
	}
	if (!str_equal(link.kind, "bridge") || !str_equal(link.alias, alias)) {
		err_set(e, ERR_EXISTS, "the device %s is not that of the network %s",
			network->bridge, network->name);
		return err_hint(
			e, "%srename or remove it (ip link), or remove the network",
			str_starts(link.alias, "holm:") ? "another --root of holm's has it: " : "");
	}
	if (!link.up)
		r = network_link_raise(socket, link.index, p->gateways, p->count, e);
	return r < 0 ? r : link.index;
}

/* A bridge is only known as ours, and a table only whole, some calls after its birth. */
static int make_whole(const struct store *store, const struct network *network,
		      const struct network_subnets *p, int socket, struct err *e)
{
	const struct network_firewall firewall = firewall_of(network, p);

	own_fd int lock = network_record_lock(store, e);
	if (lock < 0)
		return lock;
	int index = ensure_device(network, p, socket, e);
	int r = index < 0 ? index : network_firewall_ensure(&firewall, e);
	if (r == 0)
		r = network_neighbours_open(network->bridge, e);
	for (size_t i = 0; r == 0 && i < p->count; i++)
		if (p->subnets[i].family == AF_INET)
			r = network_host_route_localnet(network->bridge, e);
		else
			r = network_host_trust_addresses(network->bridge, e);
	return r < 0 ? r : index;
}

int network_bridge_ensure(const struct store *store, const struct network *network, struct err *e)
{
	struct network_subnets p;
	int index;

	int r = read_subnets(&p, network, e);
	if (r < 0)
		return r;
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	bool whole = is_whole(network, socket, &index);
	if (!whole)
		index = make_whole(store, network, &p, socket, e);
	r = index < 0 ? index : forward(store, network, &p, !whole, e);
	return r < 0 ? err_add(e, "network %s", network->name) : index;
}

int network_bridge_remove(const struct network *network, struct err *e)
{
	own_free char *alias = mem_format("holm:%s", network->id);
	unsigned char mac[NETWORK_MAC];
	struct network_link link;
	struct network_subnets p;

	int r = read_subnets(&p, network, e);
	if (r < 0)
		return r;
	const struct network_firewall firewall = firewall_of(network, &p);
	r = network_firewall_remove(&firewall, e);
	if (r == 0)
		r = network_neighbours_close(network->bridge, e);
	if (r < 0)
		return r;
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	r = network_link_find(&link, socket, network->bridge, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r;
	network_pair_mac(mac, &p.gateways[0]);
	if (!str_equal(link.alias, alias) && !is_nameless(&link, mac))
		return 0; /* another's */
	r = network_link_delete(socket, network->bridge, e);
	return r < 0 && e->kind != ERR_NOT_FOUND ? r : 0;
}

/* ---- joining ---- */

int network_bridge_join(const struct network *network, int bridge,
			const struct network_namespace *namespace, struct network_member *member,
			struct err *e)
{
	const struct network_pair pair = { bridge, is_off(network, OPTION_ICC), network->mtu };
	struct network_subnets p;

	int r = read_subnets(&p, network, e);
	if (r < 0)
		return r;
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	r = network_pair_make(socket, &pair, namespace, member, e);
	struct network_inner_route routes[NETWORK_SUBNETS_MAX] = { 0 };
	for (size_t i = 0; i < p.count; i++)
		routes[i].gateway = p.gateways[i];
	const struct network_inner inner = {
		.name = member->device,
		.addresses = member->addresses,
		.addresses_count = member->count,
		.routes = routes,
		.routes_count = member->default_route && !network->internal ? p.count : 0,
	};
	if (r == 0)
		r = network_link_set_inner(namespace->socket, &inner, e);
	struct network_dhcp dhcp = { 0 };
	bool answered = r == 0 && network_dhcp_plan(&dhcp, member, p.gateways, network->mtu);
	dhcp.default_route &= !network->internal;
	if (r == 0)
		r = network_control_pair(socket, member, answered ? &dhcp : NULL, false, e);
	return r < 0 ? err_add(e, "join the network %s", network->name) : 0;
}

/* A bridge that somebody removed has let go of its ports. */
int network_bridge_mend(const struct network *network, int bridge, const char *outer, bool hairpin,
			struct err *e)
{
	const struct network_veth veth = {
		.outer = outer,
		.bridge = bridge,
		.hairpin = hairpin,
		.isolated = is_off(network, OPTION_ICC),
	};
	struct network_link link;

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	int r = network_link_find(&link, socket, outer, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r;
	return link.master == bridge ? 0 : network_link_set_bridge(socket, &veth, e);
}
