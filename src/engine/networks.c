#include "engine/networks.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/dns.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/name.h"
#include "engine/network.h"
#include "engine/record.h"
#include "engine/user_network.h"
#include "network/driver.h"
#include "network/lease.h"
#include "storage/store.h"

enum { MTU_MIN = 68, MTU_MAX = 65535 };

/* ---- creating ---- */

/* What every kind of network understands. */
static int set_common(struct network *network, struct err *e)
{
	static const char *const keys[] = { "mtu", "com.docker.network.driver.mtu" };

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const char *value = shape_map_get(&network->options, keys[i]);
		uint64_t mtu;
		if (!value)
			continue;
		int r = number_parse_u64(&mtu, value, MTU_MAX, e);
		if (r < 0 || mtu < MTU_MIN)
			return err_set(e, ERR_INVALID, "--opt %s=%s: not a number from %d to %d",
				       keys[i], value, MTU_MIN, MTU_MAX);
		network->mtu = (uint32_t)mtu;
	}
	const char *mode = shape_map_get(&network->options, NETWORK_PUBLISH_MODE);
	int r = mode ? network_record_check_publish_mode(mode, e) : 0;
	return r < 0 ? err_add(e, "--opt " NETWORK_PUBLISH_MODE) : 0;
}

static int check_driver(const struct network_driver **ret, const struct network *network,
			struct err *e)
{
	const struct network_driver *driver;

	int r = network_driver_find(&driver, network->driver, e);
	if (r < 0)
		return r;
	r = network_driver_check_options(driver, network, e);
	if (r == 0)
		*ret = driver;
	return r;
}

/* The subnet that this gateway or range lies in. */
static int give_to_subnet(struct network *network, const char *option, const char *text,
			  size_t member, struct err *e)
{
	struct network_address address, subnet;

	int r = network_address_parse(&address, text, e);
	if (r < 0)
		return err_add(e, "%s", option);
	for (size_t i = 0; i < network->subnets.count; i++) {
		struct network_subnet *s = &network->subnets.items[i];
		char **field = (char **)((char *)s + member);
		r = network_address_parse_subnet(&subnet, s->subnet, e);
		if (r < 0)
			return err_add(e, "--subnet");
		if (!network_address_holds(&subnet, &address))
			continue;
		if (*field)
			return err_set(e, ERR_INVALID, "%s: %s and %s are both in %s", option,
				       *field, text, s->subnet);
		*field = mem_text(text);
		return 0;
	}
	return err_set(e, ERR_INVALID, "%s %s: in none of the --subnet", option, text);
}

/* A subnet of its own, by chance: RFC 4193, section 3.2. */
static void add_ipv6(struct network *network)
{
	for (size_t i = 0; i < network->subnets.count; i++)
		if (strchr(network->subnets.items[i].subnet, ':'))
			return;
	struct network_subnet *s = shape_list_add(&network->subnets);
	s->subnet = mem_format("fd%.2s:%.4s:%.4s:%.4s::/64", network->id, network->id + 2,
			       network->id + 6, network->id + 10);
}

/* What no device can have an address in (RFC 6890). */
static const struct {
	const char *subnet, *what;
} no_hosts[] = {
	{ "0.0.0.0/8", "stands for this host" }, { "127.0.0.0/8", "is the loopback device's" },
	{ "224.0.0.0/4", "is multicast" },       { "255.255.255.255/32", "is broadcast" },
	{ "::/127", "stands for this host" },    { "ff00::/8", "is multicast" },
};

static int check_subnet(const char *text, struct err *e)
{
	struct network_address subnet, none;

	int r = network_address_parse_subnet(&subnet, text, e);
	for (size_t i = 0; r == 0 && i < COUNT_OF(no_hosts); i++) {
		r = network_address_parse(&none, no_hosts[i].subnet, e);
		if (r == 0 && network_address_overlaps(&subnet, &none))
			return err_set(e, ERR_INVALID, "--subnet %s: %s %s", text,
				       no_hosts[i].subnet, no_hosts[i].what);
	}
	return r < 0 ? err_add(e, "--subnet") : 0;
}

static int fill(struct network *network, const char *name, const struct networks_create_options *o,
		struct err *e)
{
	char now[MOMENT_TEXT_SIZE], id[CONTAINER_ID_LENGTH + 1];

