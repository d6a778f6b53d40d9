/* state.c - `state ID`: the specification's document, with what runc adds to it. */
#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "runtime_cli/command.h"
#include "runtime_cli/row.h"

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;
	(void)options;

	int r = runtime_cli_record_read(&record, cli, args->items[0], false, e);
	if (r < 0)
		return r;
	own_json struct json_object *row = runtime_cli_row(&record);
	puts(json_object_to_json_string_ext(row, JSON_C_TO_STRING_PRETTY |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}

const struct runtime_cli_command runtime_cli_state = {
	.name = "state",
	.arguments = "ID",
	.summary = "print the state of a container as JSON",
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
