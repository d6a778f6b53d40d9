/* man.c - `__man`: the options in front of the command as scdoc(5) source, `__man commands` all
 * commands with theirs; for the build of the man page. */
#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "runtime_cli/command.h"

static void print_options(const struct option *options)
{
	own_clear(str_clear) struct str text = { 0 };

	option_man(options, &text);
	fputs(text.text ? text.text : "", stdout);
}

static void print_commands(void)
{
	for (size_t i = 0; runtime_cli_commands[i]; i++) {
		const struct runtime_cli_command *command = runtime_cli_commands[i];
		if (!command->summary)
			continue;
		printf("## %s %s\n\n%s.\n\n", command->name, command->arguments, command->summary);
		if (command->options)
			print_options(command->options);
	}
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	(void)cli, (void)options, (void)e;
	if (args->count)
		print_commands();
	else
		print_options(runtime_cli_main_options());
	return 0;
}

const struct runtime_cli_command runtime_cli_man = {
	.name = "__man",
	.arguments = "[commands]",
	.args_max = 1,
	.run = run,
};
