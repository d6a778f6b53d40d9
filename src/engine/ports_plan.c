/* ports_plan.c - what a container asks for, and at which of the host's addresses and ports it gets
 * it. */
#include "engine/ports_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/network.h"
#include "engine/user_network.h"
#include "network/proxy.h"
#include "network/reserve.h"

/* ---- what is to be published ---- */

/* One wish at all the addresses that it is for. */
struct wish {
	int protocol;
	struct network_port_range host;
	uint16_t port;
	struct network_address addresses[2]; /* of the host, one a family */
	struct network_address targets[2];
	size_t count;
};

struct wishes {
	SHAPE_LIST_OF(struct wish) items;
	struct ports_target target;
	bool by_program; /* an ordinary user's */
};

static void wishes_clear(struct wishes *wishes)
{
	free(wishes->items.items);
}

struct ports_target ports_plan_target(const struct container *c, const struct engine_places *places)
{
	struct ports_target target = { .judged = !c->network.publish_open };
	struct network_address address;
	struct err ignored;
	size_t chosen = 0;

	if (places->items.count == 0)
		return target;
	while (chosen < places->items.count && places->items.items[chosen].internal)
		chosen++;
	if (chosen == places->items.count)
		chosen = 0;
	const struct engine_place *place = &places->items.items[chosen];
	target.judged &= c->network.publish_judged || !place->publish_open;
	const struct strv *all = &place->addresses;
	for (size_t i = all->count; i > 0; i--)
		if (network_address_parse(&address, all->items[i - 1], &ignored) == 0)
			target.addresses[address.family == AF_INET6] = address;
	return target;
}

const struct network_address *ports_plan_lead(const struct ports_target *target, int family,
					      bool carried)
{
	const struct network_address *address = &target->addresses[family == AF_INET6];

	return carried && !address->family ? &target->addresses[family != AF_INET6] : address;
}

static void add_address(struct wish *wish, const struct network_address *host,
			const struct network_address *target)
{
	wish->addresses[wish->count] = *host;
	wish->targets[wish->count++] = *target;
}

static int add_named(struct wish *wish, const struct wishes *wishes, const char *text,
		     struct err *e)
{
	struct network_address host;

	int r = network_address_parse(&host, text, e);
	if (r < 0)
		return r;
	if (network_proxy_wanted(&host) && !network_proxy_carries(wish->protocol))
		return err_set(e, ERR_UNSUPPORTED, "%s at %s: holm-proxy carries TCP and UDP alone",
			       network_port_protocol_name(wish->protocol), text);
	const struct network_address *target =
		ports_plan_lead(&wishes->target, host.family, wishes->by_program);
	/* a program speaks with the container, by whatever address it has */
	if (network_proxy_wanted(&host))
		target = &wishes->target.addresses[!wishes->target.addresses[0].family];
	if (!target->family) {
		err_set(e, ERR_INVALID, "%s: the container's network has no %s subnet", text,
			host.family == AF_INET6 ? "IPv6" : "IPv4");
		return err_hint(e, "holm network create --ipv6 makes one with both");
	}
	add_address(wish, &host, target);
	return 0;
}

static int add_wish(struct wishes *to, const struct container_port *port, struct err *e)
{
	struct wish wish = { .protocol = network_port_protocol(port->protocol),
			     .port = (uint16_t)port->port };
	int r = port->host ? network_port_parse_range(&wish.host, port->host, e) : 0;

	if (r == 0 && port->address)
		r = add_named(&wish, to, port->address, e);
	if (r < 0)
		return r;
	if (to->by_program && !network_proxy_carries(wish.protocol))
		return err_set(e, ERR_UNSUPPORTED,
			       "--publish %lld/%s: an ordinary user's ports are of TCP or UDP",
			       (long long)port->port, port->protocol);
	for (int six = 0; !port->address && six < 2; six++) {
		const struct network_address any = { .family = six ? AF_INET6 : AF_INET };
		if (to->target.addresses[six].family)
			add_address(&wish, &any, &to->target.addresses[six]);
	}
	*shape_list_add(&to->items) = wish;
	return 0;
}

static bool is_published(const struct container *c, int64_t number, const char *protocol)
{
	for (size_t i = 0; i < c->network.ports.count; i++)
		if (c->network.ports.items[i].port == number &&
		    str_equal(c->network.ports.items[i].protocol, protocol))
			return true;
	return false;
}

/* -P: what is exposed and not published by name. */
static int add_exposed(struct wishes *to, const struct container *c, struct err *e)
{
	struct network_port_range range;
	int protocol, r = 0;

	for (size_t i = 0; r == 0 && i < c->network.exposed.count; i++) {
		r = network_port_parse_container(&range, &protocol, c->network.exposed.items[i], e);
		if (r < 0)
			return r;
		struct container_port port = {
			.port = range.low,
			.protocol = (char *)network_port_protocol_name(protocol),
		};
		if (!is_published(c, port.port, port.protocol))
			r = add_wish(to, &port, e);
	}
	return r;
}

static int make_wishes(struct wishes *to, const struct container *c,
		       const struct engine_places *places, struct err *e)
{
	int r = 0;

	to->target = ports_plan_target(c, places);
	to->by_program = engine_user_network_applies();
	/* a program carries its packets: to whatever address it has (engine/uplink.h) */
	if (places->items.count == 0) {
		to->target.addresses[0].family = AF_INET;
		to->target.addresses[1].family = AF_INET6;
	}
	for (size_t i = 0; r == 0 && i < c->network.ports.count; i++)
		r = add_wish(to, &c->network.ports.items[i], e);
	if (r == 0 && c->network.publish_all)
		r = add_exposed(to, c, e);
	return r;
}

