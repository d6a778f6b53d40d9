/* networks_places.c - who has what in which network: what `network ls -v` prints. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/network.h"
#include "engine/networks.h"
#include "engine/record.h"
#include "engine/user_network.h"
#include "network/control.h"
#include "network/firewall.h"
#include "wire/netlink.h"

/* ---- who ---- */

static void member_clear(struct engine_member *member)
{
	container_clear(&member->container);
	engine_network_places_clear(&member->places);
}

void engine_networks_members_clear(struct engine_members *members)
{
	for (size_t i = 0; i < members->items.count; i++)
		member_clear(&members->items.items[i]);
	free(members->items.items);
	*members = (struct engine_members){ 0 };
}

static void read_member(struct engine_members *to, struct engine *engine, const char *id)
{
	struct engine_member member = { 0 };
	struct err ignored;

	if (engine_network_is_live(engine, id) &&
	    engine_network_places_read(&member.places, engine, id, &ignored) == 0 &&
	    member.places.items.count && record_read(engine, id, &member.container, &ignored) == 0)
		*shape_list_add(&to->items) = member;
	else
		member_clear(&member);
}

void engine_networks_members(struct engine_members *ret, struct engine *engine)
{
	int fd = openat(engine->run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	*ret = (struct engine_members){ 0 };
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (strlen(entry->d_name) == CONTAINER_ID_LENGTH)
			read_member(ret, engine, entry->d_name);
}

/* ---- a network ---- */

static void add(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text ? text : ""));
}

static const char *rules_of(const struct network *network)
{
	if (!network_record_has_bridge(network))
		return "";
	return network_firewall_knows(network->bridge) ? "inet holm" : "none";
}

static struct json_object *make_row(const struct network *network)
{
	static const char *const keys[] = { "Container", "Device", "Outer",   "MAC",  "Addresses",
					    "Permits",   "Limits", "Refused", "Rules" };
	struct json_object *row = json_object_new_object();

	add(row, "Network", network->name);
	add(row, "Driver", network->driver);
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		add(row, keys[i], "");
	return row;
}

/* The network itself: what is its own on this host, and its subnets. */
static struct json_object *describe(const struct network *network)
{
	struct json_object *row = make_row(network);
	own_clear(strv_clear) struct strv subnets = { 0 };

	for (size_t i = 0; i < network->subnets.count; i++)
		strv_add(&subnets, network->subnets.items[i].subnet);
	own_free char *joined = strv_join(&subnets, ",");
	const char *parent = shape_map_get(&network->options, "parent");
	add(row, "Outer", network->bridge ? network->bridge : parent);
	add(row, "Addresses", joined);
	add(row, "Rules", rules_of(network));
	return row;
}

/* ---- places ---- */

static void add_limits(struct json_object *row, const struct container_endpoint *endpoint)
{
	own_clear(strv_clear) struct strv limits = { 0 };

	for (size_t i = 0; i < endpoint->options.count; i++)
		if (str_starts(endpoint->options.items[i].key, "limits."))
			strv_addf(&limits, "%s=%s",
				  endpoint->options.items[i].key + strlen("limits."),
				  endpoint->options.items[i].value);
	own_free char *joined = strv_join(&limits, ",");
	add(row, "Limits", joined);
}

/* What the host's end of the pair lets through, and what it did not. */
static void add_control(struct json_object *row, int socket, const char *outer,
			const struct container_endpoint *endpoint)
{
	const char *allowed = endpoint ? shape_map_get(&endpoint->options, "allow") : NULL;
	own_free char *permits = allowed && !str_equal(allowed, "any")
					 ? mem_format("own %s", allowed)
					 : mem_text(allowed ? allowed : "own");
	uint64_t refused;

	if (endpoint)
		add_limits(row, endpoint);
	if (!outer || !network_control_refused(&refused, socket, outer)) {
		add(row, "Permits", "any");
		return;
	}
	own_free char *count = mem_format("%llu", (unsigned long long)refused);
	add(row, "Permits", permits);
	add(row, "Refused", count);
}

static void add_place(struct json_object *to, const struct network *network, int socket,
		      const struct container *c, const struct engine_place *place)
{
	struct json_object *row = make_row(network);
	own_free char *addresses = strv_join(&place->addresses, ",");

	add(row, "Container", c->name);
	add(row, "Device", place->device);
	add(row, "Outer", place->outer);
	add(row, "MAC", place->mac);
	add(row, "Addresses", addresses);
	add_control(row, socket, place->outer, container_find_endpoint(c, network->name));
	json_object_array_add(to, row);
}

static void add_network(struct json_object *to, const struct network *network,
			const struct engine_members *members, int socket)
{
	json_object_array_add(to, describe(network));
	for (size_t i = 0; i < members->items.count; i++) {
		const struct engine_member *member = &members->items.items[i];
		const struct engine_place *place =
			engine_network_find_place(&member->places, network->name);
		if (place)
			add_place(to, network, socket, &member->container, place);
	}
}

int engine_networks_list_places(struct engine *engine, struct json_object **ret, struct err *e)
{
	own_clear(network_record_list_clear) struct networks networks = { 0 };
	own_clear(engine_networks_members_clear) struct engine_members members = { 0 };

	int r = engine_user_network_look(engine, e);
	if (r == 0)
		r = network_record_list(&networks, engine->store, e);
	if (r < 0)
		return r;
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	engine_networks_members(&members, engine);
	*ret = json_object_new_array();
	for (size_t i = 0; i < networks.items.count; i++)
		add_network(*ret, &networks.items.items[i], &members, socket);
	return 0;
}
