/* stacked.c - options as Docker has them: parent, macvlan_mode, ipvlan_mode, ipvlan_flag; "mode" as
 * podman has it. A parent that is not there and is called DEVICE.ID is a VLAN: it is made when a
 * container wants it, bears the network's id as its alias, and is removed with the network. The
 * driver vlan gives the VLAN's device itself to the one container. */
#include "network/stacked.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "network/device.h"
#include "network/namespace.h"
#include "network/pair.h"
#include "network/route.h"
#include "network/subnets.h"
#include "wire/netlink.h"

#define PARENT "parent"
enum { VLAN_ID_MAX = 4094 };

const char *const network_stacked_macvlan_options[] = { PARENT, "mode", "macvlan_mode", NULL };
const char *const network_stacked_ipvlan_options[] = { PARENT, "mode", "ipvlan_mode", "ipvlan_flag",
						       NULL };
const char *const network_stacked_vlan_options[] = { PARENT, NULL };

/* ---- modes ---- */

struct word {
	const char *option, *text;
	uint32_t value;
};

static const struct word macvlan_modes[] = {
	{ "macvlan_mode", "bridge", MACVLAN_MODE_BRIDGE },
	{ "macvlan_mode", "private", MACVLAN_MODE_PRIVATE },
	{ "macvlan_mode", "vepa", MACVLAN_MODE_VEPA },
	{ "macvlan_mode", "passthru", MACVLAN_MODE_PASSTHRU },
	{ 0 },
};
static const struct word ipvlan_modes[] = {
	{ "ipvlan_mode", "l2", IPVLAN_MODE_L2 },
	{ "ipvlan_mode", "l3", IPVLAN_MODE_L3 },
	{ "ipvlan_mode", "l3s", IPVLAN_MODE_L3S },
	{ 0 },
};
static const struct word ipvlan_flags[] = {
	{ "ipvlan_flag", "bridge", 0 },
	{ "ipvlan_flag", "private", IPVLAN_F_PRIVATE },
	{ "ipvlan_flag", "vepa", IPVLAN_F_VEPA },
	{ 0 },
};

/* The first of the words where nothing is said. */
static int read_word(uint32_t *ret, const struct network *network, const struct word *words,
		     const char *other_option, struct err *e)
{
	own_clear(str_clear) struct str known = { 0 };
	const char *text = shape_map_get(&network->options, words->option);

	if (!text && other_option)
		text = shape_map_get(&network->options, other_option);
	*ret = words->value;
	if (!text)
		return 0;
	for (const struct word *word = words; word->text; word++) {
		if (str_equal(word->text, text)) {
			*ret = word->value;
			return 0;
		}
		str_addf(&known, "%s%s", word == words ? "" : ", ", word->text);
	}
	return err_set(e, ERR_INVALID, "--opt %s=%s: not one of %s", words->option, text,
		       known.text);
}

static int read_modes(struct network_device *to, const struct network *network, struct err *e)
{
	uint32_t flags = 0;
	int r = 0;

	if (str_equal(to->kind, "macvlan"))
		r = read_word(&to->mode, network, macvlan_modes, "mode", e);
	if (str_equal(to->kind, "ipvlan"))
		r = read_word(&to->mode, network, ipvlan_modes, "mode", e);
	if (r == 0 && str_equal(to->kind, "ipvlan"))
		r = read_word(&flags, network, ipvlan_flags, NULL, e);
	to->flags = (uint16_t)flags;
	return r;
}

/* ipvlan in its modes l3 and l3s knows no neighbours: the device is the way to all. */
static bool is_without_neighbours(const struct network *network)
{
	uint32_t mode = IPVLAN_MODE_L2;
	struct err checked;

	if (str_equal(network->driver, "ipvlan"))
		read_word(&mode, network, ipvlan_modes, "mode", &checked);
	return mode != IPVLAN_MODE_L2;
}

/* ---- the parent ---- */

static const char *parent_of(const struct network *network)
{
	return shape_map_get(&network->options, PARENT);
}

