/* `holm search`. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/archive.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/filter.h"
#include "cli/format.h"
#include "cli/registry_options.h"
#include "image/command.h"

enum {
	DESCRIPTION_MAX = 45, /* characters of the table, as docker has it */
	ANSWER_MAX = 16 << 20,
	LIMIT_MAX = 100,
	TAGS_LIMIT_MAX = 10000,
};

struct search_options {
	struct cli_registry_options registry;
	char *format;
	struct strv filter;
	int64_t limit;
	bool list_tags;
	bool no_trunc;
};

#define OPTIONS struct search_options
static const struct option table[] = {
	CLI_REGISTRY_OPTIONS,
	{ "filter", 'f', OPTION_STRINGS(filter), "KEY=VALUE",
	  "only those with is-official, is-automated, or that many stars" },
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "limit", 0, OPTION_COUNT(limit), "NUMBER", "so many at most (25)" },
	{ "list-tags", 0, OPTION_FLAG(list_tags), NULL, "the tags of a repository" },
	{ "no-trunc", 0, OPTION_FLAG(no_trunc), NULL, "do not shorten descriptions" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"Name",     "NAME",        "Description", "DESCRIPTION", "StarCount", "STARS", "IsOfficial",
	"OFFICIAL", "IsAutomated", "AUTOMATED",   "Tag",         "TAG",       NULL,
};

static const struct cli_format_list list = {
	.table = "{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}",
	.headers = headers,
	.id = "Name",
};

static const struct cli_format_list list_tags = {
	.table = "{{.Name}}\t{{.Tag}}",
	.headers = headers,
	.id = "Tag",
};

/* ---- rows ---- */

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *member = NULL;

	json_object_object_get_ex(object, name, &member);
	return member ? json_object_get_string(member) : "";
}

static bool flag_of(struct json_object *object, const char *name)
{
	struct json_object *member = NULL;

	json_object_object_get_ex(object, name, &member);
	return json_object_get_boolean(member);
}

static int64_t stars_of(struct json_object *object)
{
	struct json_object *member = NULL;

	json_object_object_get_ex(object, "star_count", &member);
	return json_object_get_int64(member);
}

static void add_text(struct json_object *row, const char *key, const char *text)
{
	json_object_object_add(row, key, json_object_new_string(text));
}

/* At most so many bytes, on a boundary between characters, on one line. */
static char *shorten(const char *text, bool whole)
{
	own_clear(str_clear) struct str line = { 0 };

	str_add(&line, text);
	for (size_t i = 0; i < line.length; i++)
		if (strchr("\r\n\t", line.text[i]))
			line.text[i] = ' ';
	if (whole || line.length <= DESCRIPTION_MAX)
		return str_take(&line);
	size_t length = DESCRIPTION_MAX - strlen("…");
	while (length && ((unsigned char)line.text[length] & 0xc0) == 0x80)
		length--;
	return mem_format("%.*s…", (int)length, line.text);
}

static struct json_object *make_row(struct json_object *result, bool whole)
{
	struct json_object *row = json_object_new_object();
	own_free char *description = shorten(text_of(result, "description"), whole);

	add_text(row, "Name", text_of(result, "name"));
	add_text(row, "Description", description);
	json_object_object_add(row, "StarCount", json_object_new_int64(stars_of(result)));
	add_text(row, "IsOfficial", flag_of(result, "is_official") ? "[OK]" : "");
	add_text(row, "IsAutomated", flag_of(result, "is_automated") ? "[OK]" : "");
	add_text(row, "Tag", text_of(result, "tag"));
	return row;
}

static int least_stars(int64_t *ret, const struct cli_filter *filter, struct err *e)
{
	const struct strv *values = cli_filter_values(filter, "stars");

	*ret = 0;
	for (size_t i = 0; values && i < values->count; i++) {
		int r = number_parse_i64(ret, values->items[i], 0, INT64_MAX, e);
		if (r < 0)
			return err_add(e, "--filter stars");
	}
	return 0;
}

static int print(const struct search_options *o, struct json_object *answer, struct err *e)
{
	static const char *const keys[] = { "is-official", "is-automated", "stars", NULL };
	own_clear(cli_filter_clear) struct cli_filter filter = { 0 };
	own_json struct json_object *rows = json_object_new_array();
	struct json_object *results = NULL;
	int64_t stars;
	int r = cli_filter_parse(&filter, &o->filter, keys, e);

	if (r == 0)
		r = least_stars(&stars, &filter, e);
	if (r < 0)
		return r;
	json_object_object_get_ex(answer, "results", &results);
	size_t count = results ? json_object_array_length(results) : 0;
	for (size_t i = 0; i < count && json_object_array_length(rows) < (size_t)o->limit; i++) {
		struct json_object *result = json_object_array_get_idx(results, i);
		if (stars_of(result) >= stars &&
		    cli_filter_flag(&filter, "is-official", flag_of(result, "is_official")) &&
		    cli_filter_flag(&filter, "is-automated", flag_of(result, "is_automated")))
			json_object_array_add(rows, make_row(result, o->no_trunc));
	}
	return cli_format_rows(o->list_tags ? &list_tags : &list, rows, o->format, false, e);
}

/* ---- asking ---- */

/* holm-image has our standard output; for once that is a file in memory. */
static int run_captured(struct str *to, const struct strv *arguments, struct err *e)
{
	own_fd int file = memfd_create("answer", MFD_CLOEXEC);
	own_fd int before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	fflush(stdout);
	if (file < 0 || before < 0 || dup2(file, STDOUT_FILENO) < 0)
		return err_sys(e, "make a file in memory");
	int r = image_command_run(NULL, arguments, IMAGE_SHOW_NOTHING, e);
	if (dup2(before, STDOUT_FILENO) < 0 || lseek(file, 0, SEEK_SET) < 0)
		return err_sys(e, "take the standard output back");
	return r < 0 ? r : fd_read_all(file, ANSWER_MAX, to, e);
}

static int run_search(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct search_options *o = options;
	own_clear(strv_clear) struct strv arguments = { 0 };
	own_clear(str_clear) struct str text = { 0 };
	own_json struct json_object *answer = NULL;
	int64_t most = o->list_tags ? TAGS_LIMIT_MAX : LIMIT_MAX;

	if (o->limit < 1 || o->limit > most)
		return err_set(e, ERR_INVALID, "--limit %lld: expected 1 to %lld",
			       (long long)o->limit, (long long)most);
	int r = cli_archive_arguments(cli, "search", &arguments, e);
	if (r == 0)
		r = cli_registry_options_pass(&o->registry, &arguments, e);
	if (r < 0)
		return r;
	if (o->list_tags)
		strv_add(&arguments, "--all-tags");
	strv_add(&arguments, "--");
	strv_add(&arguments, args->items[0]);
	strv_addf(&arguments, "%lld", (long long)o->limit);
	r = run_captured(&text, &arguments, e);
	if (r == 0)
		r = json_parse(&answer, text.text ? text.text : "", text.length,
			       "answer of holm-image", e);
	return r < 0 ? r : print(o, answer, e);
}

static void search_defaults(void *options)
{
	struct search_options *o = options;

	cli_registry_options_defaults(&o->registry);
	o->limit = 25;
}

const struct cli_command cli_search = {
	.names = "search",
	.section = "Registries",
	.arguments = "[OPTIONS] [REGISTRY/]TERM",
	.summary = "Look for images on a registry",
	.options = table,
	.size = sizeof(struct search_options),
	.args_min = 1,
	.args_max = 1,
	.defaults = search_defaults,
	.run = run_search,
};
