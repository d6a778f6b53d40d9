/* connect.c - the network namespace of a container that runs is found by the descriptor that its
 * monitor keeps: it is the right one whatever the container's processes have done, and also while
 * none runs, between two starts. */
#include "engine/connect.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "engine/config_endpoint.h"
#include "engine/dns.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/files.h"
#include "engine/network.h"
#include "engine/network_limits.h"
#include "engine/networks.h"
#include "engine/ports.h"
#include "engine/process.h"
#include "engine/record.h"
#include "engine/user_network.h"
#include "monitor/state.h"
#include "network/lease.h"
#include "network/link.h"
#include "network/subnets.h"
#include "storage/store.h"

/* A container under its lock, and a network. */
struct change {
	struct engine *engine;
	const char *name; /* as typed */
	struct container c;
	int folder_fd;
	struct network network;
	struct container_state state;
	int run_fd;                          /* -1: it does not run */
	struct engine_connection connection; /* the same */
};
#define CHANGE_INIT                                                                                \
	{                                                                                          \
		.folder_fd = -1, .run_fd = -1, .connection = ENGINE_CONNECTION_INIT                \
	}

static void change_clear(struct change *change)
{
	container_clear(&change->c);
	network_record_clear(&change->network);
	engine_network_close(&change->connection);
	if (change->folder_fd >= 0)
		close(take_fd(&change->folder_fd));
	if (change->run_fd >= 0)
		close(take_fd(&change->run_fd));
}

static int read_container(struct change *to, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	int r = engine_find(to->engine, to->name, id, e);
	if (r < 0)
		return r;
	to->folder_fd = record_lock(to->engine, id, true, e);
	if (to->folder_fd < 0)
		return to->folder_fd;
	r = engine_state_read_locked(to->engine, id, to->folder_fd, &to->state, e);
	return r < 0 ? r : record_read(to->engine, id, &to->c, e);
}

static void remove_endpoint(struct container *c, struct container_endpoint *endpoint)
{
	struct container_network *n = &c->network;
	size_t index = (size_t)(endpoint - n->endpoints.items);

	container_endpoint_clear(endpoint);
	memmove(endpoint, endpoint + 1,
		(n->endpoints.count - index - 1) * sizeof(*n->endpoints.items));
	n->endpoints.count--;
	mem_replace(&n->mode, n->endpoints.count ? n->endpoints.items[0].network : "private");
}

/* ---- one that runs ---- */

/* The monitor's descriptor of it; that it still is this monitor is known afterwards. */
static int open_namespace(const struct change *change, struct err *e)
{
	struct monitor_state state = { 0 };

	int r = monitor_state_read_in(&state, change->engine->run_fd, change->c.id, e);
	if (r < 0)
		return r;
	own_fd int pidfd = process_open((pid_t)state.monitor_pid, state.monitor_start);
	own_free char *path = mem_format("/proc/%d%s", (int)state.monitor_pid,
					 MONITOR_NETWORK + strlen("/proc/self"));
	monitor_state_clear(&state);
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	int number = errno;
	if (pidfd < 0 || process_ended(pidfd))
		return err_set(e, ERR_STATE, "the container has just ended");
	return fd < 0 ? err_number(e, number, "open the container's network namespace")
		      : take_fd(&fd);
}