/* "eth0.10": *ret_id is 10, the device before it the caller's. NULL: it is no such name. */
static char *split_vlan(uint32_t *ret_id, const char *name)
{
	const char *dot = strrchr(name, '.');
	uint64_t id;
	struct err ignored;

	if (!dot || dot == name || number_parse_u64(&id, dot + 1, VLAN_ID_MAX, &ignored) < 0 ||
	    id == 0)
		return NULL;
	*ret_id = (uint32_t)id;
	return mem_text_n(name, (size_t)(dot - name));
}

static void take_default(void *arg, int index, const struct network_address *to)
{
	int *found = arg;

	if (to->prefix == 0 && *found == 0)
		*found = index;
}

/* Nobody named one: the device of the default route, as podman has it. */
static int choose_parent(struct network *network, int socket, struct err *e)
{
	char name[IF_NAMESIZE];
	int index = 0;

	int r = network_route_list(socket, take_default, &index, e);
	if (r < 0)
		return r;
	if (index == 0 || !if_indextoname((unsigned)index, name)) {
		err_set(e, ERR_INVALID, "on which of the host's devices?");
		return err_hint(e, "--opt parent=DEVICE; ip link lists them");
	}
	shape_map_set(&network->options, PARENT, name);
	return 0;
}

/* Is it there, or can it be made? */
static int check_parent(const struct network *network, int socket, const char **ret_parent,
			struct err *e)
{
	const char *parent = parent_of(network);
	struct network_link link;
	uint32_t id;

	int r = network_link_check_name(parent, e);
	if (r < 0)
		return err_add(e, "--opt parent");
	own_free char *below = split_vlan(&id, parent);
	bool given = !str_equal(network->driver, "vlan");
	*ret_parent = NULL;
	if (given && network_link_find(&link, socket, parent, e) == 0) {
		*ret_parent = parent;
		return 0;
	}
	if (!below)
		return given ? err_add(e, "--opt parent")
			     : err_set(e, ERR_INVALID,
				       "--opt parent=%s: not DEVICE.ID, as eth0.10, with an id "
				       "from "
				       "1 to %d",
				       parent, VLAN_ID_MAX);
	r = network_link_find(&link, socket, below, e);
	return r < 0 ? err_add(e, "--opt parent=%s", parent) : 0;
}

/* Another network with a macvlan on the same parent is fine, but not beside a passthru. */
int network_stacked_plan(struct network *network, const struct networks *others, struct err *e)
{
	struct network_device device = { .kind = network->driver };
	struct network_subnets_wish wish = { .gateway = !network->internal };

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	if (is_without_neighbours(network))
		wish.gateway = false;
	int r = read_modes(&device, network, e);
	if (r == 0 && !parent_of(network))
		r = choose_parent(network, socket, e);
	if (r == 0)
		r = check_parent(network, socket, &wish.parent, e);
	return r < 0 ? r : network_subnets_plan(network, others, socket, &wish, e);
}

/* Under the lock. */
static int make_vlan(const struct network *network, int socket, struct err *e)
{
	own_free char *alias = mem_format("holm:%s", network->id);
	struct network_device device = {
		.kind = "vlan", .name = parent_of(network), .namespace_fd = -1, .mtu = network->mtu
	};
	struct network_link link;
	struct err ignored;

	own_free char *below = split_vlan(&device.mode, device.name);
	int r = below ? network_link_find(&link, socket, below, e)
		      : network_link_find(&link, socket, device.name, e);
	if (r < 0)
		return r;
	device.parent = link.index;
	r = network_device_make(socket, &device, e);
	if (r == 0)
		r = network_link_find(&link, socket, device.name, e);
	if (r < 0)
		return r;
	r = network_link_set_alias(socket, link.index, alias, e);
	if (r == 0)
		r = network_link_raise(socket, link.index, NULL, 0, e);
	if (r < 0)
		network_link_delete(socket, device.name, &ignored);
	return r < 0 ? r : link.index;
}

