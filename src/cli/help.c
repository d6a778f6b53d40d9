#include "cli/help.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/examples.h"
#include "cli/which.h"

enum { NAME_WIDTH = 18 };

static void print_section(FILE *to, const char *section)
{
	fprintf(to, "\n%s:\n", section);
	for (size_t i = 0; cli_commands[i]; i++) {
		const struct cli_command *c = cli_commands[i];
		if (!c->section || strcmp(c->section, section) != 0)
			continue;
		own_free char *name = cli_command_name(c);
		fprintf(to, "  %-*s %s\n", NAME_WIDTH, name, c->summary);
	}
}

static void print_groups(FILE *to)
{
	own_clear(strv_clear) struct strv all = { 0 }, groups = { 0 };

	for (size_t i = 0; cli_commands[i]; i++)
		if (cli_commands[i]->section)
			strv_split(&all, cli_commands[i]->names, '|');
	for (size_t i = 0; i < all.count; i++) {
		size_t length = strcspn(all.items[i], " ");
		own_free char *word = mem_text_n(all.items[i], length);
		if (all.items[i][length] && !strv_contains(&groups, word))
			strv_add(&groups, word);
	}
	own_free char *joined = strv_join(&groups, ", ");
	fprintf(to, "\nGroups: %s ('holm image --help')\n", joined);
}

void cli_help_all(FILE *to)
{
	own_clear(strv_clear) struct strv sections = { 0 };
	own_clear(str_clear) struct str options = { 0 };

	fputs("Usage: holm [OPTIONS] COMMAND\n\nContainers without a daemon.\n", to);
	for (size_t i = 0; cli_commands[i]; i++)
		if (cli_commands[i]->section && !strv_contains(&sections, cli_commands[i]->section))
			strv_add(&sections, cli_commands[i]->section);
	for (size_t i = 0; i < sections.count; i++)
		print_section(to, sections.items[i]);
	print_groups(to);
	option_help(cli_main_options(), &options);
	fputs(options.text, to);
	fputs("\n'holm COMMAND --help' tells more about a command.\n", to);
}

/* The name of the command within the group, without the group; NULL if it has none. */
static char *name_in_group(const struct cli_command *command, const char *group)
{
	own_clear(strv_clear) struct strv names = { 0 };
	own_free char *prefix = mem_format("%s ", group);

	strv_split(&names, command->names, '|');
	for (size_t i = 0; i < names.count; i++)
		if (str_starts(names.items[i], prefix))
			return mem_text(names.items[i] + strlen(prefix));
	return NULL;
}

void cli_help_group(const char *group)
{
	printf("Usage: holm %s COMMAND\n\nCommands:\n", group);
	for (size_t i = 0; cli_commands[i]; i++) {
		own_free char *name = name_in_group(cli_commands[i], group);
		if (name && cli_commands[i]->section)
			printf("  %-*s %s\n", NAME_WIDTH, name, cli_commands[i]->summary);
	}
}

/* name: the one that it was called by. */
static void print_aliases(const struct cli_command *command, const char *name)
{
	own_clear(strv_clear) struct strv names = { 0 };
	const char *before = "\nAlso called:";

	strv_split(&names, command->names, '|');
	for (size_t i = 0; i < names.count; i++) {
		if (str_equal(names.items[i], name))
			continue;
		printf("%s holm %s", before, names.items[i]);
		before = ",";
	}
	if (names.count > 1)
		putchar('\n');
}

static void print_examples(const struct cli_command *command)
{
	own_free char *name = cli_command_name(command);
	const char *line = cli_examples_of(name);

	if (!line)
		return;
	puts("\nExamples:");
	while (*line) {
		size_t length = strcspn(line, "\n");
		printf("  %.*s\n", (int)length, line);
		line += length + 1;
	}
}

static void print_command(const struct cli *cli, bool all)
{
	const struct cli_command *c = cli->command;
	own_free struct option *all_of = cli_which_table(c);
	own_clear(str_clear) struct str options = { 0 };

	printf("Usage: holm %s %s\n\n%s\n", cli->name, c->arguments, c->summary);
	print_aliases(c, cli->name);
	bool some = c->common && !all;
	if (some)
		option_help_short(all_of, c->common, &options);
	else
		option_help(all_of, &options);
	if (options.length)
		fputs(options.text, stdout);
	print_examples(c);
	if (some)
		printf("\n'holm help --all %s' explains all options.\n", cli->name);
}

void cli_help_command(const struct cli *cli)
{
	print_command(cli, false);
}

struct help_options {
	bool all;
};

#define OPTIONS struct help_options
static const struct option table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "all options of a command that has many" },
	{ 0 },
};
#undef OPTIONS

static int run_help(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct help_options *o = options;
	own_free char *name = strv_join(args, " ");

	if (!args->count) {
		cli_help_all(stdout);
		return 0;
	}
	if (args->count == 1 && cli_command_is_group(name) && !cli_command_find(name)) {
		cli_help_group(name);
		return 0;
	}
	struct cli asked = { .command = cli_command_find(name), .name = name };
	if (!asked.command)
		return err_set(e, ERR_INVALID, "there is no command '%s'", name);
	print_command(&asked, o->all);
	(void)cli;
	return 0;
}

const struct cli_command cli_help = {
	.names = "help",
	.section = "Holm",
	.arguments = "[OPTIONS] [COMMAND]",
	.summary = "Show what a command does and its options",
	.options = table,
	.size = sizeof(struct help_options),
	.args_max = 2,
	.values = "command:",
	.run = run_help,
};
