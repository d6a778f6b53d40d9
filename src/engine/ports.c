/* ports.c - a port is reserved first, by a socket that goes with its holder (network/reserve.h),
 * then written down, then translated. An element that is in the way of one whose port could be
 * reserved is what somebody killed left: his folder is cleared, or else the element replaced. */
#include "engine/ports.h"

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
#include "base/str.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "engine/network.h"
#include "engine/networks.h"
#include "monitor/rules.h"
#include "network/firewall.h"
#include "network/loop.h"
#include "network/publish.h"
#include "network/record.h"
#include "storage/store.h"

enum { PORTS_BYTES_MAX = 4 << 20 };

#define FIELD(member) offsetof(struct engine_port, member)
static const struct shape port_shape = {
	sizeof(struct engine_port),
	(const struct shape_field[]){
		{ "address", SHAPE_STRING, FIELD(address) },
		{ "hostPort", SHAPE_INT, FIELD(host_port) },
		{ "port", SHAPE_INT, FIELD(port) },
		{ "protocol", SHAPE_STRING, FIELD(protocol) },
		{ "target", SHAPE_STRING, FIELD(target) },
		{ "judged", SHAPE_BOOL, FIELD(judged) },
		{ 0 },
	},
};
#undef FIELD

static const struct shape ports_shape = {
	sizeof(struct engine_port_list),
	(const struct shape_field[]){
		{ "ports", SHAPE_LIST, offsetof(struct engine_port_list, items), &port_shape },
		{ 0 },
	},
};

void engine_ports_clear(struct engine_port_list *ports)
{
	shape_clear(&ports_shape, ports);
}

int engine_ports_read(struct engine_port_list *ret, struct engine *engine, const char *id,
		      struct err *e)
{
	own_free char *path = mem_format("%s/ports.json", id);

	*ret = (struct engine_port_list){ 0 };
	int r = shape_read_at(&ports_shape, engine->run_fd, path, PORTS_BYTES_MAX, ret, e);
	return r < 0 && e->kind == ERR_NOT_FOUND ? 0 : r;
}

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
	struct network_address targets[2]; /* of the container: IPv4, IPv6; family 0: none */
};

static void wishes_clear(struct wishes *wishes)
{
	free(wishes->items.items);
}