	engine_id_generate(id);
	moment_format(now, moment_now_ns());
	network->name = mem_text(name);
	network->id = mem_text(id);
	network->driver = mem_text(o->driver ? o->driver : "bridge");
	network->created = mem_text(now);
	network->internal = o->internal;
	for (size_t i = 0; i < o->subnet.count; i++)
		shape_list_add(&network->subnets)->subnet = mem_text(o->subnet.items[i]);
	if (o->ipv6)
		add_ipv6(network);
	int r = 0;
	for (size_t i = 0; r == 0 && i < o->subnet.count; i++)
		r = check_subnet(o->subnet.items[i], e);
	if (r == 0)
		r = shape_map_set_pairs(&network->labels, &o->label, "--label", e);
	if (r == 0)
		r = shape_map_set_pairs(&network->options, &o->option, "--opt", e);
	if (r == 0)
		r = set_common(network, e);
	for (size_t i = 0; r == 0 && i < o->gateway.count; i++)
		r = give_to_subnet(network, "--gateway", o->gateway.items[i],
				   offsetof(struct network_subnet, gateway), e);
	for (size_t i = 0; r == 0 && i < o->ip_range.count; i++)
		r = give_to_subnet(network, "--ip-range", o->ip_range.items[i],
				   offsetof(struct network_subnet, range), e);
	return r;
}

static int make(struct network *network, struct engine *engine, struct err *e)
{
	own_clear(network_record_list_clear) struct networks others = { 0 };
	const struct network_driver *driver = NULL;

	int r = network_record_list(&others, engine->store, e);
	for (size_t i = 0; r == 0 && i < others.items.count; i++)
		if (str_equal(others.items.items[i].name, network->name))
			r = err_set(e, ERR_EXISTS, "there is a network %s already", network->name);
	if (r == 0)
		r = check_driver(&driver, network, e);
	if (r == 0)
		r = driver->plan(network, &others, e);
	return r < 0 ? r : network_record_write(engine->store, network, e);
}

static void tell(struct engine *engine, const struct network *network, const char *action)
{
	engine_event(engine, "network", action, network->id, "name", network->name, "type",
		     network->driver, NULL);
}

int engine_networks_create(struct engine *engine, const char *name,
			   const struct networks_create_options *o, char **ret_id, struct err *e)
{
	own_clear(network_record_clear) struct network network = { 0 };

	int r = network_record_check_name(name, e);
	if (r == 0 && str_equal(name, NETWORK_DEFAULT))
		r = err_set(e, ERR_EXISTS, "the network %s is always there", name);
	if (r == 0)
		r = fill(&network, name, o, e);
	if (r < 0)
		return r;
	own_fd int lock = network_record_lock(engine->store, e);
	if (lock < 0)
		return lock;
	r = make(&network, engine, e);
	if (r == 0)
		tell(engine, &network, "create");
	if (r == 0)
		*ret_id = take_ptr(&network.id);
	return r;
}

/* ---- finding ---- */

static int make_default(struct network *to, struct engine *engine, struct err *e)
{
	static const struct networks_create_options nothing = { 0 };

	own_fd int lock = network_record_lock(engine->store, e);
	if (lock < 0)
		return lock;
	if (network_record_read(to, engine->store, NETWORK_DEFAULT, e) == 0)
		return 0;
	int r = fill(to, NETWORK_DEFAULT, &nothing, e);
	return r < 0 ? r : make(to, engine, e);
}

/* By the beginning of its id. */
static int find_by_id(struct network *to, struct engine *engine, const char *prefix, struct err *e)
{
	own_clear(network_record_list_clear) struct networks networks = { 0 };
	const char *found = NULL;

	int r = network_record_list(&networks, engine->store, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < networks.items.count; i++) {
		const struct network *network = &networks.items.items[i];
		if (!str_starts(network->id, prefix))
			continue;
		if (found)
			return err_set(e, ERR_INVALID,
				       "%s is the beginning of several networks' ids", prefix);
		found = network->name;
	}
	if (!found)
		return err_set(e, ERR_NOT_FOUND, "no network is called %.140s", prefix);
	return network_record_read(to, engine->store, found, e);
}

