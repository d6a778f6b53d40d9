/* `holm launch`, `holm reboot`, `holm console` and `holm shell`: whole systems. The options of
 * launch are those of create, which are in run.c. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/foreground.h"
#include "cli/print.h"
#include "cli/profile.h"
#include "cli/relay.h"
#include "cli/run.h"
#include "engine/engine.h"
#include "system/launch.h"
#include "system/reboot.h"
#include "system/shell.h"

/* ---- launch ---- */

/* Its last words, where it did not get far. */
static void print_console(const struct str *console)
{
	const char *text = console->text;

	if (!console->length)
		return;
	fputs("Its console said last:\n", stderr);
	for (size_t length; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		own_free char *line =
			mem_text_n(text, length - (length && text[length - 1] == '\r'));
		fputs("  ", stderr);
		cli_print_clean(stderr, line);
		fputc('\n', stderr);
	}
}

static int take_arguments(struct create_options *o, const struct strv *args, struct err *e)
{
	if (args->count > 1 && o->name)
		return err_set(e, ERR_INVALID, "two names: --name %s and %s", o->name,
			       args->items[1]);
	o->image = mem_text(args->items[0]);
	if (args->count > 1)
		mem_replace(&o->name, args->items[1]);
	for (size_t i = 2; i < args->count; i++)
		strv_add(&o->command, args->items[i]);
	o->system = true;
	o->detach = true;
	return 0;
}

static int launch(struct cli *cli, struct create_options *o, struct err *e)
{
	own_clear(container_clear) struct container container = { 0 };
	own_clear(str_clear) struct str console = { 0 };
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = system_launch(engine, o, &container, &console, e);
	if (r < 0) {
		print_console(&console);
		return r;
	}
	puts(container.name);
	return 0;
}

static int run_launch(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct create_options *o = options;

	int r = take_arguments(o, args, e);
	if (r == 0)
		r = cli_profile_apply(o, e);
	if (r == 0)
		r = launch(cli, o, e);
	mem_replace(&o->image, NULL);
	strv_clear(&o->command);
	return r;
}

/* ---- reboot ---- */

#define OPTIONS struct stop_options
static const struct option reboot_table[] = {
	{ "time", 't', OPTION_STRING(timeout), "SECONDS",
	  "then it is killed and booted; -1 waits for ever; else the container's own" },
	{ 0 },
};
#undef OPTIONS

static int reboot_one(struct cli *cli, const char *name, const void *options, struct err *e)
{
	const struct stop_options *o = options;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : system_reboot(engine, name, o->timeout, e);
}

static int run_reboot(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)e;
	return cli_command_each(cli, args, reboot_one, options);
}

/* ---- a session of its own ---- */

static int enter(struct cli *cli, const struct system_shell *shell, struct exec_options *exec,
		 struct err *e)
{
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };
	struct cli_relay_options relay = { .input = shell->tty,
					   .output = true,
					   .error = true,
					   .sig_proxy = true,
					   .detach_keys = exec->detach_keys };
	struct start_options size = { 0 };
	struct engine *engine;

	cli_foreground_size(&size);
	exec->rows = size.rows;
	exec->columns = size.columns;
	int r = cli_relay_check(shell->tty, true, exec->detach_keys, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = system_shell_choose(engine, shell, exec, e);
	if (r == 0)
		r = engine_exec(engine, exec, &session, e);
	return r < 0 ? r : cli_foreground(&session, &relay, NULL, e);
}

/* ---- console ---- */

#define CONSOLE_KEYS "ctrl-a,q"

struct console_options {
	char *detach_keys;
	bool another;
};

#define OPTIONS struct console_options
static const struct option console_table[] = {
	{ "escape", 'e', OPTION_STRING(detach_keys), "KEYS",
	  "the keys that leave it (" CONSOLE_KEYS ")" },
	{ "new", 'n', OPTION_FLAG(another), NULL,
	  "a terminal of one's own that asks who logs in; there may be many" },
	{ "detach-keys", 0, OPTION_STRING(detach_keys), "KEYS", "as --escape", .hidden = true },
	{ 0 },
};
#undef OPTIONS

static int check_system(struct engine *engine, const char *name, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	struct container_state state;

	int r = engine_load(engine, name, &c, &state, e);
	if (r < 0)
		return r;
	if (!container_is_system(&c)) {
		err_set(e, ERR_UNSUPPORTED, "container %s boots no system: it has no console",
			name);
		return err_hint(e, "holm attach %s is for applications", name);
	}
	if (state.status == CONTAINER_RUNNING)
		return 0;
	err_set(e, ERR_STATE, "container %s is not running", name);
	return err_hint(e, "start it first: holm start %s", name);
}

