/* `holm clone`, `holm restore` and `holm rebuild`. */
#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "engine/clone.h"
#include "engine/engine.h"
#include "engine/rebuild.h"
#include "engine/snapshot.h"

#define OPTIONS struct clone_options
static const struct option clone_table[] = {
	{ "snapshot", 's', OPTION_STRING(snapshot), "SNAPSHOT",
	  "of this snapshot, not of what it has now" },
	{ "full", 0, OPTION_FLAG(full), NULL,
	  "copy what was written: one layer, which no other container has" },
	{ "ephemeral", 'e', OPTION_FLAG(ephemeral), NULL, "start it; it goes when it ends" },
	{ "keep-identity", 0, OPTION_FLAG(keep_identity), NULL,
	  "machine-id and ssh host keys stay those of the other" },
	{ 0 },
};
#undef OPTIONS

#define OPTIONS struct restore_options
static const struct option restore_table[] = {
	{ "restart", 'r', OPTION_FLAG(restart), NULL,
	  "stop one that runs before, and start it again" },
	{ 0 },
};
#undef OPTIONS

#define OPTIONS struct rebuild_options
static const struct option rebuild_table[] = {
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "do not show the progress of a pull" },
	{ "restart", 'r', OPTION_FLAG(restart), NULL,
	  "stop one that runs before, and start it again" },
	{ "snapshot", 's', OPTION_FLAG(snapshot), NULL,
	  "keep what it has now as a snapshot, and print its name" },
	{ 0 },
};
#undef OPTIONS

static int run_clone(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct clone_options *o = options;
	const struct start_options plain = { 0 };
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };
	own_clear(container_clear) struct container made = { 0 };
	struct engine *engine;
	struct clone_options how = *o;

	how.name = args->count > 1 ? args->items[1] : NULL;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_clone(engine, args->items[0], &how, &made, e);
	if (r == 0 && how.ephemeral)
		r = engine_start(engine, made.id, &plain, &session, e);
	if (r < 0)
		return r;
	if (how.ephemeral)
		engine_session_close(&session);
	puts(made.name);
	return 0;
}

static int run_restore(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct restore_options *o = options;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : engine_restore(engine, args->items[0], args->items[1], o, e);
}

static int run_rebuild(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct rebuild_options how = *(const struct rebuild_options *)options;
	own_free char *snapshot = NULL;
	struct engine *engine;

	how.image = args->count > 1 ? args->items[1] : NULL;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_rebuild(engine, args->items[0], &how, &snapshot, e);
	/* also where it failed then: it is there */
	if (snapshot)
		puts(snapshot);
	return r;
}

const struct cli_command cli_clone = {
	.names = "clone|container clone",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER [NAME]",
	.summary = "Make another container with the files and settings of one",
	.options = clone_table,
	.size = sizeof(struct clone_options),
	.args_min = 1,
	.args_max = 2,
	.values = "container:",
	.run = run_clone,
};

const struct cli_command cli_clone_restore = {
	.names = "restore",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER SNAPSHOT",
	.summary = "Bring a container back to what it was at a snapshot",
	.options = restore_table,
	.size = sizeof(struct restore_options),
	.args_min = 2,
	.args_max = 2,
	.values = "container:",
	.run = run_restore,
};

const struct cli_command cli_clone_rebuild = {
	.names = "rebuild",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER [IMAGE]",
	.summary = "Give a container the root of its image again, or of another one",
	.options = rebuild_table,
	.size = sizeof(struct rebuild_options),
	.args_min = 1,
	.args_max = 2,
	.values = "container:",
	.run = run_rebuild,
};
