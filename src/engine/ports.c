/* ports.c - a port is reserved first, by a socket that goes with its holder (network/reserve.h),
 * then written down, then translated. An element that is in the way of one whose port could be
 * reserved is what somebody killed left: his folder is cleared, or else the element replaced. */
#include "engine/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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
#include "engine/ports_plan.h"
#include "monitor/proxies.h"
#include "monitor/rules.h"
#include "monitor/uplink.h"
#include "network/firewall.h"
#include "network/loop.h"
#include "network/proxy.h"
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

int engine_ports_read_held(struct engine_port_list *ret, struct engine *engine, const char *id,
			   struct err *e)
{
	own_free char *path = mem_format("%s/ports.json", id);

	*ret = (struct engine_port_list){ 0 };
	int r = shape_read_at(&ports_shape, engine->run_fd, path, PORTS_BYTES_MAX, ret, e);
	return r < 0 && e->kind == ERR_NOT_FOUND ? 0 : r;
}

bool engine_ports_leads(const struct engine_port *port)
{
	return port->target && *port->target;
}

int engine_ports_read(struct engine_port_list *ret, struct engine *engine, const char *id,
		      struct err *e)
{
	struct engine_port_list ports;
	size_t kept = 0;

	int r = engine_ports_read_held(&ports, engine, id, e);
	for (size_t i = 0; r == 0 && i < ports.items.count; i++) {
		struct engine_port *port = &ports.items.items[i];
		if (engine_ports_leads(port))
			ports.items.items[kept++] = *port;
		else
			shape_clear(&port_shape, port);
	}
	if (r == 0)
		ports.items.count = kept;
	*ret = ports;
	return r;
}

/* ---- publishing ---- */

int engine_ports_write_list(int run_fd, const struct engine_port_list *ports, struct err *e)
{
	return shape_write_at(&ports_shape, run_fd, "ports.json", ports, e);
}

int engine_ports_write(int run_fd, const struct engine_port_list *ports, struct err *e)
{
	own_free struct wire_nftables_element *elements = NULL;

	int count = ports_plan_elements(&elements, ports, e);
	if (count < 0)
		return count;
	own_free char *rules = wire_nftables_format(elements, (size_t)count);
	int r = fd_write_file_at(run_fd, MONITOR_RULES, rules, strlen(rules), 0600, e);
	return r < 0 ? r : engine_ports_write_list(run_fd, ports, e);
}

/* What is in the way is of nobody who lives. */
static int replace(struct engine *engine, const struct wire_nftables_element *elements,
		   size_t count, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options all = { .all = true, .quiet = true };

	/* that clears up behind those who were killed */
	int r = engine_list(engine, &all, &rows, e);
	if (r == 0)
		r = network_publish_remove(elements, count, e);
	return r < 0 ? r : network_publish(elements, count, e);
}

static int ensure_loop(struct engine *engine, const struct engine_port_list *ports, struct err *e)
{
	bool judged = false;

	for (size_t i = 0; i < ports->items.count; i++)
		judged |= ports->items.items[i].judged;
	if (!judged || network_loop_ready())
		return 0;
	own_fd int lock = network_record_lock(engine->store, e);
	if (lock < 0)
		return lock;
	int r = network_loop_ensure(e);
	if (r < 0)
		err_hint(e, "--publish-mode open publishes without asking the host's firewall");
	return r;
}

int engine_ports_translate(struct engine *engine, const struct engine_port_list *ports,
			   struct err *e)
{
	own_free struct wire_nftables_element *elements = NULL;

	int count = ports_plan_elements(&elements, ports, e);
	int r = count < 0 ? count : ensure_loop(engine, ports, e);
	if (r == 0)
		r = network_publish(elements, (size_t)count, e);
	if (r < 0 && e->kind == ERR_NOT_FOUND) {
		r = network_firewall_make(e);
		if (r == 0)
			r = engine_networks_reload(engine, e);
		if (r == 0)
			r = network_publish(elements, (size_t)count, e);
	}
	return r < 0 && e->kind == ERR_EXISTS ? replace(engine, elements, (size_t)count, e) : r;
}

