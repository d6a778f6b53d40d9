#include "engine/network_limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/network.h"
#include "engine/networks.h"
#include "engine/user_network.h"
#include "monitor/rules.h"
#include "network/control.h"
#include "network/firewall.h"
#include "network/limit.h"

struct limits {
	SHAPE_LIST_OF(struct wire_nftables_element) items;
};

static void limits_clear(struct limits *limits)
{
	free(limits->items.items);
}

static int add_place(struct limits *to, const struct container *c, const struct engine_place *place,
		     struct err *e)
{
	own_free struct network_address *all = mem_new(place->addresses.count + 1, sizeof(*all));
	const struct container_endpoint *endpoint = container_find_endpoint(c, place->network);
	own_free struct wire_nftables_element *elements = NULL;
	struct network_control control;

	int r = network_control_parse(&control, endpoint ? &endpoint->options : NULL, e);
	for (size_t i = 0; r == 0 && i < place->addresses.count; i++)
		r = network_address_parse(&all[i], place->addresses.items[i], e);
	if (r < 0)
		return r;
	size_t count = network_limit_elements(&elements, all, place->addresses.count, &control);
	for (size_t i = 0; i < count; i++)
		*shape_list_add(&to->items) = elements[i];
	return 0;
}

static int read_limits(struct limits *to, const struct container *c,
		       const struct engine_places *places, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < places->items.count; i++)
		r = add_place(to, c, &places->items.items[i], e);
	return r;
}

static int put(struct engine *engine, const struct limits *limits, struct err *e)
{
	const struct wire_nftables_element *all = limits->items.items;

	int r = network_limit_put(all, limits->items.count, e);
	if (r < 0 && e->kind == ERR_NOT_FOUND) {
		r = network_firewall_make(e);
		if (r == 0)
			r = engine_networks_reload(engine, e);
		if (r == 0)
			r = network_limit_put(all, limits->items.count, e);
	}
	return r;
}

static int write_limits(int run_fd, const struct limits *limits, struct err *e)
{
	own_free char *text = wire_nftables_format(limits->items.items, limits->items.count);

	return fd_write_file_at(run_fd, MONITOR_LIMITS, text, strlen(text), 0600, e);
}

static int set(struct engine *engine, const struct container *c, const struct engine_places *places,
	       int run_fd, struct err *e)
{
	own_clear(limits_clear) struct limits limits = { 0 };
	bool old = faccessat(run_fd, MONITOR_LIMITS, F_OK, 0) == 0;

	int r = read_limits(&limits, c, places, e);
	if (r < 0 || (!old && limits.items.count == 0))
		return r;
	if (engine_user_network_runs(engine))
		return err_set(e, ERR_UNSUPPORTED, "they are for root's networks");
	if (old)
		monitor_rules_remove_limits(run_fd);
	r = write_limits(run_fd, &limits, e);
	return r < 0 ? r : put(engine, &limits, e);
}

int engine_network_limits_set(struct engine *engine, const struct container *c,
			      const struct engine_places *places, int run_fd, struct err *e)
{
	int r = set(engine, c, places, run_fd, e);
	return r < 0 ? err_add(e, "limits.connections, limits.priority") : 0;
}

int engine_network_limits_restore(struct engine *engine, const struct engine_rows *rows,
				  struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rows->count; i++) {
		own_clear(engine_network_places_clear) struct engine_places places = { 0 };
		own_clear(limits_clear) struct limits limits = { 0 };
		const struct container *c = &rows->items[i].container;
		r = engine_network_places_read(&places, engine, c->id, e);
		if (r == 0)
			r = read_limits(&limits, c, &places, e);
		if (r == 0 && limits.items.count)
			r = network_firewall_make(e);
		if (r == 0)
			r = network_limit_put(limits.items.items, limits.items.count, e);
		if (r < 0)
			err_add(e, "the limits of %s", c->name);
	}
	return r;
}