int engine_networks_read(struct network *to, struct engine *engine, const char *name, struct err *e)
{
	int r = network_record_read(to, engine->store, name, e);

	if (r == 0 || e->kind != ERR_NOT_FOUND)
		return r;
	if (str_equal(name, NETWORK_DEFAULT))
		return make_default(to, engine, e);
	return engine_id_is_prefix(name) ? find_by_id(to, engine, name, e) : r;
}

/* ---- showing ---- */

static void add(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text ? text : ""));
}

static struct json_object *pairs(const struct shape_map *map)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < map->count; i++)
		add(object, map->items[i].key, map->items[i].value);
	return object;
}

static struct json_object *describe_subnets(const struct network *network)
{
	struct json_object *ipam = json_object_new_object();
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < network->subnets.count; i++) {
		const struct network_subnet *s = &network->subnets.items[i];
		struct json_object *one = json_object_new_object();
		add(one, "Subnet", s->subnet);
		if (s->range)
			add(one, "IPRange", s->range);
		if (s->gateway)
			add(one, "Gateway", s->gateway);
		json_object_array_add(list, one);
	}
	add(ipam, "Driver", "default");
	json_object_object_add(ipam, "Options", json_object_new_object());
	json_object_object_add(ipam, "Config", list);
	return ipam;
}

static struct json_object *describe(const struct network *network)
{
	struct json_object *object = json_object_new_object();
	bool ipv6 = false;

	for (size_t i = 0; i < network->subnets.count; i++)
		ipv6 |= strchr(network->subnets.items[i].subnet, ':') != NULL;
	add(object, "Name", network->name);
	add(object, "Id", network->id);
	add(object, "Created", network->created);
	add(object, "Scope", "local");
	add(object, "Driver", network->driver);
	json_object_object_add(object, "EnableIPv6", json_object_new_boolean(ipv6));
	json_object_object_add(object, "IPAM", describe_subnets(network));
	json_object_object_add(object, "Internal", json_object_new_boolean(network->internal));
	json_object_object_add(object, "Attachable", json_object_new_boolean(false));
	json_object_object_add(object, "Ingress", json_object_new_boolean(false));
	json_object_object_add(object, "Containers", json_object_new_object());
	json_object_object_add(object, "Options", pairs(&network->options));
	json_object_object_add(object, "Labels", pairs(&network->labels));
	if (network->bridge)
		add(object, "Bridge", network->bridge);
	return object;
}

/* Docker's "host" and "none", which are names for having none. */
static struct json_object *describe_mode(const char *name)
{
	struct network network = { .name = (char *)name,
				   .id = (char *)"",
				   .driver = (char *)(str_equal(name, "none") ? "null" : "host") };

	return describe(&network);
}

int engine_networks_list(struct engine *engine, struct json_object **ret, struct err *e)
{
	own_clear(network_record_list_clear) struct networks networks = { 0 };
	own_clear(network_record_clear) struct network first = { 0 };

	/* so that it is in the list */
	int r = engine_networks_read(&first, engine, NETWORK_DEFAULT, e);
	if (r == 0)
		r = network_record_list(&networks, engine->store, e);
	if (r < 0)
		return r;
	*ret = json_object_new_array();
	for (size_t i = 0; i < networks.items.count; i++)
		json_object_array_add(*ret, describe(&networks.items.items[i]));
	json_object_array_add(*ret, describe_mode("host"));
	json_object_array_add(*ret, describe_mode("none"));
	return 0;
}

static void add_member(struct json_object *to, const struct container *c,
		       const struct engine_place *place)
{
	struct json_object *one = json_object_new_object();
	const char *four = "", *six = "";

	for (size_t i = 0; i < place->addresses.count; i++)
		if (strchr(place->addresses.items[i], ':'))
			six = place->addresses.items[i];
		else
			four = place->addresses.items[i];
	add(one, "Name", c->name);
	add(one, "EndpointID", "");
	add(one, "MacAddress", place->mac);
	add(one, "IPv4Address", four);
	add(one, "IPv6Address", six);
	json_object_object_add(to, c->id, one);
}