/* What was typed there before is nobody's: it begins with the question for a name. */
static int enter_new(struct cli *cli, const char *name, const char *keys, struct err *e)
{
	own_clear(exec_options_clear) struct exec_options exec = { .detach_keys = mem_text(keys),
								   .bound = true };
	static const struct strv nothing = { 0 };
	const struct system_shell shell = {
		.container = name, .command = &nothing, .tty = true, .asks = true
	};

	fprintf(stderr, "A terminal of its own; %s leaves it.\n", keys);
	return enter(cli, &shell, &exec, e);
}

static int check_person(struct err *e)
{
	if (isatty(STDIN_FILENO))
		return 0;
	err_set(e, ERR_INVALID, "the standard input is not a terminal");
	return err_hint(e, "a console is for a person: holm exec runs a command, and holm logs "
			   "shows what the system said");
}

static int run_console(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct console_options *o = options;
	const char *keys = o->detach_keys ? o->detach_keys : CONSOLE_KEYS;
	struct start_options start = { .interactive = true, .scrollback = true };
	struct cli_relay_options relay = {
		.input = true, .output = true, .error = true, .detach_keys = keys
	};
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };
	struct engine *engine;

	cli_foreground_size(&start);
	int r = check_person(e);
	if (r == 0)
		r = cli_relay_check(true, true, keys, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = check_system(engine, args->items[0], e);
	if (r == 0 && o->another)
		return enter_new(cli, args->items[0], keys, e);
	if (r == 0)
		r = engine_attach(engine, args->items[0], &start, &session, e);
	if (r < 0)
		return r;
	fprintf(stderr, "Connected to the console; %s leaves it.\n", keys);
	return cli_foreground(&session, &relay, NULL, e);
}

/* ---- shell ---- */

struct shell_options {
	char *user;
	char *detach_keys;
};

#define OPTIONS struct shell_options
static const struct option shell_table[] = {
	{ "user", 'u', OPTION_STRING(user), "USER", "of the container (root)" },
	{ "detach-keys", 0, OPTION_STRING(detach_keys), "KEYS",
	  "the keys that leave it running (ctrl-p,ctrl-q)" },
	{ 0 },
};
#undef OPTIONS

static int run_shell(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(exec_options_clear) struct exec_options exec = { 0 };
	own_clear(strv_clear) struct strv command = { 0 };
	const struct shell_options *o = options;
	const struct system_shell shell = {
		.container = args->items[0],
		.user = o->user,
		.command = &command,
		.tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
	};

	for (size_t i = 1; i < args->count; i++)
		strv_add(&command, args->items[i]);
	if (o->detach_keys)
		exec.detach_keys = mem_text(o->detach_keys);
	return enter(cli, &shell, &exec, e);
}

const struct cli_command cli_launch = {
	.names = "launch",
	.section = "Systems",
	.arguments = "[OPTIONS] IMAGE [NAME [INIT [ARG...]]]",
	.summary = "Boot a whole system from an image, and wait until it is ready",
	.options = cli_run_table + CLI_RUN_ONLY,
	.common = "rm|name|network|volume|memory|cpus|userns|hostname",
	.size = sizeof(struct create_options),
	.mode = OPTION_FIRST,
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "image:",
	.run = run_launch,
};

const struct cli_command cli_launch_reboot = {
	.names = "reboot",
	.section = "Systems",
	.arguments = "[OPTIONS] CONTAINER [CONTAINER...]",
	.summary = "Boot systems again, and wait until they are ready",
	.options = reboot_table,
	.size = sizeof(struct stop_options),
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:running",
	.run = run_reboot,
};

const struct cli_command cli_launch_console = {
	.names = "console",
	.section = "Systems",
	.arguments = "[OPTIONS] CONTAINER",
	.summary = "Connect the terminal to the console of a system, and show what it said last",
	.options = console_table,
	.size = sizeof(struct console_options),
	.args_min = 1,
	.args_max = 1,
	.values = "container:running",
	.foreground = true,
	.run = run_console,
};

const struct cli_command cli_launch_shell = {
	.names = "shell",
	.section = "Systems",
	.arguments = "[OPTIONS] CONTAINER [COMMAND [ARG...]]",
	.summary = "Log in to a running container without a password",
	.options = shell_table,
	.size = sizeof(struct shell_options),
	.mode = OPTION_FIRST,
	.args_min = 1,
	.args_max = CLI_ARGS_ANY,
	.values = "container:running",
	.foreground = true,
	.run = run_shell,
};
