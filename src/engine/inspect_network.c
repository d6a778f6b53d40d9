/* inspect_network.c - NetworkSettings: where the container is, while it is there. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/dns.h"
#include "engine/inspect_part.h"
#include "engine/network.h"

/* The place's first address of a family, or none. */
static void add_address(struct json_object *to, const struct engine_place *place, bool six)
{
	const char *keys[] = { six ? "GlobalIPv6Address" : "IPAddress",
			       six ? "GlobalIPv6PrefixLen" : "IPPrefixLen",
			       six ? "IPv6Gateway" : "Gateway" };
	own_free char *address = NULL;
	const char *gateway = "";
	int64_t prefix = 0;

	for (size_t i = place->addresses.count; i > 0; i--) {
		const char *text = place->addresses.items[i - 1];
		if ((strchr(text, ':') != NULL) != six)
			continue;
		free(address);
		address = mem_text_n(text, strcspn(text, "/"));
		prefix = strtol(text + strcspn(text, "/") + 1, NULL, 10);
		gateway = place->gateways.items[i - 1];
	}
	inspect_text(to, keys[0], address);
	inspect_number(to, keys[1], prefix);
	inspect_text(to, keys[2], gateway);
}

static void add_place(struct json_object *to, const struct engine_place *place)
{
	inspect_text(to, "EndpointID", "");
	add_address(to, place, false);
	add_address(to, place, true);
	inspect_text(to, "MacAddress", place->mac);
}

/* Texts as a list, null where there are none. */
static void add_list(struct json_object *to, const char *key, const struct strv *texts)
{
	struct json_object *list = texts->count ? json_object_new_array() : NULL;

	for (size_t i = 0; i < texts->count; i++)
		json_object_array_add(list, json_object_new_string(texts->items[i]));
	json_object_object_add(to, key, list);
}

/* What was asked for; endpoint may be NULL. */
static void add_wishes(struct json_object *to, const struct container *c,
		       const struct container_endpoint *endpoint)
{
	static const struct container_endpoint none = { 0 };
	const struct container_endpoint *wishes = endpoint ? endpoint : &none;
	own_clear(strv_clear) struct strv names = { 0 };
	struct json_object *addresses = NULL, *options = NULL;

	if (wishes->address || wishes->address6)
		addresses = json_object_new_object();
	if (wishes->address)
		inspect_text(addresses, "IPv4Address", wishes->address);
	if (wishes->address6)
		inspect_text(addresses, "IPv6Address", wishes->address6);
	if (wishes->options.count)
		options = json_object_new_object();
	for (size_t i = 0; i < wishes->options.count; i++)
		inspect_text(options, wishes->options.items[i].key, wishes->options.items[i].value);
	if (endpoint)
		engine_dns_names(&names, c, endpoint->network);
	json_object_object_add(to, "IPAMConfig", addresses);
	add_list(to, "Links", endpoint ? &c->network.links : &none.aliases);
	add_list(to, "Aliases", &wishes->aliases);
	json_object_object_add(to, "DriverOpts", options);
	inspect_number(to, "GwPriority", wishes->gw_priority);
	add_list(to, "DNSNames", &names);
}

static struct json_object *make_network(const struct container *c,
					const struct container_endpoint *endpoint,
					const struct engine_place *place)
{
	struct json_object *to = json_object_new_object();

	add_wishes(to, c, endpoint);
	inspect_text(to, "NetworkID", place->id);
	add_place(to, place);
	return to;
}

static void add_sandbox(struct json_object *to, struct engine *engine, const struct container *c,
			const struct container_state *state)
{
	static const struct inspect_unsaid unsaid[] = {
		{ "Bridge", INSPECT_TEXT },
		{ "HairpinMode", INSPECT_FALSE },
		{ "LinkLocalIPv6Address", INSPECT_TEXT },
		{ "LinkLocalIPv6PrefixLen", INSPECT_NUMBER },
		{ "SecondaryIPAddresses", INSPECT_NULL },
		{ "SecondaryIPv6Addresses", INSPECT_NULL },
	};
	bool live = container_state_live(state) && state->pid > 0;
	own_free char *key = live ? mem_format("/proc/%d/ns/net", (int)state->pid) : NULL;

	inspect_unsaid(to, unsaid, COUNT_OF(unsaid));
	inspect_text(to, "SandboxID", live ? c->id : "");
	inspect_text(to, "SandboxKey", key);
	json_object_object_add(to, "Ports", inspect_ports(engine, c, state));
}

struct json_object *inspect_network(struct engine *engine, const struct container *c,
				    const struct container_state *state)
{
	own_clear(engine_network_places_clear) struct engine_places places = { 0 };
	static const struct engine_place none = { 0 };
	struct json_object *to = json_object_new_object();
	struct json_object *networks = json_object_new_object();
	struct err ignored;

	if (engine_network_places_read(&places, engine, c->id, &ignored) < 0)
		places = (struct engine_places){ 0 };
	add_sandbox(to, engine, c, state);
	add_place(to, places.items.count ? &places.items.items[0] : &none);
	for (size_t i = 0; i < c->network.endpoints.count; i++) {
		const struct container_endpoint *endpoint = &c->network.endpoints.items[i];
		const struct engine_place *place =
			engine_network_find_place(&places, endpoint->network);
		json_object_object_add(networks, endpoint->network,
				       make_network(c, endpoint, place ? place : &none));
	}
	if (c->network.endpoints.count == 0)
		json_object_object_add(networks, c->network.mode, make_network(c, NULL, &none));
	json_object_object_add(to, "Networks", networks);
	return to;
}
