/* devices.c - `devices add ID DEVICE...`: devices for a container that runs. */
#include "runtime/device_add.h"

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime_cli/command.h"
#include "runtime_cli/record.h"

static int add_all(struct runtime_cli_record *record, const struct strv *args, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	const struct runtime_store store = runtime_cli_record_storing(record);
	struct err unstored;

	int r = runtime_cli_record_spec(&spec, record, e);
	for (size_t i = 2; r == 0 && i < args->count; i++)
		r = runtime_device_add(&record->container, &spec, args->items[i], &store, e);
	if (r < 0)
		runtime_cli_record_store(record, &unstored);
	return r;
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;

	(void)options;
	if (!str_equal(args->items[0], "add"))
		return err_set(e, ERR_INVALID, "devices: '%s' is not add", args->items[0]);
	int r = runtime_cli_record_read(&record, cli, args->items[1], true, e);
	return r < 0 ? r : add_all(&record, args, e);
}

const struct runtime_cli_command runtime_cli_devices = {
	.name = "devices",
	.arguments = "add ID HOST[:INSIDE[:ACCESS]]...",
	.summary = "give a running container more devices",
	.args_min = 3,
	.args_max = RUNTIME_CLI_ARGS_ANY,
	.sealed = true,
	.run = run,
};
