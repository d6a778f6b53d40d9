/* `holm pod clone`. */
#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "engine/pods.h"

#define OPTIONS struct pod_clone_options
static const struct option table[] = {
	{ "destroy", 0, OPTION_FLAG(destroy), NULL,
	  "remove the other one, with its containers, when it has been cloned" },
	{ "name", 'n', OPTION_STRING(name), "NAME", "its name; else POD-clone" },
	{ "start", 0, OPTION_FLAG(start), NULL, "start the clone" },
	{ 0 },
};
#undef OPTIONS

static int run_clone(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct pod_clone_options o = *(struct pod_clone_options *)options;
	own_free char *id = NULL;
	struct engine *engine;

	if (args->count > 1 && o.name)
		return err_set(e, ERR_INVALID, "--name %s and the argument %s exclude each other",
			       o.name, args->items[1]);
	if (args->count > 1)
		o.name = args->items[1];
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_pods_clone(engine, args->items[0], &o, &id, e);
	/* also where it was not started then: it is there */
	if (id)
		puts(id);
	return r;
}

const struct cli_command cli_pod_clone = {
	.names = "pod clone",
	.section = "Pods",
	.arguments = "[OPTIONS] POD [NAME]",
	.summary = "Make another pod with the containers and files of one",
	.options = table,
	.size = sizeof(struct pod_clone_options),
	.args_min = 1,
	.args_max = 2,
	.values = "pod:",
	.run = run_clone,
};
