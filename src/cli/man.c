/* For the build of the man pages, scdoc(5) source: `holm __man COMMAND`, the options of a command;
 * `holm __man`, those in front of it; `holm __man commands`, the list of commands; `holm __man
 * pages`, the names of all pages and commands; `holm __man page COMMAND`, a whole one. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/examples.h"
#include "cli/help.h"
#include "cli/which.h"

static void list_commands(void)
{
	for (size_t i = 0; cli_commands[i]; i++) {
		own_free char *name = cli_command_name(cli_commands[i]);
		if (cli_commands[i]->section)
			printf("*%s*\n\t%s.\n\n", name, cli_commands[i]->summary);
	}
}

/* "pod rm" is holm-pod-rm(1). */
static void print_page_name(const char *name)
{
	printf("holm-");
	for (; *name; name++)
		putchar(*name == ' ' ? '-' : *name);
}

static void list_pages(void)
{
	for (size_t i = 0; cli_commands[i]; i++) {
		own_free char *name = cli_command_name(cli_commands[i]);
		if (!cli_commands[i]->section)
			continue;
		print_page_name(name);
		printf("\t%s\n", name);
	}
}

static void print_aliases(const struct cli_command *command)
{
	own_clear(strv_clear) struct strv names = { 0 };

	strv_split(&names, command->names, '|');
	for (size_t i = 0; i < names.count; i++)
		printf("%s*holm %s* %s", i ? "++\n" : "", names.items[i], command->arguments);
	putchar('\n');
}

/* Where more is said of a whole group. */
static void print_group(const char *name)
{
	static const struct {
		const char *group, *page;
	} pages[] = {
		{ "image ", "holm-images" },  { "network ", "holm-network" },
		{ "pod ", "holm-pod" },       { "secret ", "holm-secret" },
		{ "system ", "holm-system" }, { "volume ", "holm-volume" },
	};

	for (size_t i = 0; i < COUNT_OF(pages); i++)
		if (str_starts(name, pages[i].group))
			printf("*%s*(1) tells more.\n", pages[i].page);
}

/* The page of a command that has none of its own: what the tables know. */
static void print_page(const struct cli_command *command)
{
	own_free char *name = cli_command_name(command);
	own_clear(str_clear) struct str options = { 0 };
	const char *examples = cli_examples_of(name);

	print_page_name(name);
	printf("(1)\n\n# NAME\n\n");
	print_page_name(name);
	printf(" - %s\n\n# SYNOPSIS\n\n", command->summary);
	print_aliases(command);
	printf("\n# DESCRIPTION\n\n%s.\n", command->summary);
	print_group(name);
	own_free struct option *all = cli_which_table(command);
	option_man(all, &options);
	if (options.length)
		printf("\n# OPTIONS\n\n%s", options.text);
	if (examples)
		printf("\n# EXAMPLES\n\n```\n%s```\n", examples);
	printf("\n# SEE ALSO\n\n*holm*(1)\n");
}

static int run_page(const struct strv *args, struct err *e)
{
	own_clear(strv_clear) struct strv words = { 0 };

	for (size_t i = 1; i < args->count; i++)
		strv_add(&words, args->items[i]);
	own_free char *name = strv_join(&words, " ");
	const struct cli_command *command = cli_command_find(name);
	if (!command)
		return err_set(e, ERR_NOT_FOUND, "no command is called '%s'", name);
	print_page(command);
	return 0;
}

static int run_man(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_free char *name = strv_join(args, " ");
	own_clear(str_clear) struct str text = { 0 };

	(void)cli, (void)options;
	if (strcmp(name, "commands") == 0) {
		list_commands();
		return 0;
	}
	if (strcmp(name, "pages") == 0) {
		list_pages();
		return 0;
	}
	if (args->count > 1 && strcmp(args->items[0], "page") == 0)
		return run_page(args, e);
	const struct cli_command *command = cli_command_find(name);
	if (args->count && !command)
		return err_set(e, ERR_NOT_FOUND, "no command is called '%s'", name);
	own_free struct option *all = command ? cli_which_table(command) : NULL;
	option_man(all ? all : cli_main_options(), &text);
	fputs(text.text ? text.text : "", stdout);
	return 0;
}

const struct cli_command cli_man = {
	.names = "__man",
	.arguments = "[COMMAND]",
	.summary = "For the build of the man pages",
	.args_max = 4,
	.run = run_man,
};
