/* `holm update`. */
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/update.h"
#include "engine/engine.h"

#define OPTIONS struct create_options
const struct option cli_update_table[] = {
	{ "blkio-weight", 0, OPTION_STRING(blkio_weight), "N", "share of block I/O, 10 to 1000" },
	{ "cpu-period", 0, OPTION_STRING(cpu_period), "USEC", "period of --cpu-quota" },
	{ "cpu-quota", 0, OPTION_STRING(cpu_quota), "USEC",
	  "CPU time in each period; -1 is no limit" },
	{ "cpu-shares", 'c', OPTION_STRING(cpu_shares), "N", "share of the CPUs, 2 to 262144" },
	{ "cpus", 0, OPTION_STRING(cpus), "N", "limit CPU time, as in 1.5; 0 is no limit" },
	{ "cpuset-cpus", 0, OPTION_STRING(cpuset_cpus), "LIST", "run on these, as in 0-3,7" },
	{ "cpuset-mems", 0, OPTION_STRING(cpuset_mems), "LIST", "memory nodes to use" },
	{ "memory", 'm', OPTION_STRING(memory), "SIZE", "limit memory, as in 512m; 0 is no limit" },
	{ "memory-reservation", 0, OPTION_STRING(memory_reservation), "SIZE",
	  "memory that is taken back first above this" },
	{ "memory-swap", 0, OPTION_STRING(memory_swap), "SIZE",
	  "limit of memory and swap together; -1 is no limit" },
	{ "memory-swappiness", 0, OPTION_STRING(memory_swappiness), "N",
	  "0 to 100; -1 is the host's (from the next start on)" },
	{ "device-read-bps", 0, OPTION_STRINGS(device_read_bps), "DEVICE:SIZE",
	  "bytes read in a second; all that were said before go" },
	{ "device-write-bps", 0, OPTION_STRINGS(device_write_bps), "DEVICE:SIZE",
	  "bytes written in a second" },
	{ "device-read-iops", 0, OPTION_STRINGS(device_read_iops), "DEVICE:N",
	  "reads in a second" },
	{ "device-write-iops", 0, OPTION_STRINGS(device_write_iops), "DEVICE:N",
	  "writes in a second" },
	{ "ulimit", 0, OPTION_STRINGS(ulimit), "NAME=SOFT[:HARD]",
	  "as in nofile=1024:2048 (from the next start on)" },
	{ "rule", 0, OPTION_STRINGS(rule), "RESOURCE:ACTION=AMOUNT",
	  "when more is used: log, throttle or a signal, as in memory:log=400m" },
	{ "autostart", 0, OPTION_STRING(autostart), "WHEN",
	  "at boot: yes, no, or a number, lower ones first" },
	{ "autostart-delay", 0, OPTION_STRING(autostart_delay), "SECONDS",
	  "so long after it was started the next ones are" },
	{ "autostart-group", 0, OPTION_STRINGS(autostart_group), "NAME",
	  "holm autostart --group starts it with those of its group" },
	{ "hook", 0, OPTION_STRINGS(hook), "POINT=PROGRAM",
	  "from the next start on: instead of those at this point; POINT= takes them away" },
	{ "disk", 0, OPTION_STRING(disk), "SIZE",
	  "limit what it writes into its root, as in 10g; 0 is no limit" },
	{ "pids-limit", 0, OPTION_STRING(pids_limit), "N", "number of processes; -1 is no limit" },
	{ "restart", 0, OPTION_STRING(restart), "POLICY",
	  "no, on-failure[:N], always or unless-stopped" },
	{ 0 },
};

static bool is_given(const struct create_options *o)
{
	for (const struct option *option = cli_update_table; option->name; option++)
		if (option->type == OPTION_TYPE_STRINGS
			    ? ((const struct strv *)((const char *)o + option->offset))->count > 0
			    : *(char *const *)((const char *)o + option->offset) != NULL)
			return true;
	return false;
}
#undef OPTIONS

static int update_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_update(engine, name, options, e);
}

static int run_update(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	if (!is_given(options))
		return err_set(e, ERR_INVALID, "no option says what to change");
	return cli_command_each(cli, args, update_one, options);
}

const struct cli_command cli_update = {
	.names = "update|container update",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Change limits and restart policy of containers",
	.options = cli_update_table,
	.size = sizeof(struct create_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:",
	.run = run_update,
};