/* The container's addresses in the first network that is not internal, or else in the first. */
static void find_targets(struct wishes *to, struct engine *engine,
			 const struct engine_places *places)
{
	struct network_address address;
	struct err ignored;
	size_t chosen = 0;

	for (size_t i = 0; i < places->items.count; i++) {
		own_clear(network_record_clear) struct network network = { 0 };
		if (network_record_read(&network, engine->store, places->items.items[i].network,
					&ignored) < 0 ||
		    network.internal)
			continue;
		chosen = i;
		break;
	}
	const struct strv *all = &places->items.items[chosen].addresses;
	for (size_t i = all->count; i > 0; i--)
		if (network_address_parse(&address, all->items[i - 1], &ignored) == 0)
			to->targets[address.family == AF_INET6] = address;
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
	const struct network_address *target = &wishes->targets[host.family == AF_INET6];
	if (host.family == AF_INET6 && IN6_IS_ADDR_LOOPBACK((struct in6_addr *)host.bytes)) {
		err_set(e, ERR_UNSUPPORTED,
			"the kernel sends nothing from ::1 to another device, so no container "
			"can be reached by it");
		return err_hint(e, "publish at 127.0.0.1, or at another IPv6 address of this host");
	}
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
	for (int six = 0; !port->address && six < 2; six++) {
		const struct network_address any = { .family = six ? AF_INET6 : AF_INET };
		if (to->targets[six].family)
			add_address(&wish, &any, &to->targets[six]);
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

static int make_wishes(struct wishes *to, struct engine *engine, const struct container *c,
		       const struct engine_places *places, struct err *e)
{
	int r = 0;

	find_targets(to, engine, places);
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
		if (engine_ports_read(&ports, engine, rows.items[i].container.id, &ignored) < 0 ||
		    !has_port(&ports, wish, wish->host.low))
			continue;
		return err_set(e, ERR_EXISTS, "port %u/%s is published by the container %s",
			       wish->host.low, network_port_protocol_name(wish->protocol),
			       rows.items[i].container.name);
	}
	return -e->number;
}

static int reserve_one(uint16_t *ret, struct network_reserve *reserve, struct engine *engine,
		       const struct wish *wish, struct err *e)
{
	int r = network_reserve_take(ret, reserve, wish->protocol, wish->addresses, wish->count,
				     wish->host, e);

	if (r < 0 && e->kind == ERR_EXISTS)
		r = name_container(engine, wish, e);
	return r < 0 ? err_add(e, "--publish") : 0;
}

/* ---- publishing ---- */

struct plan {
	SHAPE_LIST_OF(struct network_port) ports;
	struct engine_port_list list;
	struct wire_nftables_element *elements;
	size_t count;
};

static void plan_clear(struct plan *plan)
{
	free(plan->ports.items);
	free(plan->elements);
	engine_ports_clear(&plan->list);
}

static void note(struct plan *plan, const struct network_port *port)
{
	struct engine_port *item = shape_list_add(&plan->list.items);
	char text[NETWORK_ADDRESS_TEXT];

	network_address_format(text, &port->host, false);
	item->address = mem_text(text);
	network_address_format(text, &port->target, false);
	item->target = mem_text(text);
	item->host_port = port->host_port;
	item->port = port->target_port;
	item->protocol = mem_text(network_port_protocol_name(port->protocol));
	item->judged = port->judged;
}

static void add_port(struct plan *plan, const struct wish *wish, uint16_t host_port, bool open)
{
	for (size_t i = 0; i < wish->count; i++) {
		struct network_port port = {
			.protocol = wish->protocol,
			.host = wish->addresses[i],
			.host_port = host_port,
			.target = wish->targets[i],
			.target_port = wish->port,
			.judged = !open,
		};
		*shape_list_add(&plan->ports) = port;
		note(plan, &port);
	}
}

static int compare(const void *a, const void *b)
{
	const struct engine_port *x = a, *y = b;

	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	int r = strcmp(x->protocol, y->protocol);
	if (r == 0)
		r = (strchr(x->address, ':') != NULL) - (strchr(y->address, ':') != NULL);
	if (r == 0)
		r = x->host_port < y->host_port ? -1 : x->host_port > y->host_port;
	return r;
}

static int reserve(struct plan *plan, struct network_reserve *reserve, struct engine *engine,
		   const struct container *c, const struct wishes *wishes, struct err *e)
{
	uint16_t host_port = 0;
	int r = 0;

	/* those that want one port first: a range takes what is left */
	for (int range = 0; range < 2; range++)
		for (size_t i = 0; r == 0 && i < wishes->items.count; i++) {
			const struct wish *wish = &wishes->items.items[i];
			if ((!wish->host.low || wish->host.low != wish->host.high) != range)
				continue;
			r = reserve_one(&host_port, reserve, engine, wish, e);
			if (r == 0)
				add_port(plan, wish, host_port, c->network.publish_open);
		}
	if (r < 0)
		return r;
	plan->count =
		network_publish_elements(&plan->elements, plan->ports.items, plan->ports.count);
	if (plan->list.items.count)
		qsort(plan->list.items.items, plan->list.items.count,
		      sizeof(*plan->list.items.items), compare);
	return 0;
}

static int write_down(int run_fd, const struct plan *plan, struct err *e)
{
	own_free char *rules = wire_nftables_format(plan->elements, plan->count);

	int r = fd_write_file_at(run_fd, MONITOR_RULES, rules, strlen(rules), 0600, e);
	return r < 0 ? r : shape_write_at(&ports_shape, run_fd, "ports.json", &plan->list, e);
}

/* What is in the way is of nobody who lives. */
static int replace(struct engine *engine, const struct plan *plan, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options all = { .all = true, .quiet = true };

	/* that clears up behind those who were killed */
	int r = engine_list(engine, &all, &rows, e);
	if (r == 0)
		r = network_publish_remove(plan->elements, plan->count, e);
	return r < 0 ? r : network_publish(plan->elements, plan->count, e);
}

static int ensure_loop(struct engine *engine, struct err *e)
{
	if (network_loop_ready())
		return 0;
	own_fd int lock = network_record_lock(engine->store, e);
	if (lock < 0)
		return lock;
	int r = network_loop_ensure(e);
	if (r < 0)
		err_hint(e, "--publish-mode open publishes without asking the host's firewall");
	return r;
}

static int translate(struct engine *engine, const struct container *c, const struct plan *plan,
		     struct err *e)
{
	int r = c->network.publish_open ? 0 : ensure_loop(engine, e);

	if (r == 0)
		r = network_publish(plan->elements, plan->count, e);
	if (r < 0 && e->kind == ERR_NOT_FOUND) {
		r = network_firewall_make(e);
		if (r == 0)
			r = engine_networks_reload(engine, e);
		if (r == 0)
			r = network_publish(plan->elements, plan->count, e);
	}
	return r < 0 && e->kind == ERR_EXISTS ? replace(engine, plan, e) : r;
}

int engine_ports_publish(struct network_reserve *ret, struct engine *engine,
			 const struct container *c, const struct engine_places *places, int run_fd,
			 struct err *e)
{
	own_clear(wishes_clear) struct wishes wishes = { 0 };
	own_clear(plan_clear) struct plan plan = { 0 };

	if (places->items.count == 0 || (c->network.ports.count == 0 && !c->network.publish_all))
		return 0;
	int r = make_wishes(&wishes, engine, c, places, e);
	if (r == 0)
		r = network_reserve_open(ret, e);
	if (r == 0)
		r = reserve(&plan, ret, engine, c, &wishes, e);
	if (r == 0)
		r = write_down(run_fd, &plan, e);
	fault_point("ports.written");
	if (r == 0)
		r = translate(engine, c, &plan, e);
	return r < 0 ? err_add(e, "publish ports") : 0;
}

void engine_ports_withdraw(int run_fd)
{
	monitor_rules_remove(run_fd);
}

/* ---- putting in again ---- */

static int restore_one(struct engine *engine, const char *id, struct err *e)
{
	own_free struct wire_nftables_element *elements = NULL;
	own_free char *path = mem_format("%s/" MONITOR_RULES, id);
	own_clear(str_clear) struct str text = { 0 };

	int r = fd_read_file_at(engine->run_fd, path, PORTS_BYTES_MAX, &text, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r;
	int count = wire_nftables_parse(&elements, text.text ? text.text : "", e);
	if (count <= 0)
		return count;
	r = network_publish(elements, (size_t)count, e);
	if (r == 0 || e->kind != ERR_EXISTS)
		return r;
	r = network_publish_remove(elements, (size_t)count, e);
	return r < 0 ? r : network_publish(elements, (size_t)count, e);
}

static int ensure_loop_for(struct engine *engine, const char *id, struct err *e)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };

	int r = engine_ports_read(&ports, engine, id, e);
	for (size_t i = 0; r == 0 && i < ports.items.count; i++)
		if (ports.items.items[i].judged)
			return ensure_loop(engine, e);
	return r;
}

int engine_ports_restore(struct engine *engine, const struct engine_rows *rows, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rows->count; i++) {
		const struct container *c = &rows->items[i].container;
		r = ensure_loop_for(engine, c->id, e);
		if (r == 0)
			r = restore_one(engine, c->id, e);
		if (r < 0)
			err_add(e, "the ports of %s", c->name);
	}
	return r;
}
