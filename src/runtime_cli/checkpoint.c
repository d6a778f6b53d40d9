/* checkpoint.c - `checkpoint ID`: a running container into files, by criu(8). */

#include "runtime/checkpoint.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "oci/runtime_spec.h"
#include "runtime/criu.h"
#include "runtime/notify.h"
#include "runtime_cli/command.h"
#include "runtime_cli/criu_options.h"
#include "runtime_cli/record.h"

struct checkpoint_options {
	struct runtime_criu_options criu;
};

#define OPTIONS struct checkpoint_options
static const struct option table[] = {
	RUNTIME_CLI_CRIU_OPTIONS,
	{ "leave-running", 0, OPTION_FLAG(criu.leave_running), NULL, "let it go on afterwards" },
	{ "parent-path", 0, OPTION_STRING(criu.parent_path), "DIR",
	  "images of an earlier --pre-dump, relative to --image-path" },
	{ "pre-dump", 0, OPTION_FLAG(criu.pre_dump), NULL, "memory alone; it goes on" },
	{ "status-fd", 0, OPTION_COUNT(criu.status_fd), "FD",
	  "gets a NUL byte once the lazy pages can be fetched" },
	{ "page-server", 0, OPTION_STRING(criu.page_server), "ADDRESS:PORT",
	  "send the pages there; lazy ones are fetched from there" },
	{ "link-remap", 0, OPTION_FLAG(criu.link_remap), NULL, "also with deleted open files" },
	{ "tcp-skip-in-flight", 0, OPTION_FLAG(criu.tcp_skip_in_flight), NULL,
	  "leave out connections that are being made" },
	{ "network-lock", 0, OPTION_STRING(criu.network_lock), "METHOD",
	  "what stops the network meanwhile", "iptables|nftables|skip" },
	{ 0 },
};
#undef OPTIONS

static void defaults(void *options)
{
	struct checkpoint_options *o = options;

	o->criu.image_path = mem_text("checkpoint");
}

/* What create added to the spec: the record has it as the bundle had it. */
static int add_notify(struct oci_spec *spec, const struct runtime_cli_record *record,
		      const struct runtime_cli *cli, struct err *e)
{
	own_free char *path = mem_format("%s/%s", cli->root, record->id);

	if (!runtime_notify_is_prepared(record->folder))
		return 0;
	return runtime_notify_prepare(spec, record->folder, path, e);
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct checkpoint_options *o = options;
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };

	int r = runtime_cli_record_read(&record, cli, args->items[0], true, e);
	if (r == 0)
		r = runtime_cli_record_spec(&spec, &record, e);
	if (r == 0)
		r = add_notify(&spec, &record, cli, e);
	if (r == 0)
		r = runtime_checkpoint(&record.container, &spec, &o->criu, e);
	if (r < 0 || o->criu.leave_running || o->criu.pre_dump)
		return r;
	/* its processes have ended: the rest of it goes, as with runc */
	return runtime_cli_record_end(&record, cli, &spec, e);
}

const struct runtime_cli_command runtime_cli_checkpoint = {
	.name = "checkpoint",
	.arguments = "[OPTIONS] ID",
	.summary = "store a running container in files",
	.options = table,
	.size = sizeof(struct checkpoint_options),
	.args_min = 1,
	.args_max = 1,
	.defaults = defaults,
	.run = run,
};
