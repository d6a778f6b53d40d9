#include "engine/uplink.h"

#include <signal.h>
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/network.h"
#include "engine/ports.h"
#include "engine/ports_plan.h"
#include "engine/process.h"
#include "monitor/uplink.h"
#include "network/reserve.h"
#include "network/uplink.h"

/* Reserved for a moment, which chooses and names who has them; the program takes them itself. */
static int plan_ports(struct engine_port_list *to, struct engine *engine, const struct container *c,
		      const struct engine_connection *connection, struct err *e)
{
	own_clear(network_reserve_close) struct network_reserve reserve = NETWORK_RESERVE_INIT;

	if (c->network.ports.count == 0 && !c->network.publish_all)
		return 0;
	int r = network_reserve_open(&reserve, e);
	if (r == 0)
		r = ports_plan_make(to, &reserve, engine, c, &connection->places, e);
	return r;
}

/* All addresses of both families are one wish to the program. */
static void list_ports(struct strv *to, const struct engine_port_list *ports)
{
	for (size_t i = 0; i < ports->items.count; i++) {
		const struct engine_port *port = &ports->items.items[i];
		if (str_equal(port->address, "::"))
			continue;
		strv_addf(to, "%s %s %lld %lld", port->protocol,
			  str_equal(port->address, "0.0.0.0") ? "" : port->address,
			  (long long)port->host_port, (long long)port->port);
	}
}

static int start(struct engine *engine, const struct container *c,
		 const struct engine_connection *connection, int run_fd, struct err *e)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
	own_free char *folder = engine_process_run_dir(engine, c->id);
	own_clear(strv_clear) struct strv words = { 0 };
	pid_t pid;

	int r = plan_ports(&ports, engine, c, connection, e);
	if (r == 0 && ports.items.count)
		r = engine_ports_write_list(run_fd, &ports, e);
	if (r < 0)
		return r;
	list_ports(&words, &ports);
	const struct network_uplink_request request = {
		.name = c->network.mode,
		.namespace_fd = connection->namespace.fd,
		.folder = folder,
		.ports = &words,
	};
	r = network_uplink_start(&pid, &request, e);
	if (r < 0)
		return r;
	r = monitor_uplink_write(run_fd, pid, e);
	if (r < 0)
		kill(pid, SIGKILL);
	return r;
}

int engine_uplink_start(struct engine *engine, const struct container *c,
			const struct engine_connection *connection, int run_fd, struct err *e)
{
	if (!network_uplink_is_name(c->network.mode))
		return 0;
	int r = start(engine, c, connection, run_fd, e);
	return r < 0 ? err_add(e, "network") : 0;
}
