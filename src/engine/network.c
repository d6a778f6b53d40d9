#include "engine/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "engine/networks.h"
#include "engine/record.h"
#include "engine/spec.h"
#include "engine/uplink.h"
#include "engine/user_network.h"
#include "monitor/after.h"
#include "monitor/state.h"
#include "network/driver.h"
#include "network/firewall.h"
#include "network/lease.h"
#include "network/link.h"
#include "network/uplink.h"
#include "runtime/user_namespace.h"
#include "storage/store.h"
#include "wire/netlink.h"

enum { PLACES_BYTES_MAX = 1 << 20 };

#define FIELD(member) offsetof(struct engine_place, member)
static const struct shape place_shape = {
	sizeof(struct engine_place),
	(const struct shape_field[]){
		{ "network", SHAPE_STRING, FIELD(network) },
		{ "id", SHAPE_STRING, FIELD(id) },
		{ "driver", SHAPE_STRING, FIELD(driver) },
		{ "defaultRoute", SHAPE_BOOL, FIELD(default_route) },
		{ "device", SHAPE_STRING, FIELD(device) },
		{ "outer", SHAPE_STRING, FIELD(outer) },
		{ "leaves", SHAPE_BOOL, FIELD(leaves) },
		{ "mac", SHAPE_STRING, FIELD(mac) },
		{ "addresses", SHAPE_STRINGS, FIELD(addresses) },
		{ "gateways", SHAPE_STRINGS, FIELD(gateways) },
		{ "internal", SHAPE_BOOL, FIELD(internal) },
		{ "publishOpen", SHAPE_BOOL, FIELD(publish_open) },
		{ "dns", SHAPE_STRINGS, FIELD(dns) },
		{ 0 },
	},
};
#undef FIELD

static const struct shape places_shape = {
	sizeof(struct engine_places),
	(const struct shape_field[]){
		{ "places", SHAPE_LIST, offsetof(struct engine_places, items), &place_shape },
		{ 0 },
	},
};

void engine_network_places_clear(struct engine_places *places)
{
	shape_clear(&places_shape, places);
}

struct engine_place *engine_network_find_place(const struct engine_places *places,
					       const char *network)
{
	for (size_t i = 0; i < places->items.count; i++)
		if (str_equal(places->items.items[i].network, network))
			return &places->items.items[i];
	return NULL;
}

int engine_network_places_read(struct engine_places *ret, struct engine *engine, const char *id,
			       struct err *e)
{
	own_free char *path = mem_format("%s/network.json", id);

	*ret = (struct engine_places){ 0 };
	int r = shape_read_at(&places_shape, engine->run_fd, path, PLACES_BYTES_MAX, ret, e);
	return r < 0 && e->kind == ERR_NOT_FOUND ? 0 : r;
}

void engine_network_close(struct engine_connection *connection)
{
	network_namespace_close(&connection->namespace);
	network_resolver_close(&connection->resolver);
	if (connection->user_fd >= 0)
		close(take_fd(&connection->user_fd));
	if (connection->user_network >= 0)
		close(take_fd(&connection->user_network));
	engine_network_places_clear(&connection->places);
}

int engine_network_resolve(struct engine *engine, const struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->network.endpoints.count; i++) {
		const char *name = c->network.endpoints.items[i].network;
		own_clear(network_record_clear) struct network network = { 0 };
		if (str_equal(name, NETWORK_DEFAULT))
			continue;
		int r = network_record_read(&network, engine->store, name, e);
		if (r < 0 && e->kind == ERR_NOT_FOUND)
			err_hint(e, "holm network create %s", name);
		if (r < 0)
			return err_add(e, "--network");
	}
	return 0;
}

bool engine_network_is_live(void *arg, const char *id)
{
	struct engine *engine = arg;
	struct err e;

	if (strlen(id) != CONTAINER_ID_LENGTH)
		return false;
	if (monitor_state_alive_in(engine->run_fd, id) > 0)
		return true;
	own_fd int folder = record_lock(engine, id, false, &e);
	if (folder < 0)
		return e.kind == ERR_STATE;
	if (monitor_state_alive_in(engine->run_fd, id) > 0)
		return true;
	/* or what still comes for its ports would get to who has its address next */
	struct container_state state;
	engine_state_read_locked(engine, id, folder, &state, &e);
	return false;
}

/* ---- one place ---- */

struct taken {
	struct network_address *items;
	size_t count;
};

static void taken_clear(struct taken *taken)
{
	free(taken->items);
}

