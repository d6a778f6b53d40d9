/* `holm start`, and `holm attach`, which differs in that the container runs already. */
#include <stdio.h>

#include "base/err.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/foreground.h"
#include "cli/inherited.h"
#include "cli/relay.h"
#include "cli/which.h"
#include "engine/engine.h"
#include "runtime/inherited.h"

#define OPTIONS struct start_options
static const struct option start_table[] = {
	{ "attach", 'a', OPTION_FLAG(attach), NULL, "show its output and pass signals on" },
	{ "checkpoint", 0, OPTION_STRING(checkpoint), "NAME",
	  "go on from this checkpoint of it (holm checkpoint)" },
	{ "checkpoint-dir", 0, OPTION_STRING(checkpoint_dir), "DIR",
	  "where that lies, if not with the container", "folder:" },
	{ "interactive", 'i', OPTION_FLAG(interactive), NULL, "send it the standard input, too" },
	{ "detach-keys", 0, OPTION_STRING(detach_keys), "KEYS",
	  "the keys that leave it running (ctrl-p,ctrl-q)" },
	CLI_INHERITED_OPTIONS,
	{ 0 },
};
#undef OPTIONS

struct attach_options {
	char *detach_keys;
	bool no_stdin;
	bool sig_proxy;
	bool sig_proxy_given;
};

#define OPTIONS struct attach_options
static const struct option attach_table[] = {
	{ "detach-keys", 0, OPTION_STRING(detach_keys), "KEYS",
	  "the keys that leave it running (ctrl-p,ctrl-q)" },
	{ "no-stdin", 0, OPTION_FLAG(no_stdin), NULL, "do not send it the standard input" },
	{ "sig-proxy", 0, OPTION_TOGGLE(sig_proxy), NULL,
	  "pass the signals holm gets on to it (on unless =false)" },
	{ 0 },
};
#undef OPTIONS

static int start_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	struct engine *engine;
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_start(engine, name, options, &session, e);
	if (r == 0)
		engine_session_close(&session);
	return r;
}

static int start_attached(struct cli *cli, struct start_options *o, const char *name, struct err *e)
{
	struct cli_relay_options relay = { .input = o->interactive,
					   .output = true,
					   .error = true,
					   .sig_proxy = true,
					   .owner = true,
					   .detach_keys = o->detach_keys };
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };
	struct container container = { 0 };
	struct engine *engine;

	o->attach = true;
	cli_foreground_size(o);
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_load(engine, name, &container, NULL, e);
	if (r < 0)
		return r;
	bool tty = container.process.tty;
	relay.input = relay.input && container.process.open_stdin;
	container_clear(&container);
	r = cli_relay_check(tty, relay.input, o->detach_keys, e);
	if (r == 0)
		r = engine_start(engine, name, o, &session, e);
	return r < 0 ? r : cli_foreground(&session, &relay, name, e);
}

static int run_start(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct start_options *o = options;
	struct runtime_inherited inherited;

	int r = cli_inherited_find(&inherited, o->preserve_fds, &o->preserve_fd, e);
	if (r < 0)
		return r;
	o->inherited = &inherited;
	if (o->checkpoint && inherited.count)
		return err_set(e, ERR_INVALID,
			       "descriptors of the caller's do not go with --checkpoint");
	if ((o->checkpoint || inherited.count) && args->count > 1)
		return err_set(e, ERR_INVALID, "only one container can be started %s",
			       o->checkpoint ? "from a checkpoint"
					     : "with the caller's descriptors");
	if (!o->attach && !o->interactive)
		return cli_command_each(cli, args, start_one, o);
	if (args->count > 1)
		return err_set(e, ERR_INVALID, "only one container can be started with --attach");
	return start_attached(cli, o, args->items[0], e);
}

static int run_attach(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct attach_options *o = options;
	const char *name = args->items[0];
	struct start_options start = { .attach = true, .interactive = !o->no_stdin };
	struct cli_relay_options relay = { .output = true,
					   .error = true,
					   .sig_proxy = !o->sig_proxy_given || o->sig_proxy,
					   .redraw = true,
					   .detach_keys = o->detach_keys };
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };
	struct engine *engine;

	cli_foreground_size(&start);
	int r = cli_relay_check(false, false, o->detach_keys, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_attach(engine, name, &start, &session, e);
	if (r < 0)
		return r;
	relay.input = session.open_stdin && !o->no_stdin;
	r = cli_relay_check(session.tty, relay.input, NULL, e);
	if (r < 0) {
		engine_session_close(&session);
		return r;
	}
	return cli_foreground(&session, &relay, name, e);
}

const struct cli_command cli_start = {
	.names = "start|container start",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Start containers that are created or have ended",
	.options = start_table,
	.size = sizeof(struct start_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:stopped",
	.which = CLI_WHICH_MANY,
	.run = run_start,
};

const struct cli_command cli_start_attach = {
	.names = "attach|container attach",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER",
	.summary = "Connect the terminal to a running container",
	.options = attach_table,
	.size = sizeof(struct attach_options),
	.args_min = 1,
	.args_max = 1,
	.values = "container:running",
	.which = CLI_WHICH_LATEST,
	.run = run_attach,
};
