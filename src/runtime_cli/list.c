/* list.c - `list`: all containers below --root. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/state.h"
#include "runtime_cli/command.h"
#include "runtime_cli/row.h"

struct list_options {
	bool quiet;
	char *format;
};

#define OPTIONS struct list_options
static const struct option table[] = {
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "ids alone" },
	{ "format", 'f', OPTION_STRING(format), "FORMAT", "table (the default) or json",
	  "table|json" },
	{ 0 },
};
#undef OPTIONS

static void print_row(const struct runtime_cli_record *record)
{
	const char *status = runtime_cli_record_status(record);
	bool stopped = str_equal(status, OCI_STATUS_STOPPED);
	own_free char *owner = runtime_cli_row_owner(record);

	printf("%-11s %-11lld %-11s %-19s %-30s %s\n", record->id,
	       stopped ? 0 : (long long)record->container.pid, status, record->bundle,
	       record->created, owner);
}

static void print(const struct runtime_cli_record *record, const struct list_options *o,
		  struct json_object *rows)
{
	if (o->quiet)
		puts(record->id);
	else if (str_equal(o->format, "json"))
		json_object_array_add(rows, runtime_cli_row(record));
	else
		print_row(record);
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct list_options *o = options;
	own_clear(strv_clear) struct strv ids = { 0 };
	own_json struct json_object *rows = json_object_new_array();
	bool json = str_equal(o->format, "json") && !o->quiet;
	(void)args;

	int r = runtime_cli_record_list(&ids, cli, e);
	if (r < 0)
		return r;
	if (!o->quiet && !json)
		printf("%-11s %-11s %-11s %-19s %-30s %s\n", "ID", "PID", "STATUS", "BUNDLE",
		       "CREATED", "OWNER");
	for (size_t i = 0; i < ids.count; i++) {
		own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
			RUNTIME_CLI_RECORD_INIT;
		struct err gone; /* or half made: then it is no container */
		if (runtime_cli_record_read(&record, cli, ids.items[i], false, &gone) == 0)
			print(&record, o, rows);
	}
	if (json)
		puts(json_text(rows));
	return 0;
}

const struct runtime_cli_command runtime_cli_list = {
	.name = "list",
	.arguments = "[OPTIONS]",
	.summary = "list containers",
	.options = table,
	.size = sizeof(struct list_options),
	.run = run,
};