static void take(void *arg, int index, const struct network_address *address)
{
	struct taken *taken = arg;

	(void)index;
	taken->items = mem_resize(taken->items, taken->count + 1, sizeof(*taken->items));
	taken->items[taken->count++] = *address;
}

/* The host's own addresses, where a subnet may be one of the host's. */
static int take_own(struct taken *to, const struct network *network, struct err *e)
{
	if (network_record_has_bridge(network))
		return 0;
	own_fd int socket = wire_netlink_open(e);
	return socket < 0 ? socket : network_link_addresses(socket, take, to, e);
}

/* Its addresses, one for each of the network's subnets. */
static int lease(struct network_address *ret, struct engine *engine, const struct container *c,
		 const struct container_endpoint *endpoint, const struct network *network,
		 struct err *e)
{
	own_clear(taken_clear) struct taken own = { 0 };

	int r = take_own(&own, network, e);
	for (size_t i = 0; r == 0 && i < network->subnets.count; i++) {
		const struct network_subnet *subnet = &network->subnets.items[i];
		struct network_lease_request request = {
			.network = network->name,
			.id = c->id,
			.never = own.items,
			.never_count = own.count,
			.live = engine_network_is_live,
			.arg = engine,
		};
		r = network_address_parse_subnet(&request.subnet, subnet->subnet, e);
		if (r == 0 && subnet->gateway)
			r = network_address_parse(&request.gateway, subnet->gateway, e);
		request.range = request.subnet;
		if (r == 0 && subnet->range)
			r = network_address_parse_subnet(&request.range, subnet->range, e);
		const char *wanted =
			request.subnet.family == AF_INET ? endpoint->address : endpoint->address6;
		if (r == 0 && wanted)
			r = network_address_parse(&request.wanted, wanted, e);
		if (r == 0)
			r = network_lease_take(&ret[i], engine->store, &request, e);
	}
	return r < 0 ? err_add(e, "network %s", network->name) : 0;
}

static int check_wanted(const struct container_endpoint *endpoint, const struct network *network,
			struct err *e)
{
	bool has4 = false, has6 = false;

	for (size_t i = 0; i < network->subnets.count; i++)
		if (strchr(network->subnets.items[i].subnet, ':'))
			has6 = true;
		else
			has4 = true;
	if ((!endpoint->address || has4) && (!endpoint->address6 || has6))
		return 0;
	return err_set(e, ERR_INVALID, "%s: the network %s has no %s subnet",
		       has4 ? "--ip6" : "--ip", network->name, has4 ? "IPv6" : "IPv4");
}

static int check_controls(const struct container_endpoint *endpoint,
			  const struct network_driver *driver, const struct network *network,
			  struct err *e)
{
	if (driver->controls || endpoint->options.count == 0)
		return 0;
	return err_set(e, ERR_INVALID,
		       "%s: the network %s is a %s, where nothing is limited or filtered",
		       endpoint->options.items[0].key, network->name, driver->name);
}

static void note(struct engine_places *places, const struct network *network,
		 const struct network_member *member)
{
	struct engine_place *place = shape_list_add(&places->items);
	char text[NETWORK_ADDRESS_TEXT];

	place->network = mem_text(network->name);
	place->id = mem_text(network->id);
	place->driver = mem_text(network->driver);
	place->default_route = member->default_route;
	place->device = mem_text(member->device);
	place->outer = mem_text(*member->outer ? member->outer : NULL);
	place->internal = network->internal;
	place->publish_open =
		str_equal(shape_map_get(&network->options, NETWORK_PUBLISH_MODE), "open");
	strv_add_all(&place->dns, &network->dns);
	place->mac = mem_format("%02x:%02x:%02x:%02x:%02x:%02x", member->mac[0], member->mac[1],
				member->mac[2], member->mac[3], member->mac[4], member->mac[5]);
	for (size_t i = 0; i < member->count; i++) {
		network_address_format(text, &member->addresses[i], true);
		strv_add(&place->addresses, text);
		const char *gateway = network->subnets.items[i].gateway;
		strv_add(&place->gateways, gateway ? gateway : "");
	}
}

/* "eth0", or the first one that is free. */
static char *choose_device(const struct engine_places *places)
{
	for (size_t number = 0;; number++) {
		own_free char *device = mem_format("eth%zu", number);
		bool taken = false;
		for (size_t i = 0; i < places->items.count; i++)
			taken |= str_equal(places->items.items[i].device, device);
		if (!taken)
			return take_ptr(&device);
	}
}