static void add_containers(struct json_object *network, struct engine *engine, const char *name)
{
	own_clear(engine_networks_members_clear) struct engine_members members = { 0 };
	struct json_object *to = json_object_object_get(network, "Containers");

	engine_networks_members(&members, engine);
	for (size_t i = 0; i < members.items.count; i++) {
		const struct engine_member *member = &members.items.items[i];
		const struct engine_place *place = engine_network_find_place(&member->places, name);
		if (place)
			add_member(to, &member->container, place);
	}
}

int engine_networks_inspect(struct engine *engine, const char *name, struct json_object **ret,
			    struct err *e)
{
	own_clear(network_record_clear) struct network network = { 0 };

	if (str_equal(name, "host") || str_equal(name, "none")) {
		*ret = describe_mode(name);
		return 0;
	}
	int r = engine_networks_read(&network, engine, name, e);
	if (r < 0)
		return r;
	*ret = describe(&network);
	add_containers(*ret, engine, network.name);
	return 0;
}

/* ---- removing ---- */

static bool names_network(struct engine *engine, const char *id, const char *network, char **who)
{
	own_clear(container_clear) struct container c = { 0 };
	struct err e;

	if (record_read(engine, id, &c, &e) < 0)
		return false;
	if (!container_find_endpoint(&c, network))
		return false;
	mem_replace(who, c.name);
	return true;
}

/* Is it some container's, running or not? */
static bool is_used(struct engine *engine, const char *network, char **who)
{
	int fd = openat(engine->containers_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (strlen(entry->d_name) == CONTAINER_ID_LENGTH &&
		    names_network(engine, entry->d_name, network, who))
			return true;
	return !dir;
}

/* Under the lock. A user's networks that have not been found (engine_user_network_look()) are not
 * there. */
static int remove_unused(struct engine *engine, const struct network *network, struct err *e)
{
	const struct network_driver *driver;
	struct err ignored;

	int r = network_driver_find(&driver, network->driver, e);
	if (r == 0 && driver->remove && !engine_user_network_applies())
		r = driver->remove(network, e);
	if (r == 0)
		r = network_record_remove(engine->store, network->name, e);
	if (r == 0)
		network_lease_remove(engine->store, network->name, &ignored);
	if (r == 0)
		engine_dns_remove_network(engine, network->name);
	if (r == 0)
		tell(engine, network, "destroy");
	return r;
}

int engine_networks_remove(struct engine *engine, const char *name, bool force, struct err *e)
{
	own_clear(network_record_clear) struct network network = { 0 };
	own_free char *who = NULL;

	if (str_equal(name, NETWORK_DEFAULT) || str_equal(name, "host") || str_equal(name, "none"))
		return err_set(e, ERR_STATE, "the network %s is always there", name);
	own_fd int lock = network_record_lock(engine->store, e);
	if (lock < 0)
		return lock;
	int r = engine_user_network_look(engine, e);
	if (r == 0)
		r = engine_networks_read(&network, engine, name, e);
	if (r < 0)
		return force && e->kind == ERR_NOT_FOUND ? 0 : r;
	if (str_equal(network.name, NETWORK_DEFAULT))
		return err_set(e, ERR_STATE, "the network %s is always there", network.name);
	if (is_used(engine, network.name, &who)) {
		err_set(e, ERR_STATE, "the network %s is that of the container %s", network.name,
			who ? who : "?");
		return err_hint(e, "remove the container first: holm rm %s", who ? who : "?");
	}
	return remove_unused(engine, &network, e);
}

int engine_networks_prune(struct engine *engine, struct strv *done, struct err *e)
{
	own_clear(network_record_list_clear) struct networks networks = { 0 };

	own_fd int lock = network_record_lock(engine->store, e);
	if (lock < 0)
		return lock;
	int r = engine_user_network_look(engine, e);
	if (r == 0)
		r = network_record_list(&networks, engine->store, e);
	for (size_t i = 0; r == 0 && i < networks.items.count; i++) {
		const struct network *network = &networks.items.items[i];
		own_free char *who = NULL;
		if (str_equal(network->name, NETWORK_DEFAULT) ||
		    is_used(engine, network->name, &who))
			continue;
		r = remove_unused(engine, network, e);
		if (r == 0)
			strv_add(done, network->name);
	}
	return r;
}