int network_stacked_ensure(const struct store *store, const struct network *network, struct err *e)
{
	own_free char *below = NULL;
	const char *parent = parent_of(network);
	struct network_link link = { .up = true };
	uint32_t id;

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	bool own = str_equal(network->driver, "vlan");
	if (own)
		parent = below = split_vlan(&id, parent);
	if (!parent)
		return err_set(e, ERR_CORRUPT, "network %s has no parent", network->name);
	int r = network_link_find(&link, socket, parent, e);
	if (r < 0 && e->kind == ERR_NOT_FOUND && !own) {
		own_fd int lock = network_record_lock(store, e);
		if (lock < 0)
			return lock;
		r = network_link_find(&link, socket, parent, e);
		if (r < 0 && e->kind == ERR_NOT_FOUND)
			r = link.index = make_vlan(network, socket, e);
	}
	/* a device on one that is down is down */
	if (r >= 0 && !link.up)
		r = network_link_raise(socket, link.index, NULL, 0, e);
	return r < 0 ? err_add(e, "the parent of network %s", network->name) : link.index;
}

int network_stacked_remove(const struct network *network, struct err *e)
{
	own_free char *alias = mem_format("holm:%s", network->id);
	struct network_link link;

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	int r = network_link_find(&link, socket, parent_of(network), e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r;
	if (!str_equal(link.alias, alias))
		return 0; /* it was there before */
	r = network_link_delete(socket, parent_of(network), e);
	return r < 0 && e->kind != ERR_NOT_FOUND ? r : 0;
}

/* ---- a container ---- */

static int set_inner(const struct network *network, const struct network_namespace *namespace,
		     const struct network_member *member, struct err *e)
{
	struct network_inner_route routes[NETWORK_SUBNETS_MAX] = { 0 };
	struct network_inner inner = {
		.name = member->device,
		.addresses = member->addresses,
		.addresses_count = member->count,
		.routes = routes,
	};
	struct network_subnets s;

	int r = network_subnets_read(&s, network, e);
	for (size_t i = 0; r == 0 && i < s.count && member->default_route; i++) {
		struct network_inner_route *route = &routes[inner.routes_count];
		route->gateway = s.gateways[i];
		route->direct = is_without_neighbours(network) && !network->internal;
		if (route->direct)
			route->gateway.family = s.subnets[i].family;
		if (route->gateway.family)
			inner.routes_count++;
	}
	return r < 0 ? r : network_link_set_inner(namespace->socket, &inner, e);
}

int network_stacked_join(const struct network *network, int parent,
			 const struct network_namespace *namespace, struct network_member *member,
			 struct err *e)
{
	struct network_device device = {
		.kind = network->driver,
		.name = member->device,
		.parent = parent,
		.namespace_fd = namespace->fd,
		.mtu = network->mtu,
	};
	struct network_link link;

	int r = read_modes(&device, network, e);
	if (r < 0)
		return r;
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	/* ipvlan has its parent's, and so has a VLAN */
	if (str_equal(device.kind, "macvlan")) {
		if (network_link_has_no_mac(member->mac))
			network_pair_mac(member->mac, &member->addresses[0]);
		if (device.mode != MACVLAN_MODE_PASSTHRU)
			device.mac = member->mac;
	}
	own_free char *below = str_equal(device.kind, "vlan")
				       ? split_vlan(&device.mode, parent_of(network))
				       : NULL;
	r = network_device_make(socket, &device, e);
	if (r < 0 && e->number == EEXIST && below)
		err_set(e, ERR_EXISTS, "the VLAN %u of %s is in use already", device.mode, below);
	if (r < 0 && e->number == EBUSY)
		err_hint(e, "%s is a port of a bridge, or another device has it to itself",
			 parent_of(network));
	if (r == 0)
		r = set_inner(network, namespace, member, e);
	if (r == 0)
		r = network_link_find(&link, namespace->socket, member->device, e);
	if (r == 0)
		memcpy(member->mac, link.mac, sizeof(member->mac));
	return r < 0 ? err_add(e, "join the network %s", network->name) : 0;
}