/* That of the endpoint with the highest priority; of several the first that leads anywhere. */
static bool is_way_out(const struct container *c, const struct container_endpoint *endpoint,
		       const struct network *network, const struct engine_places *places)
{
	bool way = !network->internal;

	for (size_t i = 0; i < c->network.endpoints.count; i++)
		way &= endpoint->gw_priority >= c->network.endpoints.items[i].gw_priority;
	for (size_t i = 0; i < places->items.count; i++)
		way &= !places->items.items[i].default_route;
	return way;
}

int engine_network_join(struct engine_connection *to, struct engine *engine,
			const struct container *c, size_t number, struct err *e)
{
	const struct container_endpoint *endpoint = &c->network.endpoints.items[number];
	struct network_address addresses[NETWORK_SUBNETS_MAX];
	own_clear(network_record_clear) struct network network = { 0 };
	own_free char *device =
		endpoint->device ? mem_text(endpoint->device) : choose_device(&to->places);

	const struct network_driver *driver = NULL;
	int index = 0;

	int r = engine_networks_read(&network, engine, endpoint->network, e);
	if (r == 0)
		r = network_driver_find(&driver, network.driver, e);
	if (r == 0)
		r = check_wanted(endpoint, &network, e);
	if (r == 0)
		r = check_controls(endpoint, driver, &network, e);
	if (r == 0 && driver->reclaim)
		driver->reclaim(&network, engine->store, c->id, engine_network_is_live, engine);
	bool stood = r < 0 || !network_record_has_bridge(&network) ||
		     (network_firewall_stands() && if_nametoindex(network.bridge));
	if (r == 0 && !stood)
		r = network_firewall_renew(network.bridge, e);
	if (r == 0)
		r = index = driver->ensure(engine->store, &network, e);
	if (r >= 0 && !stood)
		r = engine_networks_reload(engine, e);
	if (r >= 0)
		r = lease(addresses, engine, c, endpoint, &network, e);
	if (r < 0)
		return r;
	struct network_member member = {
		.store = engine->store,
		.id = c->id,
		.device = device,
		.addresses = addresses,
		.count = network.subnets.count,
		.default_route = is_way_out(c, endpoint, &network, &to->places),
		.options = &endpoint->options,
		.boots = container_is_system(c),
		.hairpin = c->network.ports.count || c->network.publish_all,
	};
	network_link_parse_mac(member.mac, endpoint->mac);
	r = driver->join(&network, index, &to->namespace, &member, e);
	if (r < 0)
		return r;
	note(&to->places, &network, &member);
	to->places.items.items[to->places.items.count - 1].leaves = driver->leave != NULL;
	return 0;
}

/* ---- all of them ---- */

/* A container with ids of its own owns its network only if its user namespace does. */
static int open_user(int *ret, const struct container *c, const struct spec_context *context,
		     struct err *e)
{
	if (c->security.ids.uids.count == 0)
		return 0;
	int fd = context->user_namespace.path
			 ? open(context->user_namespace.path, O_RDONLY | O_CLOEXEC)
			 : runtime_user_namespace_make_in_parent(&c->security.ids, e);
	if (fd < 0 && context->user_namespace.path)
		return err_sys(e, "open %s", context->user_namespace.path);
	if (fd < 0)
		return fd;
	*ret = fd;
	return 0;
}

/* By the holm that is there at the end. */
static int write_after(struct engine *engine, int run_fd, struct err *e)
{
	own_clear(strv_clear) struct strv command = { 0 };
	char self[PATH_MAX];

	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (length < 0)
		return err_sys(e, "read /proc/self/exe");
	self[length] = '\0';
	strv_add(&command, self);
	strv_add(&command, "--root");
	strv_add(&command, engine->store->root);
	strv_add(&command, "--run");
	strv_add(&command, engine->store->run);
	strv_add(&command, "network");
	strv_add(&command, "leave");
	return monitor_after_write_at(run_fd, &command, e);
}

int engine_network_places_write(struct engine *engine, int run_fd,
				const struct engine_places *places, struct err *e)
{
	int r = 0;

	if (places->items.count == 0)
		return 0;
	for (size_t i = 0; r == 0 && i < places->items.count; i++)
		if (places->items.items[i].leaves) {
			r = write_after(engine, run_fd, e);
			break;
		}
	return r < 0 ? r : shape_write_at(&places_shape, run_fd, "network.json", places, e);
}

