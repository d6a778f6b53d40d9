/* The program `holm`: finds the command, lets its table read the options, runs it, prints what
 * went wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/absent.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/which.h"
#include "engine/engine.h"

struct globals {
	char *root;
	char *run;
	char *log_level;
	bool debug;
	bool version;
};

#define OPTIONS struct globals
static const struct option table[] = {
	{ "root", 0, OPTION_STRING(root), "DIR", "where images, layers, volumes and containers lie",
	  "folder:" },
	{ "run", 0, OPTION_STRING(run), "DIR",
	  "where the state of running containers lies (a tmpfs)", "folder:" },
	{ "debug", 'D', OPTION_FLAG(debug), NULL, "show the steps, as --log-level debug" },
	{ "log-level", 'l', OPTION_STRING(log_level), "LEVEL", "error, warning or debug",
	  "debug|info|warn|warning|error|fatal" },
	{ "version", 'v', OPTION_FLAG(version), NULL, "print the version" },
	{ 0 },
};
#undef OPTIONS

const struct option *cli_main_options(void)
{
	return table;
}

static void set_log_level(const struct globals *g)
{
	const char *level = g->log_level ? g->log_level : "warning";
	const char *debug = getenv("HOLM_DEBUG");

	if (g->debug || strcmp(level, "debug") == 0 || (debug && *debug && strcmp(debug, "0") != 0))
		log_set_level(LOG_LEVEL_DEBUG);
	else if (strcmp(level, "error") == 0 || strcmp(level, "fatal") == 0)
		log_set_level(LOG_LEVEL_ERROR);
}

static int unknown_command(const char *name, struct err *e)
{
	const char *best = NULL;
	own_clear(strv_clear) struct strv all = { 0 };

	for (size_t i = 0; cli_commands[i]; i++)
		if (cli_commands[i]->section)
			strv_split(&all, cli_commands[i]->names, '|');
	for (size_t i = 0; i < all.count; i++)
		nearest_offer(&best, name, all.items[i]);
	err_set(e, ERR_INVALID, "unknown command '%s'", name);
	const char *absent = cli_absent_command(name);
	if (absent)
		return err_hint(e, "%s", absent);
	if (best)
		return err_hint(e, "did you mean 'holm %s'?", best);
	return err_hint(e, "'holm help' lists the commands");
}

/* Takes the words that name the command off *line. NULL: e, or a group's help was wanted. */
static const struct cli_command *find_command(struct cli *cli, struct strv *line, char **name,
					      struct err *e)
{
	const char *word = str_equal(line->items[0], "net") ? "network" : line->items[0];
	bool group = cli_command_is_group(word) && line->count > 1 && line->items[1][0] != '-';

	*name = group ? mem_format("%s %s", word, line->items[1]) : mem_text(word);
	const struct cli_command *command = cli_command_find(*name);
	/* a group that is a command, too: what follows is its argument */
	if (!command && group && cli_command_find(word)) {
		mem_replace(name, word);
		command = cli_command_find(word);
		group = false;
	}
	if (!command) {
		unknown_command(*name, e);
		return NULL;
	}
	strv_remove(line, 0);
	if (group)
		strv_remove(line, 0);
	cli->command = command;
	cli->name = *name;
	return command;
}

static int check_count(const struct cli_command *command, size_t count, struct err *e)
{
	if (count >= command->args_min && count <= command->args_max)
		return 0;
	if (!command->args_max)
		return err_set(e, ERR_INVALID, "it takes no arguments");
	if (command->args_min == command->args_max)
		return err_set(e, ERR_INVALID, "it takes exactly %zu argument%s: %s",
			       command->args_min, command->args_min == 1 ? "" : "s",
			       command->arguments);
	if (count < command->args_min)
		return err_set(e, ERR_INVALID, "it needs at least %zu argument%s: %s",
			       command->args_min, command->args_min == 1 ? "" : "s",
			       command->arguments);
	return err_set(e, ERR_INVALID, "it takes at most %zu argument%s: %s", command->args_max,
		       command->args_max == 1 ? "" : "s", command->arguments);
}

