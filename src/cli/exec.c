/* `holm exec`: one more process in a running container. */
#include "base/err.h"
#include "base/mem.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/foreground.h"
#include "cli/inherited.h"
#include "cli/relay.h"
#include "cli/which.h"
#include "engine/engine.h"
#include "runtime/inherited.h"

#define OPTIONS struct exec_options
static const struct option table[] = {
	{ "detach", 'd', OPTION_FLAG(detach), NULL, "return once it runs" },
	{ "detach-keys", 0, OPTION_STRING(detach_keys), "KEYS",
	  "the keys that leave it running (ctrl-p,ctrl-q)" },
	{ "interactive", 'i', OPTION_FLAG(interactive), NULL, "send it the standard input" },
	{ "tty", 't', OPTION_FLAG(tty), NULL, "give it a terminal" },
	{ "env", 'e', OPTION_STRINGS(env), "KEY=VALUE",
	  "set a variable; KEY alone takes the caller's value" },
	{ "env-file", 0, OPTION_STRINGS(env_file), "FILE", "a file of such lines", "file:" },
	{ "user", 'u', OPTION_STRING(user), "USER[:GROUP]", "names or numbers, of the container" },
	{ "workdir", 'w', OPTION_STRING(workdir), "DIR", "working directory in the container" },
	{ "privileged", 0, OPTION_FLAG(privileged), NULL, "with all capabilities the caller has" },
	CLI_INHERITED_OPTIONS,
	{ 0 },
};
#undef OPTIONS

static int exec(struct cli *cli, const struct exec_options *o, struct err *e)
{
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };
	struct cli_relay_options relay = { .input = o->tty && o->interactive,
					   .output = true,
					   .error = true,
					   .sig_proxy = true,
					   .detach_keys = o->detach_keys };
	struct engine *engine;

	int r = cli_relay_check(o->tty && !o->detach, o->interactive, o->detach_keys, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_exec(engine, o, &session, e);
	if (r < 0)
		return r;
	if (!o->detach)
		return cli_foreground(&session, &relay, NULL, e);
	engine_session_close(&session);
	return 0;
}

static int run_exec(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct exec_options *o = options;
	struct runtime_inherited inherited;

	int r = cli_inherited_find(&inherited, o->preserve_fds, &o->preserve_fd, e);
	if (r < 0)
		return r;
	o->inherited = &inherited;
	o->container = mem_text(args->items[0]);
	for (size_t i = 1; i < args->count; i++)
		strv_add(&o->command, args->items[i]);
	r = exec(cli, o, e);
	mem_replace(&o->container, NULL);
	strv_clear(&o->command);
	return r;
}

const struct cli_command cli_exec = {
	.names = "exec|container exec",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER COMMAND [ARG...]",
	.summary = "Run one more command in a running container",
	.options = table,
	.size = sizeof(struct exec_options),
	.mode = OPTION_FIRST,
	.args_min = 2,
	.args_max = CLI_ARGS_ANY,
	.values = "container:running",
	.which = CLI_WHICH_LATEST | CLI_WHICH_CIDFILE,
	.run = run_exec,
};
