#include "cli/images_tree.h"

#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/format.h"
#include "engine/images.h"
#include "engine/lists.h"
#include "image/reference.h"

enum { SHORT_ID = 12 };

static const char *const headers[] = {
	"Image",      "IMAGE",       "ID",           "ID", "DiskUsage",
	"DISK USAGE", "ContentSize", "CONTENT SIZE", NULL,
};

static const struct cli_format_list list = {
	.table = "{{.Image}}\t{{.ID}}\t{{.DiskUsage}}\t{{.ContentSize}}",
	.headers = headers,
	.id = "ID",
};

static void add_bytes(struct json_object *row, const char *key, uint64_t bytes)
{
	char text[16];

	number_format_bytes(text, bytes);
	json_object_object_add(row, key, json_object_new_string(text));
}

/* files and packed: bytes; what is not here has none. */
static void add(struct json_object *rows, const char *name, const char *digest, uint64_t files,
		uint64_t packed)
{
	struct json_object *row = json_object_new_object();
	const char *hex = oci_digest_hex(digest);

	json_object_object_add(row, "Image", json_object_new_string(name));
	json_object_object_add(row, "ID", json_object_new_string_len(hex ? hex : "", SHORT_ID));
	add_bytes(row, "DiskUsage", files + packed);
	add_bytes(row, "ContentSize", packed);
	json_object_array_add(rows, row);
}

static void add_branch(struct json_object *rows, bool last, const char *platform,
		       const char *digest, const struct engine_images_row *image)
{
	own_free char *name = mem_format(
		"%s %s", last ? "\xe2\x94\x94\xe2\x94\x80" : "\xe2\x94\x9c\xe2\x94\x80", platform);

	add(rows, name, digest, image ? image->bytes : 0, image ? image->packed : 0);
}

static const struct engine_images_row *find(const struct engine_images *all, const char *digest)
{
	for (size_t i = 0; i < all->count; i++)
		if (!all->items[i].list && str_equal(all->items[i].digest, digest))
			return &all->items[i];
	return NULL;
}

static char *platform_of(const struct oci_descriptor *entry)
{
	const struct oci_platform *p = entry->platform;

	if (!p || !p->os)
		return mem_text("unknown");
	return mem_format("%s/%s%s%s", p->os, p->architecture ? p->architecture : "unknown",
			  p->variant ? "/" : "", p->variant ? p->variant : "");
}

static int add_list(struct engine *engine, struct json_object *rows,
		    const struct engine_images *all, const struct engine_images_row *image,
		    struct err *e)
{
	own_clear(engine_lists_clear_one) struct engine_list found = { 0 };
	uint64_t packed = 0;

	int r = engine_lists_find(engine, image->reference, &found, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r; /* removed meanwhile */
	size_t count = found.index.manifests.count;
	for (size_t i = 0; i < count; i++) {
		const struct engine_images_row *one =
			find(all, found.index.manifests.items[i].digest);
		packed += one ? one->packed : 0;
	}
	add(rows, image_reference_familiar(image->reference), image->id, image->bytes, packed);
	for (size_t i = 0; i < count; i++) {
		const struct oci_descriptor *entry = &found.index.manifests.items[i];
		own_free char *platform = platform_of(entry);
		add_branch(rows, i + 1 == count, platform, entry->digest, find(all, entry->digest));
	}
	return 0;
}

int cli_images_tree_add(struct engine *engine, struct json_object *rows,
			const struct engine_images *all, const struct engine_images_row *image,
			struct err *e)
{
	if (image->list)
		return add_list(engine, rows, all, image, e);
	add(rows, image->reference ? image_reference_familiar(image->reference) : "<untagged>",
	    image->id, image->bytes, image->packed);
	add_branch(rows, true, image->platform, image->digest, image);
	return 0;
}

int cli_images_tree_print(struct json_object *rows, struct err *e)
{
	return cli_format_rows(&list, rows, NULL, false, e);
}
