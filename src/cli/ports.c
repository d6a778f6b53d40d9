/* ports.c - docker's formatting: ports that are the same on both sides, and those that are
 * exposed alone, are grouped into ranges and come first, then all that are translated to others
 * (docker/cli, cli/command/formatter, DisplayablePorts). */
#include "cli/ports.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "network/port.h"

static void add_host(struct str *to, const char *address)
{
	str_addf(to, strchr(address, ':') ? "[%s]:" : "%s:", address);
}

void cli_ports_address(struct str *to, const struct engine_port *port)
{
	add_host(to, port->address);
	str_addf(to, "%u", (unsigned)port->host_port);
}

/* Ports in a row at one address, or exposed alone. */
struct group {
	const char *address; /* NULL: not published */
	const char *protocol;
	int64_t first;
	int64_t last;
};

static void add_comma(struct str *to)
{
	if (to->length)
		str_add(to, ", ");
}

static void add_group(struct str *to, const struct group *group)
{
	own_free char *range =
		group->first == group->last
			? mem_format("%u", (unsigned)group->first)
			: mem_format("%u-%u", (unsigned)group->first, (unsigned)group->last);

	add_comma(to);
	if (group->address) {
		add_host(to, group->address);
		str_addf(to, "%s->", range);
	}
	str_addf(to, "%s/%s", range, group->protocol);
}

struct groups {
	struct group *items;
	size_t count;
};

static void join(struct groups *groups, const char *address, const char *protocol, int64_t port)
{
	for (size_t i = groups->count; i > 0; i--) {
		struct group *group = &groups->items[i - 1];
		if (!str_equal(group->address, address) || !str_equal(group->protocol, protocol) ||
		    group->last + 1 != port)
			continue;
		group->last = port;
		return;
	}
	groups->items = mem_resize(groups->items, groups->count + 1, sizeof(*groups->items));
	groups->items[groups->count++] = (struct group){ address, protocol, port, port };
}

static bool is_published(const struct engine_port_list *ports, int64_t number, const char *protocol)
{
	for (size_t i = 0; i < ports->items.count; i++)
		if (ports->items.items[i].port == number &&
		    str_equal(ports->items.items[i].protocol, protocol))
			return true;
	return false;
}

static int by_number(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* What is exposed and not published. */
static void join_exposed(struct groups *groups, const struct engine_port_list *ports,
			 const struct strv *exposed)
{
	struct groups alone = { 0 };
	struct network_port_range range;
	struct err ignored;
	int protocol;

	for (size_t i = 0; i < exposed->count; i++) {
		if (network_port_parse_container(&range, &protocol, exposed->items[i], &ignored) <
		    0)
			continue;
		const char *name = network_port_protocol_name(protocol);
		if (is_published(ports, range.low, name))
			continue;
		alone.items = mem_resize(alone.items, alone.count + 1, sizeof(*alone.items));
		alone.items[alone.count++] = (struct group){ NULL, name, range.low, range.low };
	}
	if (alone.count)
		qsort(alone.items, alone.count, sizeof(*alone.items), by_number);
	for (size_t i = 0; i < alone.count; i++)
		join(groups, NULL, alone.items[i].protocol, alone.items[i].first);
	free(alone.items);
}

void cli_ports_column(struct str *to, const struct engine_port_list *ports,
		      const struct strv *exposed)
{
	struct groups groups = { 0 };

	for (size_t i = 0; i < ports->items.count; i++) {
		const struct engine_port *port = &ports->items.items[i];
		if (port->port == port->host_port)
			join(&groups, port->address, port->protocol, port->port);
	}
	join_exposed(&groups, ports, exposed);
	for (size_t i = 0; i < groups.count; i++)
		add_group(to, &groups.items[i]);
	free(groups.items);
	for (size_t i = 0; i < ports->items.count; i++) {
		const struct engine_port *port = &ports->items.items[i];
		if (port->port == port->host_port)
			continue;
		add_comma(to);
		cli_ports_address(to, port);
		str_addf(to, "->%u/%s", (unsigned)port->port, port->protocol);
	}
}
