/* `holm images`. */
#include "cli/images.h"

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
#include "cli/filter.h"
#include "cli/format.h"
#include "cli/images_tree.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/images.h"
#include "engine/prune.h"
#include "image/reference.h"

enum { SHORT_ID = 12 };

struct images_options {
	bool all;
	bool digests;
	bool no_trunc;
	bool quiet;
	bool tree;
	char *format;
	struct strv filter;
};

#define OPTIONS struct images_options
static const struct option table[] = {
	{ "all", 'a', OPTION_FLAG(all), NULL, "also those that only a list of manifests names" },
	{ "digests", 0, OPTION_FLAG(digests), NULL, "with the digests of their manifests" },
	{ "filter", 'f', OPTION_STRINGS(filter), "KEY=VALUE",
	  "only those with this dangling, label, reference, before, since or until" },
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "no-trunc", 0, OPTION_FLAG(no_trunc), NULL, "do not shorten ids" },
	{ "quiet", 'q', OPTION_FLAG(quiet), NULL, "print the ids alone" },
	{ "tree", 0, OPTION_FLAG(tree), NULL, "each with the platforms that it is for" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"Repository", "REPOSITORY",  "Tag",         "TAG",          "ID",           "IMAGE ID",
	"Digest",     "DIGEST",      "CreatedAt",   "CREATED AT",   "CreatedSince", "CREATED",
	"Created",    "CREATED",     "Size",        "SIZE",         "Layers",       "LAYERS",
	"Labels",     "LABELS",      "VirtualSize", "VIRTUAL SIZE", "SharedSize",   "SHARED SIZE",
	"UniqueSize", "UNIQUE SIZE", "Containers",  "CONTAINERS",   NULL,
};

static const struct cli_format_list list = {
	.table = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
	.headers = headers,
	.id = "ID",
};

static const struct cli_format_list list_with_digests = {
	.table = "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
	.headers = headers,
	.id = "ID",
};

static void add(struct json_object *row, const char *key, const char *text)
{
	json_object_object_add(row, key, json_object_new_string(text));
}

/* How much of a name is the repository: "busybox" of "busybox:latest", "template" of
 * "template:debian/bookworm", so that both columns with a colon between are the name. */
static size_t repository_length(const char *familiar)
{
	const char *at = strchr(familiar, '@');
	const char *slash = strrchr(familiar, '/');
	const char *colon = strrchr(slash ? slash : familiar, ':');

	if (str_starts(familiar, "template:"))
		return strlen("template");
	if (at)
		return (size_t)(at - familiar);
	return colon ? (size_t)(colon - familiar) : strlen(familiar);
}

static void add_name(struct json_object *row, const char *reference)
{
	const char *familiar = reference ? image_reference_familiar(reference) : "<none>";
	size_t length = repository_length(familiar);
	own_free char *repository = mem_text_n(familiar, length);

	add(row, "Repository", repository);
	add(row, "Tag", familiar[length] == ':' ? familiar + length + 1 : "<none>");
}

static void add_id(struct json_object *row, const char *id, bool full)
{
	const char *hex = strchr(id, ':') ? strchr(id, ':') + 1 : id;
	own_free char *shortened = full ? mem_text(id) : mem_text_n(hex, strnlen(hex, SHORT_ID));

	add(row, "ID", shortened);
}

static void add_times(struct json_object *row, int64_t created_ns, int64_t now)
{
	char at[MOMENT_TEXT_SIZE] = "", span[32];

	if (!created_ns) {
		add(row, "CreatedAt", "N/A");
		add(row, "CreatedSince", "N/A");
		add(row, "Created", "N/A");
		return;
	}
	moment_format_local(at, created_ns);
	moment_format_span(span, now - created_ns);
	own_free char *ago = mem_format("%s ago", span);
	add(row, "CreatedAt", at);
	add(row, "CreatedSince", ago);
	add(row, "Created", ago); /* podman's name */
}

struct json_object *cli_images_row(const struct engine_images_row *image, bool full, int64_t now)
{
	struct json_object *row = json_object_new_object();
	own_free char *labels = strv_join(&image->labels, ",");
	char size[16];

	add_name(row, image->reference);
	add_id(row, image->id, full);
	add(row, "Digest", image->digest);
	add_times(row, image->created_ns, now);
	number_format_bytes(size, image->bytes);
	add(row, "Size", size);
	add(row, "VirtualSize", size);
	add(row, "SharedSize", "N/A");
	add(row, "UniqueSize", "N/A");
	add(row, "Containers", "N/A");
	json_object_object_add(row, "Layers", json_object_new_int64(image->layers));
	add(row, "Labels", labels);
	return row;
}

