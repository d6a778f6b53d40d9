#include "cli/which.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "engine/engine.h"

enum { CIDFILE_MAX = 4096 };

#define OPTIONS struct cli_which
static const struct row {
	int bit;
	struct option option;
} rows[] = {
	{ CLI_WHICH_LATEST,
	  { "latest", 'l', OPTION_FLAG(latest), NULL, "the container that was made last" } },
	{ CLI_WHICH_ALL, { "all", 'a', OPTION_FLAG(all), NULL, "all containers that it fits" } },
	{ CLI_WHICH_RUNNING,
	  { "running", 0, OPTION_FLAG(running), NULL, "all containers that run" } },
	{ CLI_WHICH_FILTER,
	  { "filter", 0, OPTION_STRINGS(filter), "KEY=VALUE", "those that ps shows with this" } },
	{ CLI_WHICH_CIDFILE,
	  { "cidfile", 0, OPTION_STRINGS(cidfile), "FILE", "the container whose id is in the file",
	    "file:" } },
	{ CLI_WHICH_IGNORE,
	  { "ignore", 'i', OPTION_FLAG(ignore), NULL,
	    "a container that does not exist is no error" } },
};
#undef OPTIONS

static size_t own_size(const struct cli_command *command)
{
	size_t unit = alignof(struct cli_which);

	return (command->size + unit - 1) / unit * unit;
}

size_t cli_which_size(const struct cli_command *command)
{
	return own_size(command) + (command->which ? sizeof(struct cli_which) : 1);
}

static size_t count_options(const struct option *table)
{
	size_t count = 0;

	while (table && table[count].name)
		count++;
	return count;
}

struct option *cli_which_table(const struct cli_command *command)
{
	size_t count = count_options(command->options);
	struct option *table = mem_new(count + COUNT_OF(rows) + 1, sizeof(*table));

	if (count)
		memcpy(table, command->options, count * sizeof(*table));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *name = rows[i].option.name;
		if (!(command->which & rows[i].bit) ||
		    (count && option_find(command->options, name, strlen(name))))
			continue;
		struct option *to = &table[count++];
		*to = rows[i].option;
		to->offset += own_size(command);
		if (command->options && to->letter &&
		    option_find_letter(command->options, to->letter))
			to->letter = 0;
	}
	return table;
}

/* ---- which ---- */

/* values: what the command is for, as completion has it. */
static bool fits(const struct engine_row *row, const char *values)
{
	enum container_status status = row->state.status;

	if (str_equal(values, "container:running"))
		return status == CONTAINER_RUNNING;
	if (str_equal(values, "container:paused"))
		return status == CONTAINER_PAUSED;
	if (str_equal(values, "container:stopped"))
		return !container_state_live(&row->state);
	return true;
}

static int add_rows(struct engine *engine, const struct cli_which *which, const char *values,
		    struct strv *args, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows all = { 0 };
	const struct list_options o = { .all = true, .filter = which->filter };

	int r = engine_list(engine, &o, &all, e);
	for (size_t i = 0; r == 0 && i < all.count; i++)
		if (fits(&all.items[i], values))
			strv_add(args, all.items[i].container.name);
	return r;
}

static int add_latest(struct engine *engine, struct strv *args, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows all = { 0 };
	own_clear(strv_clear) struct strv with = { 0 };
	const struct list_options o = { .all = true, .last = 1 };

	int r = engine_list(engine, &o, &all, e);
	if (r < 0)
		return r;
	if (!all.count)
		return err_set(e, ERR_NOT_FOUND, "--latest: there is no container");
	strv_add(&with, all.items[0].container.name);
	strv_add_all(&with, args);
	strv_clear(args);
	*args = with;
	with = (struct strv){ 0 };
	return 0;
}

/* With ignore a file that is not there names nothing. */
static int add_files(const struct cli_which *which, struct strv *args, struct err *e)
{
	for (size_t i = 0; i < which->cidfile.count; i++) {
		own_clear(str_clear) struct str text = { 0 };
		int r = fd_read_file_at(AT_FDCWD, which->cidfile.items[i], CIDFILE_MAX, &text, e);
		if (r == -ENOENT && which->ignore)
			continue;
		if (r < 0)
			return err_add(e, "--cidfile %s", which->cidfile.items[i]);
		size_t length = text.text ? strcspn(text.text, "\n") : 0;
		if (!length)
			return err_set(e, ERR_INVALID, "--cidfile %s: it is empty",
				       which->cidfile.items[i]);
		strv_add_take(args, mem_text_n(text.text, length));
	}
	return 0;
}

static int leave_out_missing(struct engine *engine, struct strv *args, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	for (size_t i = args->count; i-- > 0;) {
		int r = engine_find(engine, args->items[i], id, e);
		if (r < 0 && e->kind != ERR_NOT_FOUND)
			return r;
		if (r < 0)
			strv_remove(args, i);
	}
	return 0;
}

static int check(const struct cli_command *command, const struct cli_which *which, bool rows_wanted,
		 const struct strv *args, struct err *e)
{
	const char *said = which->latest ? "--latest" : which->all ? "--all" : "--filter";

	if (which->latest && rows_wanted)
		return err_set(e, ERR_INVALID, "--latest excludes --all, --running and --filter");
	if (rows_wanted && args->count)
		return err_set(e, ERR_INVALID, "%s and names of containers exclude each other",
			       which->running ? "--running" : said);
	if (which->latest && args->count && command->args_min == 1 &&
	    command->args_max == CLI_ARGS_ANY && command->mode == OPTION_ANYWHERE)
		return err_set(e, ERR_INVALID,
			       "--latest and names of containers exclude each other");
	return 0;
}

int cli_which_add(struct cli *cli, const void *options, struct strv *args, struct err *e)
{
	const struct cli_command *command = cli->command;
	const struct cli_which *which = (const void *)((const char *)options + own_size(command));
	bool wanted = command->which && (which->all || which->running || which->filter.count);
	struct engine *engine;

	if (!command->which ||
	    (!wanted && !which->latest && !which->cidfile.count && !which->ignore))
		return 0;
	int r = check(command, which, wanted, args, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0 && wanted)
		r = add_rows(engine, which, which->running ? "container:running" : command->values,
			     args, e);
	if (r == 0 && which->latest)
		r = add_latest(engine, args, e);
	if (r == 0)
		r = add_files(which, args, e);
	if (r == 0 && which->ignore)
		r = leave_out_missing(engine, args, e);
	return r < 0 ? r : 1;
}
