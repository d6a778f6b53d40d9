/* inspect_ports.c - what is asked for, what is exposed, and what is published now, as docker has
 * it: objects with a member "80/tcp". */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "engine/inspect_part.h"
#include "engine/ports.h"

struct json_object *inspect_ports_exposed(const struct container *c)
{
	struct json_object *to = NULL;

	for (size_t i = 0; i < c->network.exposed.count; i++) {
		if (!to)
			to = json_object_new_object();
		json_object_object_add(to, c->network.exposed.items[i], json_object_new_object());
	}
	return to;
}

static void add_binding(struct json_object *to, int64_t port, const char *protocol,
			const char *address, const char *host)
{
	struct json_object *list, *binding = json_object_new_object();
	char key[32];

	snprintf(key, sizeof(key), "%u/%.8s", (unsigned)(uint16_t)port, protocol);
	if (!json_object_object_get_ex(to, key, &list) || !list) {
		list = json_object_new_array();
		json_object_object_add(to, key, list);
	}
	inspect_text(binding, "HostIp", address);
	inspect_text(binding, "HostPort", host);
	json_object_array_add(list, binding);
}

struct json_object *inspect_ports_asked(const struct container *c)
{
	struct json_object *to = json_object_new_object();

	for (size_t i = 0; i < c->network.ports.count; i++) {
		const struct container_port *port = &c->network.ports.items[i];
		add_binding(to, port->port, port->protocol, port->address, port->host);
	}
	return to;
}

struct json_object *inspect_ports(struct engine *engine, const struct container *c,
				  const struct container_state *state)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
	struct json_object *to = json_object_new_object();
	struct err ignored;
	char host[16];

	if (!container_state_live(state) || engine_ports_read(&ports, engine, c->id, &ignored) < 0)
		return to;
	for (size_t i = 0; i < c->network.exposed.count; i++)
		json_object_object_add(to, c->network.exposed.items[i], NULL);
	for (size_t i = 0; i < ports.items.count; i++) {
		const struct engine_port *port = &ports.items.items[i];
		snprintf(host, sizeof(host), "%u", (unsigned)(uint16_t)port->host_port);
		add_binding(to, port->port, port->protocol, port->address, host);
	}
	return to;
}