/* "busybox", "library/busy*:1*": against the name with and without the tag. */
static bool matches_reference(const struct engine_images_row *image, const char *pattern)
{
	if (!image->reference)
		return false;
	const char *familiar = image_reference_familiar(image->reference);
	own_free char *bare = mem_text_n(familiar, repository_length(familiar));
	return cli_filter_glob(pattern, familiar) || cli_filter_glob(pattern, bare) ||
	       cli_filter_glob(pattern, image->reference);
}

/* What "before", "since" and "until" come to: created after the one and before the other. */
struct span {
	int64_t after_ns, before_ns;
};

static bool keep(const struct engine_images_row *image, const struct cli_filter *filter,
		 const struct span *span)
{
	return cli_filter_flag(filter, "dangling", !image->reference && !image->listed) &&
	       cli_filter_label(filter, "label", &image->labels) &&
	       image->created_ns > span->after_ns && image->created_ns < span->before_ns;
}

/* When each of the images was created that the key names. */
static int narrow(struct engine *engine, const struct cli_filter *filter, const char *key,
		  struct span *span, struct err *e)
{
	const struct strv *names = cli_filter_values(filter, key);

	for (size_t i = 0; names && i < names->count; i++) {
		own_clear(storage_image_clear) struct storage_image image = { 0 };
		int64_t created_ns = 0;
		int r = engine_image_find(engine, names->items[i], &image, NULL, e);
		if (r == 0 && image.config.created)
			r = moment_parse(&created_ns, image.config.created, e);
		if (r < 0)
			return err_add(e, "--filter %s", key);
		if (str_equal(key, "before") && created_ns < span->before_ns)
			span->before_ns = created_ns;
		if (str_equal(key, "since") && created_ns > span->after_ns)
			span->after_ns = created_ns;
	}
	return 0;
}

static int find_span(struct engine *engine, const struct cli_filter *filter, struct span *span,
		     struct err *e)
{
	const struct strv *until = cli_filter_values(filter, "until");

	int r = narrow(engine, filter, "before", span, e);
	if (r == 0)
		r = narrow(engine, filter, "since", span, e);
	for (size_t i = 0; r == 0 && until && i < until->count; i++) {
		int64_t ns;
		r = prune_filter_until(&ns, until->items[i], e);
		if (r == 0 && ns < span->before_ns)
			span->before_ns = ns;
	}
	return r;
}

/* Of several references one must fit. */
static bool fits_reference(const struct engine_images_row *image, const struct cli_filter *filter,
			   const struct strv *args)
{
	const struct strv *lists[] = { cli_filter_values(filter, "reference"), args };

	for (size_t k = 0; k < COUNT_OF(lists); k++) {
		bool any = !lists[k] || !lists[k]->count;
		for (size_t i = 0; !any && i < lists[k]->count; i++)
			any = matches_reference(image, lists[k]->items[i]);
		if (!any)
			return false;
	}
	return true;
}

static int run_images(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	static const char *const keys[] = { "dangling", "label", "reference", "before",
					    "since",    "until", NULL };
	const struct images_options *o = options;
	own_clear(cli_filter_clear) struct cli_filter filter = { 0 };
	own_clear(engine_images_clear) struct engine_images images = { 0 };
	own_json struct json_object *rows = json_object_new_array();
	struct span span = { INT64_MIN, INT64_MAX };
	struct engine *engine;
	int64_t now = moment_now_ns();

	int r = cli_filter_parse(&filter, &o->filter, keys, e);
	if (r == 0 && o->tree && (o->format || o->quiet || o->digests || o->no_trunc))
		r = err_set(e, ERR_INVALID,
			    "--tree goes with none of --format, --quiet, --digests, --no-trunc");
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = find_span(engine, &filter, &span, e);
	if (r == 0)
		r = engine_images_list(engine, &images, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < images.count; i++) {
		const struct engine_images_row *image = &images.items[i];
		if ((image->listed && !o->all) || !keep(image, &filter, &span) ||
		    !fits_reference(image, &filter, args))
			continue;
		if (o->tree)
			r = cli_images_tree_add(engine, rows, &images, image, e);
		else
			json_object_array_add(rows, cli_images_row(image, o->no_trunc, now));
		if (r < 0)
			return r;
	}
	return o->tree ? cli_images_tree_print(rows, e)
		       : cli_format_rows(o->digests ? &list_with_digests : &list, rows, o->format,
					 o->quiet, e);
}

const struct cli_command cli_images = {
	.names = "images|image ls|image list",
	.section = "Images",
	.arguments = "[OPTIONS] [NAME[:TAG]]",
	.summary = "List images",
	.options = table,
	.size = sizeof(struct images_options),
	.args_max = 1,
	.values = "image:",
	.run = run_images,
};
