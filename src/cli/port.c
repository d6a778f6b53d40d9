/* `holm port`, `port add` and `port rm`. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/ports.h"
#include "cli/which.h"
#include "engine/engine.h"
#include "engine/ports.h"
#include "network/port.h"

struct port_options {
	struct strv publish;
};

struct list_ports {
	bool explain;
};

#define OPTIONS struct list_ports
static const struct option list_table[] = {
	{ "explain", 0, OPTION_FLAG(explain), NULL, "say who reaches them, and why" },
	{ 0 },
};
#undef OPTIONS

#define OPTIONS struct port_options
static const struct option change_table[] = {
	{ "publish", 'p', OPTION_STRINGS(publish), "[[ADDRESS:][PORTS]:]PORTS[/PROTOCOL]",
	  "as that of run" },
	{ 0 },
};
#undef OPTIONS

/* ---- port CONTAINER [PORT[/PROTOCOL]] ---- */

static int parse_wanted(struct network_port_range *range, const char **protocol, const char *text,
			struct err *e)
{
	int number;

	int r = network_port_parse_container(range, &number, text, e);
	if (r < 0)
		return r;
	*protocol = network_port_protocol_name(number);
	return 0;
}

static void print(const struct engine_port *port, bool alone)
{
	own_clear(str_clear) struct str line = { 0 };

	if (!alone)
		str_addf(&line, "%u/%s -> ", (unsigned)port->port, port->protocol);
	cli_ports_address(&line, port);
	puts(line.text);
}

static int print_ports(const struct engine_port_list *ports, const char *name, const char *wanted,
		       struct err *e)
{
	struct network_port_range range = { 0, UINT16_MAX };
	const char *protocol = NULL;
	size_t printed = 0;

	int r = wanted ? parse_wanted(&range, &protocol, wanted, e) : 0;
	if (r < 0)
		return r;
	for (size_t i = 0; i < ports->items.count; i++) {
		const struct engine_port *port = &ports->items.items[i];
		if (port->port < range.low || port->port > range.high ||
		    (protocol && !str_equal(port->protocol, protocol)))
			continue;
		print(port, wanted != NULL);
		printed++;
	}
	if (wanted && !printed)
		return err_set(e, ERR_NOT_FOUND, "no public port '%s' is published for %s", wanted,
			       name);
	return 0;
}

static int run_port(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
	char id[CONTAINER_ID_LENGTH + 1];
	const struct list_ports *o = options;
	struct container_state state;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_find(engine, args->items[0], id, e);
	if (r == 0)
		r = engine_load(engine, id, NULL, &state, e);
	if (r == 0)
		r = engine_ports_read(&ports, engine, id, e);
	if (r == 0 && o->explain) {
		own_free char *internal = engine_ports_internal(engine, id);
		return cli_ports_explain(&ports, internal, e);
	}
	return r < 0 ? r
		     : print_ports(&ports, args->items[0], args->count > 1 ? args->items[1] : NULL,
				   e);
}

const struct cli_command cli_port = {
	.names = "port|container port",
	.section = "Containers",
	.arguments = "[--explain] CONTAINER [PORT[/PROTOCOL]]",
	.summary = "List the ports of the host that are a container's",
	.options = list_table,
	.size = sizeof(struct list_ports),
	.args_min = 1,
	.args_max = 2,
	.values = "container:",
	.which = CLI_WHICH_LATEST,
	.run = run_port,
};

/* ---- port add, port rm ---- */

static int change(struct cli *cli, const struct port_options *o, const struct strv *args,
		  int (*f)(struct engine *engine, const char *name, const struct strv *publish,
			   struct err *e),
		  struct err *e)
{
	own_clear(strv_clear) struct strv publish = { 0 };
	struct engine *engine;

	strv_add_all(&publish, &o->publish);
	for (size_t i = 1; i < args->count; i++)
		strv_add(&publish, args->items[i]);
	if (publish.count == 0)
		return err_set(e, ERR_INVALID, "which port? As in 8080:80");
	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : f(engine, args->items[0], &publish, e);
}

static int run_add(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	return change(cli, options, args, engine_ports_add, e);
}

static int run_remove(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	return change(cli, options, args, engine_ports_remove, e);
}

const struct cli_command cli_port_add = {
	.names = "port add",
	.section = "Containers",
	.arguments = "CONTAINER [[ADDRESS:][PORTS]:]PORTS[/PROTOCOL]...",
	.summary = "Publish ports of a container that exists",
	.options = change_table,
	.size = sizeof(struct port_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.run = run_add,
};

const struct cli_command cli_port_remove = {
	.names = "port rm",
	.section = "Containers",
	.arguments = "CONTAINER [[ADDRESS:][PORTS]:]PORTS[/PROTOCOL]...",
	.summary = "Publish them no more",
	.options = change_table,
	.size = sizeof(struct port_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.run = run_remove,
};