/* Others may have taken an address since: the leases tell. */
void engine_network_leave_place(struct engine *engine, const char *id,
				const struct engine_place *place)
{
	own_clear(network_record_clear) struct network network = { 0 };
	own_clear(strv_clear) struct strv own = { 0 };
	const struct network_driver *driver;
	struct err e;

	if (network_record_read(&network, engine->store, place->network, &e) < 0 ||
	    network_driver_find(&driver, network.driver, &e) < 0 || !driver->leave)
		return;
	own_fd int lock = network_lease_lock(engine->store, place->network, &e);
	for (size_t i = 0; lock >= 0 && i < place->addresses.count; i++)
		if (network_lease_has(lock, place->addresses.items[i], id))
			strv_add(&own, place->addresses.items[i]);
	const struct network_left left = { engine->store, id, place->outer, &own };
	driver->leave(&network, &left);
}

int engine_network_leave(struct engine *engine, const char *folder, struct err *e)
{
	own_clear(engine_network_places_clear) struct engine_places places = { 0 };
	const char *dead = strrchr(folder, '/');

	dead = dead ? dead + 1 : folder;
	if (!str_starts(dead, ".dead-"))
		return err_set(e, ERR_INVALID, "%s is no folder of a container that has ended",
			       folder);
	int r = engine_user_network_look(engine, e);
	if (r == 0)
		r = engine_network_places_read(&places, engine, dead, e);
	for (size_t i = 0; r == 0 && i < places.items.count; i++)
		engine_network_leave_place(engine, dead + strlen(".dead-"), &places.items.items[i]);
	engine_user_network_leave(engine);
	return r;
}

/* ---- at its start ---- */

static int connect_here(struct engine_connection *to, struct engine *engine,
			const struct container *c, struct err *e)
{
	int r = network_namespace_make(&to->namespace, to->user_fd, e);

	/* a socket bound to an address of lo has it in its answers only if lo was up by then */
	if (r == 0 && c->network.endpoints.count == 0)
		r = network_link_raise(to->namespace.socket, 1, NULL, 0, e);
	for (size_t i = 0; r == 0 && i < c->network.endpoints.count; i++)
		r = engine_network_join(to, engine, c, i, e);
	fault_point("network.joined");
	return r < 0 ? r : network_resolver_open(&to->resolver, &to->namespace, e);
}

/* An ordinary user's networks are elsewhere, and nobody comes back from there. */
struct elsewhere {
	struct engine_connection *connection;
	struct engine *engine;
	const struct container *c;
	int namespace_fd;
};

static int connect_in_child(void *arg, int *fds, struct err *e)
{
	const struct elsewhere *w = arg;
	struct engine_connection *to = w->connection;

	own_fd int run_fd = openat(w->engine->run_fd, w->c->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run_fd < 0)
		return err_sys(e, "open the run folder");
	int r = engine_user_network_enter(w->namespace_fd, e);
	if (r == 0)
		r = connect_here(to, w->engine, w->c, e);
	for (size_t i = 0; r == 0 && i < to->places.items.count; i++)
		to->places.items.items[i].leaves = true; /* engine_user_network_leave() */
	if (r == 0)
		r = engine_network_places_write(w->engine, run_fd, &to->places, e);
	if (r < 0)
		return r;
	fds[0] = to->namespace.fd;
	fds[1] = to->namespace.socket;
	fds[2] = to->resolver.udp;
	fds[3] = to->resolver.tcp;
	return 0;
}

static int connect_elsewhere(struct engine_connection *to, struct engine *engine,
			     const struct container *c, struct err *e)
{
	int fds[4];

	own_fd int namespace = engine_user_network_open(&to->user_network, engine, e);
	if (namespace < 0)
		return namespace;
	struct elsewhere elsewhere = { to, engine, c, namespace };
	int r = child_open(fds, COUNT_OF(fds), connect_in_child, &elsewhere, e);
	if (r < 0)
		return r;
	to->namespace = (struct network_namespace){ fds[0], fds[1] };
	to->resolver = (struct network_resolver){ fds[2], fds[3] };
	return engine_network_places_read(&to->places, engine, c->id, e);
}

int engine_network_connect(struct engine_connection *ret, struct engine *engine,
			   const struct container *c, struct spec_context *context, struct err *e)
{
	if (c->network.endpoints.count == 0 && !network_uplink_is_name(c->network.mode))
		return 0;
	int r = open_user(&ret->user_fd, c, context, e);
	if (r == 0)
		r = c->network.endpoints.count && engine_user_network_applies()
			    ? connect_elsewhere(ret, engine, c, e)
			    : connect_here(ret, engine, c, e);
	if (r < 0)
		return r;
	context->network_namespace.path = mem_text(MONITOR_NETWORK);
	if (ret->user_fd >= 0 && !context->user_namespace.path)
		context->user_namespace.path = mem_text(MONITOR_USER);
	return 0;
}
