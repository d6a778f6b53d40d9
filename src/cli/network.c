/* `holm network create`, `ls`, `rm` and `prune`; inspect is in inspect.c. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/filter.h"
#include "cli/format.h"
#include "engine/network.h"
#include "engine/networks.h"

struct list_network_options {
	bool force;
	bool quiet;
	bool no_trunc;
	bool verbose;
	char *format;
	struct strv filter;
};

#define OPTIONS struct networks_create_options
static const struct option create_table[] = {
	{ "driver", 'd', OPTION_STRING(driver), "DRIVER",
	  "bridge, routed, macvlan, ipvlan, vlan, phys or vxlan" },
	{ "subnet", 0, OPTION_STRINGS(subnet), "SUBNET", "as 10.5.0.0/24; a free one without" },
	{ "gateway", 0, OPTION_STRINGS(gateway), "ADDRESS",
	  "the host's address in it (the first)" },
	{ "ip-range", 0, OPTION_STRINGS(ip_range), "SUBNET",
	  "give containers addresses of this part of it" },
	{ "internal", 0, OPTION_FLAG(internal), NULL, "without a way to other networks" },
	{ "ipv6", 0, OPTION_FLAG(ipv6), NULL, "also an IPv6 subnet" },
	{ "label", 0, OPTION_STRINGS(label), "KEY=VALUE", "attach a label" },
	{ "opt", 'o', OPTION_STRINGS(option), "KEY=VALUE",
	  "an option of the driver: mtu, parent, com.docker.network.bridge.name..." },
	{ 0 },
};
#undef OPTIONS

#define OPTIONS struct list_network_options
static const struct option list_table[] = {
	{ "filter", 'f', OPTION_STRINGS(filter), "KEY=VALUE",
	  "only those with this name, id, driver or label" },
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "no-trunc", 0, OPTION_FLAG(no_trunc), NULL, "print whole ids" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the ids alone" },
	{ "verbose", 'v', OPTION_FLAG(verbose), NULL,
	  "every place in them: its devices, addresses, limits, what was refused" },
	{ 0 },
};

static const struct option remove_table[] = {
	{ "force", 'f', OPTION_FLAG(force), NULL, "one that does not exist is no error" },
	{ 0 },
};

static const struct option prune_table[] = {
	{ "force", 'f', OPTION_FLAG(force), NULL, "do not ask" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"ID",     "NETWORK ID", "Name",      "NAME",       "Driver",   "DRIVER",
	"Scope",  "SCOPE",      "IPv6",      "IPV6",       "Internal", "INTERNAL",
	"Labels", "LABELS",     "CreatedAt", "CREATED AT", NULL,
};

static const struct cli_format_list list = {
	.table = "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
	.headers = headers,
	.id = "ID",
};

static const char *const place_headers[] = {
	"Network", "NETWORK", "Driver",  "DRIVER",  "Container", "CONTAINER", "Device",  "DEVICE",
	"Outer",   "ON HOST", "MAC",     "MAC",     "Addresses", "ADDRESSES", "Permits", "PERMITS",
	"Limits",  "LIMITS",  "Refused", "REFUSED", "Rules",     "RULES",     NULL,
};

static const struct cli_format_list places = {
	.table = "{{.Network}}\t{{.Driver}}\t{{.Container}}\t{{.Device}}\t{{.Outer}}\t{{.MAC}}\t"
		 "{{.Addresses}}\t{{.Permits}}\t{{.Limits}}\t{{.Refused}}\t{{.Rules}}",
	.headers = place_headers,
	.id = "Network",
};

static int run_create(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_free char *id = NULL;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_networks_create(engine, args->items[0], options, &id, e);
	if (r == 0)
		puts(id);
	return r;
}

/* ---- ls ---- */

static const char *text_of(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

static void labels_of(struct json_object *network, struct strv *to)
{
	struct json_object *labels = json_object_object_get(network, "Labels");

	json_object_object_foreach (labels, key, value)
		strv_addf(to, "%s=%s", key, json_object_get_string(value));
}

/* Is one of the filter's values a part of text (or, from_start, its beginning)? */
static bool text_fits(const struct cli_filter *filter, const char *key, const char *text,
		      bool from_start)
{
	const struct strv *values = cli_filter_values(filter, key);

	for (size_t i = 0; values && i < values->count; i++)
		if (from_start ? str_starts(text, values->items[i])
			       : strstr(text, values->items[i]) != NULL)
			return true;
	return !values;
}

static struct json_object *make_row(struct json_object *network, const struct strv *labels,
				    bool no_trunc)
{
	static const char *const copied[] = { "Name", "Driver", "Scope" };
	struct json_object *row = json_object_new_object();
	own_free char *joined = strv_join(labels, ",");
	const char *id = text_of(network, "Id");

	json_object_object_add(
		row, "ID",
		json_object_new_string_len(id, no_trunc ? (int)strlen(id) : (int)strnlen(id, 12)));
	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++)
		json_object_object_add(row, copied[i],
				       json_object_new_string(text_of(network, copied[i])));
	json_object_object_add(row, "IPv6", json_object_new_string(text_of(network, "EnableIPv6")));
	json_object_object_add(row, "Internal",
			       json_object_new_string(text_of(network, "Internal")));
	json_object_object_add(row, "CreatedAt",
			       json_object_new_string(text_of(network, "Created")));
	json_object_object_add(row, "Labels", json_object_new_string(joined));
	return row;
}