static int open_live(struct change *change, struct err *e)
{
	const struct container_state *state = &change->state;

	if (!container_state_live(state) && state->status != CONTAINER_RESTARTING)
		return 0;
	change->run_fd = openat(change->engine->run_fd, change->c.id,
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (change->run_fd < 0)
		return err_sys(e, "open the run folder");
	/* its monitor has a namespace only of one that was started in a network */
	if (faccessat(change->run_fd, "dns", F_OK, 0) < 0) {
		err_set(e, ERR_STATE, "container %s runs without a network", change->name);
		return err_hint(e, "holm stop %s, connect it, and start it again", change->name);
	}
	own_fd int fd = open_namespace(change, e);
	if (fd < 0)
		return fd;
	int r = network_namespace_take(&change->connection.namespace, &fd, e);
	return r < 0 ? r
		     : engine_network_places_read(&change->connection.places, change->engine,
						  change->c.id, e);
}

/* The place leads to the world from now on, and no other one does. */
static int make_way_out(struct change *change, struct engine_place *place, struct err *e)
{
	struct engine_places *places = &change->connection.places;
	struct network_address gateways[NETWORK_SUBNETS_MAX];
	size_t count = 0;
	bool has[2] = { false };

	for (size_t i = 0; i < place->gateways.count && count < NETWORK_SUBNETS_MAX; i++) {
		struct network_address *gateway = &gateways[count];
		if (!*place->gateways.items[i] ||
		    network_address_parse(gateway, place->gateways.items[i], e) < 0)
			continue;
		bool *same = &has[gateway->family == AF_INET6];
		count += !*same;
		*same = true;
	}
	int r = network_link_set_default(change->connection.namespace.socket, place->device,
					 gateways, count, e);
	for (size_t i = 0; r == 0 && i < places->items.count; i++)
		places->items.items[i].default_route = &places->items.items[i] == place;
	return r;
}

/* Of those that could, the one with the highest priority. */
static struct engine_place *choose_way_out(struct change *change)
{
	struct engine_places *places = &change->connection.places;
	struct engine_place *best = NULL;
	int64_t priority = 0;

	for (size_t i = 0; i < places->items.count; i++) {
		struct engine_place *place = &places->items.items[i];
		const struct container_endpoint *endpoint =
			container_find_endpoint(&change->c, place->network);
		if (place->internal || !endpoint ||
		    (best && (endpoint->gw_priority < priority ||
			      (endpoint->gw_priority == priority && !place->default_route))))
			continue;
		best = place;
		priority = endpoint->gw_priority;
	}
	return best;
}

static int settle_way_out(struct change *change, struct err *e)
{
	struct engine_place *place = choose_way_out(change);

	return !place || place->default_route ? 0 : make_way_out(change, place, e);
}

/* The files of the run folder, in the order in which others may look at them. */
static int write_live(struct change *change, struct err *e)
{
	struct engine_places *places = &change->connection.places;
	int r = 0;

	if (places->items.count)
		r = engine_network_places_write(change->engine, change->run_fd, places, e);
	else if (unlinkat(change->run_fd, "network.json", 0) < 0 && errno != ENOENT)
		r = err_sys(e, "remove network.json");
	if (r == 0)
		r = engine_network_limits_set(change->engine, &change->c, places, change->run_fd,
					      e);
	if (r == 0)
		r = engine_dns_write(change->engine, &change->c, places, change->run_fd, e);
	if (r == 0)
		r = engine_process_tell(change->engine, &change->c, e);
	return r;
}

static void tell(const struct change *change, const char *action)
{
	engine_event(change->engine, "network", action, change->network.id, "container",
		     change->c.id, "name", change->network.name, "type", change->network.driver,
		     NULL);
}

/* Moves it out of the list. */
static struct engine_place take_place(struct engine_places *places, struct engine_place *place)
{
	struct engine_place taken = *place;
	size_t index = (size_t)(place - places->items.items);

	memmove(place, place + 1, (places->items.count - index - 1) * sizeof(*places->items.items));
	places->items.count--;
	return taken;
}

static void release(struct change *change, const struct engine_place *place)
{
	struct err e;

	for (size_t i = 0; i < place->addresses.count; i++) {
		const char *address = place->addresses.items[i];
		own_free char *bare = mem_text_n(address, strcspn(address, "/"));
		if (network_lease_release(change->engine->store, place->network, change->c.id, bare,
					  &e) < 0)
			log_warning("%s", e.text);
	}
}

/* ---- connect ---- */

static int fill_endpoint(struct container_endpoint *to, const struct connect_options *o,
			 struct err *e)
{
	const struct {
		const char *option, *key, *value;
	} single[] = {
		{ "--ip", "ip4", o->ip },
		{ "--ip6", "ip6", o->ip6 },
		{ "--mac-address", "mac", o->mac_address },
		{ "--gw-priority", "gw-priority", o->gw_priority },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < COUNT_OF(single); i++)
		if (single[i].value)
			r = config_endpoint_set(to, single[i].option, single[i].key,
						single[i].value, e);
	for (size_t i = 0; r == 0 && i < o->alias.count; i++)
		r = config_endpoint_set(to, "--alias", "alias", o->alias.items[i], e);
	for (size_t i = 0; r == 0 && i < o->driver_opt.count; i++)
		r = config_endpoint_set(to, "--driver-opt", "driver-opt", o->driver_opt.items[i],
					e);
	return r;
}

static int add_links(struct change *change, const struct connect_options *o, struct err *e)
{
	own_clear(container_clear) struct container links = { 0 };

	strv_add_all(&links.network.links, &o->link);
	int r = engine_dns_resolve_links(change->engine, &links, e);
	if (r == 0)
		strv_add_all(&change->c.network.links, &links.network.links);
	return r;
}

/* One who was killed over it recorded it and did no more. */
static bool is_unfinished(struct change *change)
{
	return change->run_fd >= 0 && container_find_endpoint(&change->c, change->network.name) &&
	       !engine_network_find_place(&change->connection.places, change->network.name);
}

/* "private" is a network namespace that nobody has put anything into yet. */
static int check_mode(const struct change *change, struct err *e)
{
	const struct container_network *n = &change->c.network;

	if (n->endpoints.count == 0 && str_equal(n->mode, "none"))
		return err_set(e, ERR_STATE, "container %s is to have no network (--network none)",
			       change->name);
	if (n->endpoints.count == 0 && !str_equal(n->mode, "private"))
		return err_set(e, ERR_STATE,
			       "container %s has no network of its own (--network %.80s)",
			       change->name, n->mode);
	return 0;
}

/* While it does not run nobody else would notice before its next start. */
static int check_address(const struct change *change, const char *text, struct err *e)
{
	struct network_subnets subnets = { 0 };
	struct network_address address;

	if (!text)
		return 0;
	int r = network_subnets_read(&subnets, &change->network, e);
	if (r == 0)
		r = network_address_parse(&address, text, e);
	for (size_t i = 0; r == 0 && i < subnets.count; i++)
		if (network_address_holds(&subnets.subnets[i], &address))
			return network_address_check_host(&subnets.subnets[i], &address, e);
	return r < 0 || !subnets.count
		       ? r
		       : err_set(e, ERR_INVALID,
				 "the address %s is not in the subnets of the network %s", text,
				 change->network.name);
}

static int add_endpoint(struct change *change, const struct connect_options *o, struct err *e)
{
	struct container_network *n = &change->c.network;

	if (container_find_endpoint(&change->c, change->network.name))
		return err_set(e, ERR_EXISTS, "container %s is in the network %s already",
			       change->name, change->network.name);
	if (n->endpoints.count == 0)
		mem_replace(&n->mode, change->network.name);
	struct container_endpoint *endpoint = shape_list_add(&n->endpoints);
	endpoint->network = mem_text(change->network.name);
	int r = fill_endpoint(endpoint, o, e);
	if (r == 0)
		r = check_address(change, endpoint->address, e);
	if (r == 0)
		r = check_address(change, endpoint->address6, e);
	return r < 0 ? r : add_links(change, o, e);
}

/* Of one that has failed, whatever there is. */
static void undo_join(struct change *change, struct engine_place *place)
{
	struct engine_connection *from = &change->connection;
	struct engine_places gone = { 0 };
	struct err ignored;

	*shape_list_add(&gone.items) = take_place(&from->places, place);
	place = &gone.items.items[0];
	/* first: a device of the host's must be back before what is left is removed */
	engine_network_leave_place(change->engine, change->c.id, place);
	network_link_delete(from->namespace.socket, place->device, &ignored);
	engine_dns_remove(change->engine, change->c.id, place->network);
	engine_ports_follow(change->engine, &change->c, change->run_fd, &from->places, &ignored);
	release(change, place);
	settle_way_out(change, &ignored);
	write_live(change, &ignored);
	engine_network_places_clear(&gone);
}

static int join(struct change *change, struct err *e)
{
	struct engine_connection *to = &change->connection;
	const struct container_endpoint *endpoint =
		container_find_endpoint(&change->c, change->network.name);

	size_t before = to->places.items.count;
	int r = engine_network_join(to, change->engine, &change->c,
				    (size_t)(endpoint - change->c.network.endpoints.items), e);
	if (r < 0)
		return r;
	r = settle_way_out(change, e);
	if (r == 0)
		r = engine_ports_follow(change->engine, &change->c, change->run_fd, &to->places, e);
	if (r == 0)
		r = write_live(change, e);
	if (r == 0)
		r = engine_files_change(change->folder_fd, &change->c, NULL,
					&to->places.items.items[before], e);
	if (r < 0)
		undo_join(change, &to->places.items.items[before]);
	return r;
}

int engine_connect(struct engine *engine, const char *network, const char *name,
		   const struct connect_options *o, struct err *e)
{
	own_clear(change_clear) struct change change = CHANGE_INIT;
	own_clear(container_clear) struct container before = { 0 };
	struct err undone;

	change.engine = engine;
	change.name = name;
	int r = engine_user_network_look(engine, e);
	if (r == 0)
		r = engine_networks_read(&change.network, engine, network, e);
	if (r == 0)
		r = read_container(&change, e);
	if (r == 0)
		r = record_read(engine, change.c.id, &before, e);
	if (r == 0)
		r = check_mode(&change, e);
	if (r == 0)
		r = open_live(&change, e);
	if (r == 0 && is_unfinished(&change))
		remove_endpoint(&change.c, container_find_endpoint(&change.c, change.network.name));
	if (r == 0)
		r = add_endpoint(&change, o, e);
	if (r == 0)
		r = record_commit(change.folder_fd, &change.c, e);
	if (r < 0)
		return r;
	fault_point("connect.record");
	if (change.run_fd < 0)
		return 0;
	r = join(&change, e);
	if (r < 0)
		record_commit(change.folder_fd, &before, &undone);
	else
		tell(&change, "connect");
	return r;
}

/* ---- disconnect ---- */

/* Names first: who asks is not to be sent where nobody is any more. */
static int leave(struct change *change, const struct engine_place *place, struct err *e)
{
	int socket = change->connection.namespace.socket;

	engine_dns_remove(change->engine, change->c.id, place->network);
	int r = write_live(change, e);
	if (r < 0)
		return r;
	r = engine_ports_follow(change->engine, &change->c, change->run_fd,
				&change->connection.places, e);
	if (r < 0)
		return r;
	r = str_equal(place->driver, "phys") ? 0 : network_link_delete(socket, place->device, e);
	if (r < 0 && e->kind == ERR_NOT_FOUND)
		r = 0; /* the container may do that itself */
	if (place->leaves)
		engine_network_leave_place(change->engine, change->c.id, place);
	release(change, place);
	if (r == 0)
		r = settle_way_out(change, e);
	if (r == 0)
		r = write_live(change, e);
	return r < 0 ? r : engine_files_change(change->folder_fd, &change->c, place, NULL, e);
}

static int check_live(struct change *change, struct engine_place **ret, struct err *e)
{
	*ret = engine_network_find_place(&change->connection.places, change->network.name);
	if (!*ret || !str_equal((*ret)->driver, "phys"))
		return 0;
	err_set(e, ERR_UNSUPPORTED, "a device of the host is given back when its container ends");
	return err_hint(e, "holm stop %s", change->name);
}

int engine_disconnect(struct engine *engine, const char *network, const char *name,
		      const struct connect_options *o, struct err *e)
{
	own_clear(change_clear) struct change change = CHANGE_INIT;
	struct engine_place *place = NULL;

	change.engine = engine;
	change.name = name;
	int r = engine_user_network_look(engine, e);
	if (r == 0)
		r = engine_networks_read(&change.network, engine, network, e);
	if (r == 0)
		r = read_container(&change, e);
	if (r < 0)
		return o->force && e->kind == ERR_NOT_FOUND ? 0 : r;
	if (change.c.network.endpoints.count || str_equal(change.c.network.mode, "private"))
		r = open_live(&change, e);
	if (r == 0)
		r = check_live(&change, &place, e);
	if (r < 0)
		return r;
	struct container_endpoint *endpoint =
		container_find_endpoint(&change.c, change.network.name);
	if (!endpoint && !place)
		return o->force ? 0
				: err_set(e, ERR_NOT_FOUND, "container %s is not in the network %s",
					  name, change.network.name);
	if (endpoint)
		remove_endpoint(&change.c, endpoint);
	r = record_commit(change.folder_fd, &change.c, e);
	if (r < 0 || !place)
		return r;
	fault_point("disconnect.record");
	struct engine_places gone = { 0 };
	*shape_list_add(&gone.items) = take_place(&change.connection.places, place);
	r = leave(&change, &gone.items.items[0], e);
	engine_network_places_clear(&gone);
	if (r == 0)
		tell(&change, "disconnect");
	return r;
}

/* ---- update ---- */

static int change_list(struct network *network, const struct strv *add, const struct strv *drop,
		       struct err *e)
{
	struct network_address address;
	int r = 0;

	for (size_t i = 0; i < drop->count; i++) {
		size_t k = 0;
		while (k < network->dns.count && !str_equal(network->dns.items[k], drop->items[i]))
			k++;
		if (k == network->dns.count)
			return err_set(e, ERR_NOT_FOUND, "--dns-drop %s: not one of the network %s",
				       drop->items[i], network->name);
		strv_remove(&network->dns, k);
	}
	for (size_t i = 0; r == 0 && i < add->count; i++) {
		r = network_address_parse(&address, add->items[i], e);
		if (r < 0)
			return err_add(e, "--dns-add");
		if (!strv_contains(&network->dns, add->items[i]))
			strv_add(&network->dns, add->items[i]);
	}
	return r;
}

static int tell_member(struct engine *engine, const char *id, const struct network *network,
		       struct err *e)
{
	struct change change = CHANGE_INIT;

	change.engine = engine;
	change.folder_fd = record_lock(engine, id, true, e);
	int r = change.folder_fd < 0 ? change.folder_fd : record_read(engine, id, &change.c, e);
	struct engine_places *places = &change.connection.places;
	if (r == 0)
		r = engine_network_places_read(places, engine, id, e);
	struct engine_place *place =
		r < 0 ? NULL : engine_network_find_place(places, network->name);
	if (place) {
		strv_clear(&place->dns);
		strv_add_all(&place->dns, &network->dns);
		change.run_fd =
			openat(engine->run_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = change.run_fd < 0 ? err_sys(e, "open the run folder") : write_live(&change, e);
	}
	change_clear(&change);
	/* it has ended meanwhile */
	return r < 0 && (e->kind == ERR_NOT_FOUND || r == -ENOENT) ? 0 : r;
}

static int tell_members(struct engine *engine, const struct network *network, struct err *e)
{
	int fd = openat(engine->run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	for (struct dirent *entry; r == 0 && dir && (entry = readdir(dir));)
		if (strlen(entry->d_name) == CONTAINER_ID_LENGTH)
			r = tell_member(engine, entry->d_name, network, e);
	return r;
}

int engine_connect_update(struct engine *engine, const char *name,
			  const struct network_update_options *o, struct err *e)
{
	own_clear(network_record_clear) struct network network = { 0 };

	own_fd int lock = network_record_lock(engine->store, e);
	if (lock < 0)
		return lock;
	int r = engine_networks_read(&network, engine, name, e);
	if (r == 0)
		r = change_list(&network, &o->dns_add, &o->dns_drop, e);
	if (r == 0 && o->publish_mode) {
		r = network_record_check_publish_mode(o->publish_mode, e);
		shape_map_set(&network.options, NETWORK_PUBLISH_MODE, o->publish_mode);
	}
	if (r == 0)
		r = network_record_replace(engine->store, &network, e);
	close(take_fd(&lock));
	if (r < 0)
		return r;
	engine_event(engine, "network", "update", network.id, "name", network.name, "type",
		     network.driver, NULL);
	return tell_members(engine, &network, e);
}
