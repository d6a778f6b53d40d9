/* `holm system df`: what takes the disk, as docker tells it. The sums are those of du(1). */
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
#include "cli/images.h"
#include "cli/ps.h"
#include "engine/engine.h"
#include "engine/images.h"
#include "engine/usage.h"

struct df_options {
	bool verbose;
	char *format;
};

#define OPTIONS struct df_options
static const struct option table[] = {
	{ "format", 0, OPTION_STRING(format), "FORMAT", "table, json, or a Go template" },
	{ "verbose", 'v', OPTION_FLAG(verbose), NULL, "each image, container and volume" },
	{ 0 },
};
#undef OPTIONS

static const char *const headers[] = {
	"Type", "TYPE",        "TotalCount",  "TOTAL", "Active", "ACTIVE", "Size",
	"SIZE", "Reclaimable", "RECLAIMABLE", "Total", "TOTAL",  NULL,
};

static const struct cli_format_list list = {
	.table = "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
	.headers = headers,
	.id = "Type",
};

static void add(struct json_object *row, const char *key, const char *text)
{
	json_object_object_add(row, key, json_object_new_string(text));
}

static void add_bytes(struct json_object *row, const char *key, uint64_t bytes)
{
	char size[16];

	number_format_bytes(size, bytes);
	add(row, key, size);
}

static void add_count(struct json_object *row, const char *key, size_t count)
{
	own_free char *text = mem_format("%zu", count);

	add(row, key, text);
}

/* ---- the sums ---- */

struct sum {
	const char *type;
	size_t total, active;
	uint64_t bytes, reclaimable;
};

static void add_sum(struct json_object *rows, const struct sum *sum)
{
	struct json_object *row = json_object_new_object();
	char size[16];

	add(row, "Type", sum->type);
	add_count(row, "TotalCount", sum->total);
	add_count(row, "Total", sum->total); /* podman's name */
	add_count(row, "Active", sum->active);
	add_bytes(row, "Size", sum->bytes);
	number_format_bytes(size, sum->reclaimable);
	own_free char *reclaimable =
		sum->total && sum->bytes
			? mem_format("%s (%u%%)", size,
				     (unsigned)(sum->reclaimable * 100 / sum->bytes))
			: mem_text(size);
	add(row, "Reclaimable", reclaimable);
	json_object_object_add(row, "Bytes", json_object_new_int64((int64_t)sum->bytes));
	json_object_object_add(row, "ReclaimableBytes",
			       json_object_new_int64((int64_t)sum->reclaimable));
	json_object_array_add(rows, row);
}

static struct sum sum_images(const struct engine_usage *usage)
{
	struct sum sum = { "Images", usage->images.count, 0,
			   storage_usage_total(&usage->store) - usage->frozen_bytes,
			   usage->images_reclaimable };

	for (size_t i = 0; i < usage->images.count; i++)
		sum.active += usage->images.items[i].containers || usage->images.items[i].mounted;
	return sum;
}

static struct sum sum_containers(const struct engine_usage *usage)
{
	struct sum sum = { "Containers", usage->rows.count, 0, usage->containers_bytes, 0 };

	for (size_t i = 0; i < usage->rows.count; i++) {
		bool live = container_state_live(&usage->rows.items[i].state);
		sum.active += live;
		sum.reclaimable += live ? 0 : usage->container_bytes[i];
	}
	return sum;
}

static struct sum sum_volumes(const struct engine_usage *usage)
{
	struct sum sum = { "Local Volumes", usage->volumes.count, 0, usage->volumes_bytes, 0 };

	for (size_t i = 0; i < usage->volumes.count; i++) {
		sum.active += usage->volumes.items[i].links > 0;
		sum.reclaimable +=
			usage->volumes.items[i].links ? 0 : usage->volumes.items[i].bytes;
	}
	return sum;
}

static struct json_object *make_sums(const struct engine_usage *usage)
{
	struct json_object *rows = json_object_new_array();
	const struct sum sums[] = {
		sum_images(usage),
		sum_containers(usage),
		sum_volumes(usage),
		{ .type = "Build Cache" }, /* of what builds leave, layers count as images */
	};

	for (size_t i = 0; i < COUNT_OF(sums); i++)
		add_sum(rows, &sums[i]);
	return rows;
}

/* ---- one by one ---- */

static const struct usage_image *image_of(const struct engine_usage *usage, const char *digest)
{
	for (size_t i = 0; i < usage->images.count; i++)
		if (str_equal(usage->images.items[i].digest, digest))
			return &usage->images.items[i];
	return NULL;
}

