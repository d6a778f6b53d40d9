/* delete.c - `delete ID`: what is left of a container. With --force whatever state it is in, also
 * one whose create was killed half-way, and one that never was. */
#include <poll.h>

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "oci/state.h"
#include "runtime_cli/command.h"
#include "runtime_cli/record.h"
#include "runtime_cli/select.h"

enum { END_MS = 5000 };

struct delete_options {
	bool force;
	bool regex;
};

#define OPTIONS struct delete_options
static const struct option table[] = {
	{ "force", 'f', OPTION_FLAG(force), NULL, "kill it first; one that is gone is fine" },
	{ "regex", 'r', OPTION_FLAG(regex), NULL, "ID is a regular expression: all that match" },
	{ 0 },
};
#undef OPTIONS

/* A created container that nobody started is deleted without --force, as runc does. */
static int check(const struct runtime_cli_record *record, struct err *e)
{
	const char *status = runtime_cli_record_status(record);

	if (str_equal(status, OCI_STATUS_STOPPED) || str_equal(status, OCI_STATUS_CREATED))
		return 0;
	return err_set(e, ERR_STATE, "cannot delete container %s that is not stopped: %s",
		       record->id, status);
}

/* Until it is a zombie, at most: its parent reaps it. */
static void wait_for_end(const struct runtime_cli_record *record)
{
	own_fd int pidfd = runtime_container_open(&record->container);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	if (pidfd >= 0)
		poll(&ended, 1, END_MS);
}

/* A container goes also when its configuration cannot be read any more. */
static int delete_record(struct runtime_cli *cli, struct runtime_cli_record *record, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	struct err unreadable;

	int r = runtime_kill_all(&record->container, e);
	if (r < 0)
		return r;
	wait_for_end(record);
	if (runtime_cli_record_spec(&spec, record, &unreadable) < 0)
		log_warning("poststop hooks of %s: %s", record->id, unreadable.text);
	return runtime_cli_record_end(record, cli, &spec, e);
}

static int delete_one(struct runtime_cli *cli, const char *id, const void *context, struct err *e)
{
	const struct delete_options *o = context;
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;

	int r = runtime_cli_record_read(&record, cli, id, true, e);
	if (r < 0 && o->force && e->kind == ERR_NOT_FOUND)
		return runtime_cli_record_clear_debris(cli, id, e);
	if (r == 0 && !o->force)
		r = check(&record, e);
	return r < 0 ? r : delete_record(cli, &record, e);
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct delete_options *o = options;

	return runtime_cli_select(cli, args->items[0], o->regex, delete_one, o, e);
}

const struct runtime_cli_command runtime_cli_delete = {
	.name = "delete",
	.arguments = "[OPTIONS] ID",
	.summary = "remove what is left of a container",
	.options = table,
	.size = sizeof(struct delete_options),
	.args_min = 1,
	.args_max = 1,
	.run = run,
};