static struct json_object *choose(struct json_object *all, const struct cli_filter *filter,
				  bool no_trunc)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *network = json_object_array_get_idx(all, i);
		const struct strv *drivers = cli_filter_values(filter, "driver");
		own_clear(strv_clear) struct strv labels = { 0 };
		labels_of(network, &labels);
		if (!text_fits(filter, "name", text_of(network, "Name"), false) ||
		    !text_fits(filter, "id", text_of(network, "Id"), true) ||
		    !cli_filter_label(filter, "label", &labels) ||
		    (drivers && !strv_contains(drivers, text_of(network, "Driver"))))
			continue;
		json_object_array_add(rows, make_row(network, &labels, no_trunc));
	}
	return rows;
}

/* name and driver narrow it down here, too. */
static int list_places(struct engine *engine, const struct cli_filter *filter,
		       const struct list_network_options *o, struct err *e)
{
	own_json struct json_object *all = NULL;
	own_json struct json_object *rows = json_object_new_array();

	int r = engine_networks_list_places(engine, &all, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object *row = json_object_array_get_idx(all, i);
		if (text_fits(filter, "name", text_of(row, "Network"), false) &&
		    text_fits(filter, "driver", text_of(row, "Driver"), true))
			json_object_array_add(rows, json_object_get(row));
	}
	return cli_format_rows(&places, rows, o->format, o->quiet, e);
}

static int run_list(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	static const char *const keys[] = { "name", "id", "label", "driver", NULL };
	const struct list_network_options *o = options;
	own_clear(cli_filter_clear) struct cli_filter filter = { 0 };
	own_json struct json_object *all = NULL;
	struct engine *engine;

	(void)args;
	int r = cli_filter_parse(&filter, &o->filter, keys, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0 && o->verbose)
		return list_places(engine, &filter, o, e);
	if (r == 0)
		r = engine_networks_list(engine, &all, e);
	if (r < 0)
		return r;
	own_json struct json_object *rows = choose(all, &filter, o->no_trunc);
	return cli_format_rows(&list, rows, o->format, o->quiet, e);
}

/* ---- rm, prune ---- */

static int remove_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	const struct list_network_options *o = options;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_networks_remove(engine, name, o->force, e);
}

static int run_remove(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)e;
	return cli_command_each(cli, args, remove_one, options);
}

static int run_prune(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct list_network_options *o = options;
	own_clear(strv_clear) struct strv done = { 0 };
	struct engine *engine;

	(void)args;
	if (!o->force && !cli_confirm("This removes all networks that no container is in."))
		return 0;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_networks_prune(engine, &done, e);
	if (done.count)
		puts("Deleted Networks:");
	for (size_t i = 0; i < done.count; i++)
		puts(done.items[i]);
	return r;
}

/* ---- leave: for monitors ---- */

static int run_leave(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;

	(void)options;
	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_network_leave(engine, args->items[0], e);
}

const struct cli_command cli_network_leave = {
	.names = "network leave",
	.arguments = "FOLDER",
	.summary = "Take back what a container that has ended left in its networks",
	.args_min = 1,
	.args_max = 1,
	.run = run_leave,
};

const struct cli_command cli_network_create = {
	.names = "network create",
	.section = "Networks",
	.arguments = "[OPTIONS] NETWORK",
	.summary = "Create a network",
	.options = create_table,
	.size = sizeof(struct networks_create_options),
	.args_min = 1,
	.args_max = 1,
	.run = run_create,
};

const struct cli_command cli_network_list = {
	.names = "network ls|network list",
	.section = "Networks",
	.arguments = "[OPTIONS]",
	.summary = "List networks",
	.options = list_table,
	.size = sizeof(struct list_network_options),
	.run = run_list,
};

const struct cli_command cli_network_remove = {
	.names = "network rm|network remove",
	.section = "Networks",
	.arguments = "[OPTIONS] NETWORK [NETWORK...]",
	.summary = "Remove networks",
	.options = remove_table,
	.size = sizeof(struct list_network_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "network:",
	.run = run_remove,
};

const struct cli_command cli_network_prune = {
	.names = "network prune",
	.section = "Networks",
	.arguments = "[OPTIONS]",
	.summary = "Remove networks that no container is in",
	.options = prune_table,
	.size = sizeof(struct list_network_options),
	.run = run_prune,
};

static int run_reload(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;

	(void)options;
	(void)args;
	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_networks_reload(engine, e);
}

const struct cli_command cli_network_reload = {
	.names = "network reload",
	.section = "Networks",
	.arguments = "",
	.summary = "Make devices and rules anew that somebody has removed",
	.run = run_reload,
};
