/* `holm network connect`, `disconnect` and `update`. */
#include "base/err.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "engine/connect.h"

#define OPTIONS struct connect_options
static const struct option connect_table[] = {
	{ "ip", 0, OPTION_STRING(ip), "ADDRESS", "its IPv4 address there" },
	{ "ip6", 0, OPTION_STRING(ip6), "ADDRESS", "its IPv6 address there" },
	{ "mac-address", 0, OPTION_STRING(mac_address), "MAC", "its hardware address there" },
	{ "alias", 0, OPTION_STRINGS(alias), "NAME", "another name of it there" },
	{ "link", 0, OPTION_STRINGS(link), "CONTAINER[:NAME]",
	  "call a container of the same network by this name", "container:" },
	{ "driver-opt", 0, OPTION_STRINGS(driver_opt), "KEY=VALUE",
	  "as in --network NAME:KEY=VALUE of run" },
	{ "gw-priority", 0, OPTION_STRING(gw_priority), "NUMBER",
	  "the network with the highest one leads to the world (0)" },
	{ 0 },
};

static const struct option disconnect_table[] = {
	{ "force", 'f', OPTION_FLAG(force), NULL, "one that is not there is no error" },
	{ 0 },
};
#undef OPTIONS

#define OPTIONS struct network_update_options
static const struct option update_table[] = {
	{ "dns-add", 0, OPTION_STRINGS(dns_add), "ADDRESS",
	  "a name server that its containers ask, not those of the host" },
	{ "dns-drop", 0, OPTION_STRINGS(dns_drop), "ADDRESS", "one that they ask no more" },
	{ "publish-mode", 0, OPTION_STRING(publish_mode), "MODE",
	  "that of containers without one: firewall or open", "firewall|open" },
	{ 0 },
};
#undef OPTIONS

static int run_connect(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_connect(engine, args->items[0], args->items[1], options, e);
}

static int run_disconnect(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_disconnect(engine, args->items[0], args->items[1], options, e);
}

static int run_update(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct network_update_options *o = options;
	struct engine *engine;

	if (o->dns_add.count == 0 && o->dns_drop.count == 0 && !o->publish_mode)
		return err_set(e, ERR_INVALID,
			       "nothing to change: --dns-add, --dns-drop or --publish-mode");
	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_connect_update(engine, args->items[0], o, e);
}

const struct cli_command cli_network_connect = {
	.names = "network connect",
	.section = "Networks",
	.arguments = "[OPTIONS] NETWORK CONTAINER",
	.summary = "Put a container into a network",
	.options = connect_table,
	.size = sizeof(struct connect_options),
	.args_min = 2,
	.args_max = 2,
	.values = "network:",
	.run = run_connect,
};

const struct cli_command cli_network_disconnect = {
	.names = "network disconnect",
	.section = "Networks",
	.arguments = "[OPTIONS] NETWORK CONTAINER",
	.summary = "Take a container out of a network",
	.options = disconnect_table,
	.size = sizeof(struct connect_options),
	.args_min = 2,
	.args_max = 2,
	.values = "network:",
	.run = run_disconnect,
};

const struct cli_command cli_network_update = {
	.names = "network update",
	.section = "Networks",
	.arguments = "[OPTIONS] NETWORK",
	.summary = "Change the name servers and the publish mode of a network",
	.options = update_table,
	.size = sizeof(struct network_update_options),
	.args_min = 1,
	.args_max = 1,
	.values = "network:",
	.run = run_update,
};
