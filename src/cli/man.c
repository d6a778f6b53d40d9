/* `holm __man COMMAND`: the options of a command as scdoc(5) source, `holm __man` those in front of
 * the command, `holm __man commands` the list of commands; for the build of the man pages. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/help.h"

static void list_commands(void)
{
	for (size_t i = 0; cli_commands[i]; i++) {
		own_free char *name = cli_command_name(cli_commands[i]);
		if (cli_commands[i]->section)
			printf("*%s*\n\t%s.\n\n", name, cli_commands[i]->summary);
	}
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
	const struct cli_command *command = cli_command_find(name);
	if (args->count && !command)
		return err_set(e, ERR_NOT_FOUND, "no command is called '%s'", name);
	option_man(command ? command->options : cli_main_options(), &text);
	fputs(text.text ? text.text : "", stdout);
	return 0;
}

const struct cli_command cli_man = {
	.names = "__man",
	.arguments = "[COMMAND]",
	.summary = "For the build of the man pages",
	.args_max = 2,
	.run = run_man,
};