/* ---- who has it ---- */

static bool has_port(const struct engine_port_list *ports, const struct wish *wish, uint16_t port)
{
	const char *protocol = network_port_protocol_name(wish->protocol);

	for (size_t i = 0; i < ports->items.count; i++)
		if (ports->items.items[i].host_port == port &&
		    str_equal(ports->items.items[i].protocol, protocol))
			return true;
	return false;
}

/* The error of the reservation names no container: nobody sees who bound its sockets. */
static int name_container(struct engine *engine, const struct wish *wish, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options running = { .quiet = true };
	struct err ignored;

	if (wish->host.low == 0 || wish->host.low != wish->host.high ||
	    engine_list(engine, &running, &rows, &ignored) < 0)
		return -e->number;
	for (size_t i = 0; i < rows.count; i++) {
		own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
		if (engine_ports_read_held(&ports, engine, rows.items[i].container.id, &ignored) <
			    0 ||
		    !has_port(&ports, wish, wish->host.low))
			continue;
		return err_set(e, ERR_EXISTS, "port %u/%s is published by the container %s",
			       wish->host.low, network_port_protocol_name(wish->protocol),
			       rows.items[i].container.name);
	}
	return -e->number;
}

static int reserve_one(uint16_t *ret, struct network_reserve *reserve, struct engine *engine,
		       const struct wish *wish, const struct engine_port_list *own, struct err *e)
{
	own_clear(network_reserve_close) struct network_reserve moment = NETWORK_RESERVE_INIT;
	/* its program will have it */
	bool carried = network_proxy_wanted(&wish->addresses[0]);
	int r = carried ? network_reserve_open(&moment, e) : 0;

	if (r == 0)
		r = network_reserve_take(ret, carried ? &moment : reserve, wish->protocol,
					 wish->addresses, wish->count, wish->host, e);
	if (r < 0 && e->kind == ERR_EXISTS && wish->host.low == wish->host.high &&
	    has_port(own, wish, wish->host.low))
		r = err_set(e, ERR_INVALID, "port %u/%s is given twice", wish->host.low,
			    network_port_protocol_name(wish->protocol));
	else if (r < 0 && e->kind == ERR_EXISTS)
		r = name_container(engine, wish, e);
	return r < 0 ? err_add(e, "--publish") : 0;
}

/* ---- planning ---- */

static void add_port(struct engine_port_list *to, const struct wish *wish, uint16_t host_port,
		     bool judged)
{
	char text[NETWORK_ADDRESS_TEXT];

	for (size_t i = 0; i < wish->count; i++) {
		struct engine_port *port = shape_list_add(&to->items);
		network_address_format(text, &wish->addresses[i], false);
		port->address = mem_text(text);
		network_address_format(text, &wish->targets[i], false);
		port->target = mem_text(text);
		port->host_port = host_port;
		port->port = wish->port;
		port->protocol = mem_text(network_port_protocol_name(wish->protocol));
		port->judged = judged;
	}
}

static int compare(const void *a, const void *b)
{
	const struct engine_port *x = a, *y = b;

	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	int r = strcmp(x->address, y->address);
	if (r == 0)
		r = x->host_port < y->host_port ? -1 : x->host_port > y->host_port;
	return r ? r : strcmp(x->protocol, y->protocol);
}

int ports_plan_make(struct engine_port_list *to, struct network_reserve *reserve,
		    struct engine *engine, const struct container *c,
		    const struct engine_places *places, struct err *e)
{
	own_clear(wishes_clear) struct wishes wishes = { 0 };
	uint16_t host_port = 0;

	int r = make_wishes(&wishes, c, places, e);
	/* those that want one port first: a range takes what is left */
	for (int any = 0; any < 2; any++)
		for (size_t i = 0; r == 0 && i < wishes.items.count; i++) {
			const struct wish *wish = &wishes.items.items[i];
			bool one = wish->host.low && wish->host.low == wish->host.high;
			if (one != !any)
				continue;
			r = reserve_one(&host_port, reserve, engine, wish, to, e);
			if (r == 0)
				add_port(to, wish, host_port, wishes.target.judged);
		}
	if (r == 0 && to->items.count)
		qsort(to->items.items, to->items.count, sizeof(*to->items.items), compare);
	return r;
}

/* ---- what nftables gets ---- */

bool ports_plan_is_carried(const struct engine_port *port)
{
	return str_equal(port->address, "::1") && engine_ports_leads(port);
}

int ports_plan_parse(struct network_port *to, const struct engine_port *from, struct err *e)
{
	to->protocol = network_port_protocol(from->protocol ? from->protocol : "");
	to->host_port = (uint16_t)from->host_port;
	to->target_port = (uint16_t)from->port;
	to->judged = from->judged;
	int r = network_address_parse(&to->host, from->address ? from->address : "", e);
	return r < 0 ? r : network_address_parse(&to->target, from->target, e);
}

int ports_plan_elements(struct wire_nftables_element **ret, const struct engine_port_list *ports,
			struct err *e)
{
	own_free struct network_port *all = mem_new(ports->items.count + 1, sizeof(*all));
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ports->items.count; i++)
		if (engine_ports_leads(&ports->items.items[i]) &&
		    !ports_plan_is_carried(&ports->items.items[i]))
			r = ports_plan_parse(&all[count++], &ports->items.items[i], e);
	return r < 0 ? r : (int)network_publish_elements(ret, all, count);
}
