/* `holm history` and `holm image tree`: how an image came about, and of which layers it is. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "engine/history.h"

enum { SHORT_ID = 12, CREATED_BY_WIDTH = 45 };

struct history_options {
	bool human;
	bool human_given;
	bool no_trunc;
	bool quiet;
	bool what_requires;
	char *format;
	char *platform;
};

#define OPTIONS struct history_options
static const struct option table[] = {
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "human", 'H', OPTION_TOGGLE(human), NULL, "sizes and ages in words (unless =false)" },
	{ "no-trunc", 0, OPTION_FLAG(no_trunc), NULL, "do not shorten ids and commands" },
	{ "platform", 0, OPTION_STRING(platform), "OS/ARCH", "which image of several platforms" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the ids alone" },
	{ 0 },
};

static const struct option tree_table[] = {
	{ "whatrequires", 0, OPTION_FLAG(what_requires), NULL,
	  "the images that were made on top of it" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"ID",         "IMAGE",     "CreatedSince", "CREATED", "CreatedAt",
	"CREATED AT", "CreatedBy", "CREATED BY",   "Size",    "SIZE",
	"Comment",    "COMMENT",   "Step",         "STEP",    NULL,
};

static const struct cli_format_list list = {
	.table = "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
	.headers = headers,
	.id = "ID",
};

/* Of an image that was built here. */
static const struct cli_format_list list_with_steps = {
	.table = "{{.Step}}\t{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
	.headers = headers,
	.id = "ID",
};

static void add(struct json_object *row, const char *key, const char *text)
{
	json_object_object_add(row, key, json_object_new_string(text ? text : ""));
}

static void add_id(struct json_object *row, const char *id, bool full)
{
	const char *hex = id && strchr(id, ':') ? strchr(id, ':') + 1 : id;
	own_free char *text = !id    ? mem_text("<missing>")
			      : full ? mem_text(id)
				     : mem_text_n(hex, strnlen(hex, SHORT_ID));

	add(row, "ID", text);
}

static void add_times(struct json_object *row, int64_t created_ns, bool human, int64_t now)
{
	char at[MOMENT_TEXT_SIZE] = "", span[32];

	if (created_ns)
		moment_format(at, created_ns);
	add(row, "CreatedAt", created_ns ? at : "N/A");
	moment_format_span(span, now - created_ns);
	own_free char *ago = mem_format("%s ago", span);
	add(row, "CreatedSince", !created_ns ? "N/A" : human ? ago : at);
}

/* One line, as it was given to the shell, and no longer than docker's column. */
static void add_created_by(struct json_object *row, const char *text, bool full)
{
	own_free char *line = mem_text(text ? text : "");

	for (char *c = line; *c; c++)
		if (*c == '\t' || *c == '\n')
			*c = ' ';
	size_t length = strlen(line);
	if (full || length <= CREATED_BY_WIDTH) {
		add(row, "CreatedBy", line);
		return;
	}
	length = CREATED_BY_WIDTH - 1;
	while (length && ((unsigned char)line[length] & 0xc0) == 0x80)
		length--;
	own_free char *cut = mem_format("%.*s\xe2\x80\xa6", (int)length, line);
	add(row, "CreatedBy", cut);
}

static struct json_object *make_row(const struct history_step *step,
				    const struct history_options *o, bool steps, int64_t now)
{
	struct json_object *row = json_object_new_object();
	bool human = o->human || !o->human_given;
	char size[24];

	add_id(row, step->id, o->no_trunc);
	if (steps)
		add(row, "Step", step->step);
	add_times(row, step->created_ns, human, now);
	add_created_by(row, step->created_by, o->no_trunc);
	if (human)
		number_format_bytes(size, step->bytes);
	else
		snprintf(size, sizeof(size), "%llu", (unsigned long long)step->bytes);
	add(row, "Size", size);
	add(row, "Comment", step->comment);
	return row;
}

static int run_history(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct history_options *o = options;
	own_clear(engine_history_clear) struct engine_history history = { 0 };
	own_json struct json_object *rows = json_object_new_array();
	struct engine *engine;
	int64_t now = moment_now_ns();

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_history_read(engine, args->items[0], o->platform, &history, e);
	bool steps = false;
	for (size_t i = 0; i < history.steps.count; i++)
		steps = steps || history.steps.items[i].step;
	for (size_t i = 0; r == 0 && i < history.steps.count; i++)
		json_object_array_add(rows, make_row(&history.steps.items[i], o, steps, now));
	return r < 0 ? r
		     : cli_format_rows(steps ? &list_with_steps : &list, rows, o->format, o->quiet,
				       e);
}

/* ---- image tree ---- */

static void print_names(const char *before, const struct strv *names)
{
	own_free char *list_of_names = strv_join(names, ", ");

	printf("%s[", before);
	cli_print_clean(stdout, list_of_names);
	putchar(']');
}

static void print_layer(const struct history_tree *tree, size_t at)
{
	const struct history_layer *layer = &tree->layers.items[at];
	char size[16];
	bool last = true;

	for (size_t i = at + 1; i < tree->layers.count; i++) {
		size_t depth = tree->layers.items[i].depth;
		if (depth < layer->depth)
			break;
		last = last && depth != layer->depth;
	}
	number_format_bytes(size, layer->bytes);
	printf("%*s%s ID: %.*s Size: %s", (int)(layer->depth * 4), "",
	       last ? "\xe2\x94\x94\xe2\x94\x80\xe2\x94\x80"
		    : "\xe2\x94\x9c\xe2\x94\x80\xe2\x94\x80",
	       SHORT_ID, layer->hex, size);
	if (layer->top_of.count)
		print_names(" Top Layer of: ", &layer->top_of);
	putchar('\n');
}

static int run_tree(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct history_options *o = options;
	own_clear(engine_history_tree_clear) struct history_tree tree = { 0 };
	struct engine *engine;
	char size[16];

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_history_tree(engine, args->items[0], o->what_requires, &tree, e);
	if (r < 0)
		return r;
	number_format_bytes(size, tree.bytes);
	printf("Image ID: %.*s\n", SHORT_ID, strchr(tree.id, ':') + 1);
	print_names("Tags:     ", &tree.references);
	printf("\nSize:     %s\nImage Layers\n", size);
	for (size_t i = 0; i < tree.layers.count; i++)
		print_layer(&tree, i);
	return 0;
}

const struct cli_command cli_history = {
	.names = "history|image history",
	.section = "Images",
	.arguments = "[OPTIONS] IMAGE",
	.summary = "Show how an image was made",
	.options = table,
	.size = sizeof(struct history_options),
	.args_min = 1,
	.args_max = 1,
	.values = "image:",
	.run = run_history,
};

const struct cli_command cli_history_tree = {
	.names = "image tree",
	.section = "Images",
	.arguments = "[OPTIONS] IMAGE",
	.summary = "Show the layers of an image",
	.options = tree_table,
	.size = sizeof(struct history_options),
	.args_min = 1,
	.args_max = 1,
	.values = "image:",
	.run = run_tree,
};