static char *where(const struct engine_port *port)
{
	return mem_format("%s/%lld/%s", port->address, (long long)port->host_port, port->protocol);
}

static int carry(int run_fd, int namespace_fd, const struct engine_port *from, struct err *e)
{
	own_free char *place = where(from);
	struct network_port port;

	int r = ports_plan_parse(&port, from, e);
	/* its networks may change */
	if (namespace_fd >= 0)
		port.target = (struct network_address){ .family = AF_INET };
	int pid = r < 0 ? r : network_proxy_start(&port, namespace_fd, e);
	if (pid == -EAFNOSUPPORT && network_address_is_any(&port.host))
		return 0;
	r = pid < 0 ? pid : monitor_proxies_add(run_fd, pid, place, e);
	if (r < 0 && pid > 0)
		kill(pid, SIGKILL);
	return r;
}

int engine_ports_carry(int run_fd, int namespace_fd, const struct engine_port_list *ports,
		       struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ports->items.count; i++) {
		const struct engine_port *port = &ports->items.items[i];
		if (namespace_fd >= 0 || ports_plan_is_carried(port))
			r = carry(run_fd, namespace_fd, port, e);
	}
	return r;
}

void engine_ports_drop(int run_fd, const struct engine_port_list *ports)
{
	for (size_t i = 0; i < ports->items.count; i++) {
		own_free char *place = where(&ports->items.items[i]);
		monitor_proxies_end(run_fd, place);
	}
}

int engine_ports_publish(struct network_reserve *ret, struct engine *engine,
			 const struct container *c, const struct engine_places *places, int run_fd,
			 struct err *e)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };

	if (places->items.count == 0)
		return 0;
	/* also without ports: holm port add may bring some */
	int r = network_reserve_open(ret, e);
	if (r < 0 || (c->network.ports.count == 0 && !c->network.publish_all))
		return r;
	r = ports_plan_make(&ports, ret, engine, c, places, e);
	if (r == 0)
		r = engine_ports_write(run_fd, &ports, e);
	fault_point("ports.written");
	if (r == 0)
		r = engine_ports_translate(engine, &ports, e);
	if (r == 0)
		r = engine_ports_carry(run_fd, -1, &ports, e);
	return r < 0 ? err_add(e, "publish ports") : 0;
}

void engine_ports_withdraw(int run_fd)
{
	own_fd int late = monitor_rules_remove(run_fd);

	(void)late;
	monitor_uplink_end(run_fd);
	monitor_proxies_end(run_fd, NULL);
}

/* ---- putting in again ---- */

static int restore_one(struct engine *engine, const char *id, struct err *e)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
	own_free struct wire_nftables_element *elements = NULL;

	int r = engine_ports_read(&ports, engine, id, e);
	if (r < 0 || ports.items.count == 0)
		return r;
	int count = ports_plan_elements(&elements, &ports, e);
	r = count < 0 ? count : ensure_loop(engine, &ports, e);
	if (r == 0)
		r = network_publish_remove(elements, (size_t)count, e);
	return r < 0 ? r : network_publish(elements, (size_t)count, e);
}

int engine_ports_restore(struct engine *engine, const struct engine_rows *rows, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rows->count; i++) {
		const struct container *c = &rows->items[i].container;
		r = restore_one(engine, c->id, e);
		if (r < 0)
			err_add(e, "the ports of %s", c->name);
	}
	return r;
}

/* ---- looking ---- */

char *engine_ports_internal(struct engine *engine, const char *id)
{
	own_clear(engine_network_places_clear) struct engine_places places = { 0 };
	struct err ignored;

	if (engine_network_places_read(&places, engine, id, &ignored) < 0)
		return NULL;
	for (size_t i = 0; i < places.items.count; i++)
		if (!places.items.items[i].internal)
			return NULL;
	return places.items.count ? mem_text(places.items.items[0].network) : NULL;
}