static struct json_object *make_images(const struct engine_usage *usage,
				       const struct engine_images *images, int64_t now)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < images->count; i++) {
		if (images->items[i].list)
			continue; /* its images are there, too */
		const struct usage_image *image = image_of(usage, images->items[i].digest);
		struct json_object *row = cli_images_row(&images->items[i], false, now);
		char at[MOMENT_TEXT_SIZE] = "";
		if (image && image->used_ns)
			moment_format(at, image->used_ns);
		add(row, "LastUsedAt", at);
		add_bytes(row, "Size", image ? image->bytes : 0);
		add_bytes(row, "SharedSize", image ? image->shared : 0);
		add_bytes(row, "UniqueSize", image ? image->bytes - image->shared : 0);
		add_count(row, "Containers", image ? image->containers : 0);
		json_object_array_add(rows, row);
	}
	return rows;
}

static struct json_object *make_containers(const struct engine_usage *usage, int64_t now)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < usage->rows.count; i++) {
		struct json_object *row = cli_ps_row(&usage->rows.items[i], now);
		add_bytes(row, "Size", usage->container_bytes[i]);
		json_object_array_add(rows, row);
	}
	return rows;
}

static struct json_object *make_volumes(const struct engine_usage *usage)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < usage->volumes.count; i++) {
		struct json_object *row = json_object_new_object();
		add(row, "Name", usage->volumes.items[i].name);
		add_count(row, "Links", usage->volumes.items[i].links);
		add_bytes(row, "Size", usage->volumes.items[i].bytes);
		json_object_array_add(rows, row);
	}
	return rows;
}

/* The lists of `-v`; docker's template sees them by these names. */
static const struct section {
	const char *member;
	const char *title;
	struct cli_format_list list;
} sections[] = {
	{ "Images",
	  "Images space usage:",
	  { .table = "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t"
		     "{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}",
	    .headers = (const char *const[]){ "Repository", "REPOSITORY", "Tag", "TAG", "ID",
					      "IMAGE ID", "CreatedSince", "CREATED", "Size", "SIZE",
					      "SharedSize", "SHARED SIZE", "UniqueSize",
					      "UNIQUE SIZE", "Containers", "CONTAINERS", NULL } } },
	{ "Containers",
	  "Containers space usage:",
	  { .table = "{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t"
		     "{{.RunningFor}}\t{{.Status}}\t{{.Names}}",
	    .headers = (const char *const[]){ "ID", "CONTAINER ID", "Image", "IMAGE", "Command",
					      "COMMAND", "Size", "SIZE", "LocalVolumes",
					      "LOCAL VOLUMES", "RunningFor", "CREATED", "Status",
					      "STATUS", "Names", "NAMES", NULL } } },
	{ "Volumes",
	  "Local Volumes space usage:",
	  { .table = "{{.Name}}\t{{.Links}}\t{{.Size}}",
	    .headers = (const char *const[]){ "Name", "VOLUME NAME", "Links", "LINKS", "Size",
					      "SIZE", NULL } } },
};

static int print_sections(struct json_object *all, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(sections); i++) {
		struct json_object *rows = json_object_object_get(all, sections[i].member);
		printf("%s%s\n\n", i ? "\n" : "", sections[i].title);
		int r = cli_format_rows(&sections[i].list, rows, NULL, false, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int print_verbose(struct engine *engine, const struct engine_usage *usage,
			 const char *format, struct err *e)
{
	own_clear(engine_images_clear) struct engine_images images = { 0 };
	own_json struct json_object *all = json_object_new_object();
	int64_t now = moment_now_ns();

	int r = engine_images_list(engine, &images, e);
	if (r < 0)
		return r;
	json_object_object_add(all, "Images", make_images(usage, &images, now));
	json_object_object_add(all, "Containers", make_containers(usage, now));
	json_object_object_add(all, "Volumes", make_volumes(usage));
	json_object_object_add(all, "BuildCache", json_object_new_array());
	if (!format || str_equal(format, "table"))
		return print_sections(all, e);
	return cli_format_object(all, format, e);
}

static int run_df(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct df_options *o = options;
	own_clear(engine_usage_clear) struct engine_usage usage = { 0 };
	struct engine *engine;

	(void)args;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_usage_read(engine, &usage, e);
	if (r < 0)
		return r;
	if (o->verbose)
		return print_verbose(engine, &usage, o->format, e);
	own_json struct json_object *rows = make_sums(&usage);
	return cli_format_rows(&list, rows, o->format, false, e);
}

const struct cli_command cli_df = {
	.names = "system df",
	.section = "Holm",
	.arguments = "[OPTIONS]",
	.summary = "Show what takes the disk, and what could be given back",
	.options = table,
	.size = sizeof(struct df_options),
	.run = run_df,
};