/* "unknown option --x": perhaps docker or podman has it, and there is a word to say. */
static void hint_at_absent(const struct cli_command *command, struct err *e)
{
	static const char unknown[] = "unknown option --";
	own_free char *name = cli_command_name(command);
	const char *hint = str_starts(e->text, unknown)
				   ? cli_absent_option(name, e->text + strlen(unknown))
				   : NULL;

	if (hint) {
		e->hint[0] = '\0';
		err_hint(e, "%s", hint);
	}
}

/* Containers that options name become arguments; there may be none of these. */
static int run_with(struct cli *cli, void *options, struct strv *args, struct err *e)
{
	int said = cli_which_add(cli, options, args, e);

	if (said == 1 && !args->count)
		return 0;
	int r = said < 0 ? said : check_count(cli->command, args->count, e);
	if (r < 0)
		return err_hint(e, "see 'holm %s --help'", cli->name);
	return cli->command->run(cli, options, args, e);
}

static int run_command(struct cli *cli, const struct strv *line, struct err *e)
{
	const struct cli_command *command = cli->command;
	struct option_line parsed = { 0 };
	own_free struct option *table_of = cli_which_table(command);
	own_free void *options = mem_new(1, cli_which_size(command));

	if (command->defaults)
		command->defaults(options);
	int r = option_parse(table_of, command->mode, line->items, line->count, options, &parsed,
			     e);
	cli->misspelt = r < 0;
	if (r < 0)
		hint_at_absent(command, e);
	if (r == 0 && parsed.help)
		cli_help_command(cli);
	else if (r == 0)
		r = run_with(cli, options, &parsed.args, e);
	if (r < 0 && cli->misspelt)
		err_hint(e, "see 'holm %s --help'", cli->name);
	option_clear(table_of, options);
	strv_clear(&parsed.args);
	return r;
}

/* A full disk behind `holm ps > file` must not pass for success. */
static int flush_output(struct err *e)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return err_sys(e, "write to the standard output");
}

static int dispatch(struct cli *cli, struct strv *line, struct err *e)
{
	own_free char *name = NULL;

	if (!line->count) {
		cli_help_all(stdout);
		return 0;
	}
	if (cli_command_is_group(line->items[0]) && !cli_command_find(line->items[0]) &&
	    (line->count == 1 || strcmp(line->items[1], "--help") == 0 ||
	     strcmp(line->items[1], "-h") == 0)) {
		cli_help_group(line->items[0]);
		return 0;
	}
	if (!find_command(cli, line, &name, e))
		return -e->number;

	int status = run_command(cli, line, e);
	if (status < 0) {
		cli_command_error(cli, NULL, e);
		status = cli_command_status(cli, e);
	}
	cli->name = NULL;
	return status;
}

static int start(struct cli *cli, struct globals *g, struct strv *line, struct err *e)
{
	cli->root = g->root;
	cli->run = g->run;
	set_log_level(g);
	cli->debug = log_get_level() == LOG_LEVEL_DEBUG;
	if (g->version) {
		puts("holm version " HOLM_VERSION);
		return 0;
	}
	return dispatch(cli, line, e);
}

int main(int argc, char **argv)
{
	struct globals globals = { 0 };
	struct option_line line = { 0 };
	struct cli cli = { 0 };
	struct err e;

	fd_fill_standard();
	int status = option_parse(table, OPTION_FIRST, argv + 1, argc ? (size_t)argc - 1 : 0,
				  &globals, &line, &e);
	cli.misspelt = status < 0;
	if (status < 0)
		err_hint(&e, "see 'holm --help'");
	else if (line.help)
		cli_help_all(stdout);
	else
		status = start(&cli, &globals, &line.args, &e);
	if (status == 0)
		status = flush_output(&e);
	if (status < 0) {
		cli_command_error(&cli, NULL, &e);
		status = cli_command_status(&cli, &e);
	}
	if (cli.engine) {
		engine_close(cli.engine);
		free(cli.engine);
	}
	option_clear(table, &globals);
	strv_clear(&line.args);
	return status;
}
