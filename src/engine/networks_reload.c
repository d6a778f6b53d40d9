#include "base/err.h"
#include "base/own.h"
#include "engine/engine.h"
#include "engine/network_limits.h"
#include "engine/networks.h"
#include "engine/ports.h"
#include "engine/user_network.h"
#include "network/driver.h"

static bool is_used(const struct engine_rows *rows, const char *network)
{
	for (size_t i = 0; i < rows->count; i++)
		if (container_find_endpoint(&rows->items[i].container, network))
			return true;
	return false;
}

/* What of it was made anew has nobody on it. */
static int mend(struct engine *engine, const struct network *network,
		const struct network_driver *driver, int device, const struct engine_rows *rows,
		struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && driver->mend && i < rows->count; i++) {
		own_clear(engine_network_places_clear) struct engine_places places = { 0 };
		const struct container *c = &rows->items[i].container;
		if (!container_find_endpoint(c, network->name))
			continue;
		r = engine_network_places_read(&places, engine, c->id, e);
		const struct engine_place *place =
			r < 0 ? NULL : engine_network_find_place(&places, network->name);
		if (place && place->outer)
			r = driver->mend(network, device, place->outer,
					 c->network.ports.count || c->network.publish_all, e);
	}
	return r;
}

static int reload_one(struct engine *engine, const struct network *network,
		      const struct engine_rows *rows, struct err *e)
{
	const struct network_driver *driver;

	if (!is_used(rows, network->name))
		return 0;
	int r = network_driver_find(&driver, network->driver, e);
	if (r == 0)
		r = driver->ensure(engine->store, network, e);
	return r < 0 ? r : mend(engine, network, driver, r, rows, e);
}

int engine_networks_reload(struct engine *engine, struct err *e)
{
	own_clear(network_record_list_clear) struct networks networks = { 0 };
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options running = { .quiet = true };
	const bool by_program = engine_user_network_runs(engine);

	int r = engine_user_network_look(engine, e);
	if (r == 0)
		r = network_record_list(&networks, engine->store, e);
	if (r == 0)
		r = engine_list(engine, &running, &rows, e);
	for (size_t i = 0; r == 0 && i < networks.items.count; i++)
		r = reload_one(engine, &networks.items.items[i], &rows, e);
	/* programs have the ports by themselves */
	if (r < 0 || by_program)
		return r;
	r = engine_ports_restore(engine, &rows, e);
	return r < 0 ? r : engine_network_limits_restore(engine, &rows, e);
}
