/* containers/storage: DRIVER-images/images.json and DRIVER-images/ID/, DRIVER-layers/layers.json
 * and DRIVER-layers/ID.tar-split.gz (github.com/containers/storage images.go, layers.go). */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "image/base64.h"
#include "image/foreign.h"
#include "oci/digest.h"
#include "oci/image.h"

enum { LIST_BYTES_MAX = JSON_BYTES_MAX };

static const struct driver {
	const char *name;
	const char *files;
	const char *below;
} drivers[] = {
	{ "overlay", "overlay", "/diff" },
	{ "vfs", "vfs/dir", "" },
};

struct record {
	char *id;
	struct strv names;
	char *layer; /* of an image: its topmost */
	char *parent;
	char *diff_id;
};

static const struct shape record_shape = {
	sizeof(struct record),
	(const struct shape_field[]){
		{ "id", SHAPE_STRING, offsetof(struct record, id) },
		{ "names", SHAPE_STRINGS, offsetof(struct record, names) },
		{ "layer", SHAPE_STRING, offsetof(struct record, layer) },
		{ "parent", SHAPE_STRING, offsetof(struct record, parent) },
		{ "diff-digest", SHAPE_STRING, offsetof(struct record, diff_id) },
		{ 0 },
	},
};

struct records {
	SHAPE_LIST_OF(struct record) items;
};

static void records_clear(struct records *records)
{
	for (size_t i = 0; i < records->items.count; i++)
		shape_clear(&record_shape, &records->items.items[i]);
	free(records->items.items);
}

static int read_list(int root_fd, const char *path, struct records *to, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_json struct json_object *array = NULL;

	int r = image_foreign_read(root_fd, path, LIST_BYTES_MAX, &text, e);
	if (r < 0)
		return r;
	r = json_parse(&array, text.text ? text.text : "", text.length, path, e);
	if (r < 0)
		return r;
	if (!json_object_is_type(array, json_type_array))
		return err_set(e, ERR_CORRUPT, "%s: not an array", path);
	for (size_t i = 0; r == 0 && i < json_object_array_length(array); i++) {
		struct record record = { 0 };
		r = shape_read(&record_shape, json_object_array_get_idx(array, i), &record, e);
		if (r < 0)
			return err_add(e, "%s: [%zu]", path, i);
		*shape_list_add(&to->items) = record;
	}
	return r;
}

static const struct record *find(const struct records *records, const char *id)
{
	for (size_t i = 0; i < records->items.count; i++)
		if (str_equal(records->items.items[i].id, id))
			return &records->items.items[i];
	return NULL;
}

/* From the topmost down: the chain is as long as the config says, so no loop can hold it up. */
static int add_layers(const struct driver *driver, const struct records *layers, const char *top,
		      const struct strv *diff_ids, struct foreign_image *image, struct err *e)
{
	const char *id = top;

	for (size_t i = 0; i < diff_ids->count; i++)
		*shape_list_add(&image->layers) = (struct foreign_layer){ 0 };
	for (size_t i = diff_ids->count; i-- > 0;) {
		const struct record *record = str_empty(id) ? NULL : find(layers, id);
		if (!record || !path_is_name(record->id))
			return err_set(e, ERR_CORRUPT, "its layer %zu is not there", i + 1);
		if (!str_equal(record->diff_id, diff_ids->items[i]))
			return err_set(e, ERR_CORRUPT, "its layer %zu is another one", i + 1);
		struct foreign_layer *layer = &image->layers.items[i];
		layer->diff_id = mem_text(record->diff_id);
		layer->files = mem_format("%s/%s%s", driver->files, record->id, driver->below);
		layer->split = mem_format("%s-layers/%s.tar-split.gz", driver->name, record->id);
		id = record->parent;
	}
	return 0;
}

static int read_image(int root_fd, const struct driver *driver, const struct record *record,
		      const struct records *layers, struct foreign_image *image, struct err *e)
{
	own_clear(strv_clear) struct strv diff_ids = { 0 };
	own_clear(str_clear) struct str encoded = { 0 };

	int r = oci_digest_check(image->id, "image", e);
	if (r < 0)
		return r;
	/* a key that is no plain name is a file called by its base64 */
	image_base64_add(&encoded, image->id, strlen(image->id));
	own_free char *path =
		mem_format("%s-images/%s/=%s", driver->name, record->id, encoded.text);
	r = image_foreign_read(root_fd, path, OCI_IMAGE_CONFIG_MAX, image->config, e);
	if (r == 0)
		r = image_foreign_diff_ids(image, &diff_ids, e);
	return r < 0 ? r : add_layers(driver, layers, record->layer, &diff_ids, image, e);
}

static int read_driver(int root_fd, const struct driver *driver, struct foreign_images *to,
		       struct err *e)
{
	own_clear(records_clear) struct records images = { 0 }, layers = { 0 };
	own_free char *images_path = mem_format("%s-images/images.json", driver->name);
	own_free char *layers_path = mem_format("%s-layers/layers.json", driver->name);

	int r = read_list(root_fd, images_path, &images, e);
	if (r == 0)
		r = read_list(root_fd, layers_path, &layers, e);
	for (size_t i = 0; r == 0 && i < images.items.count; i++) {
		const struct record *record = &images.items.items[i];
		own_free char *id = mem_format("sha256:%s", record->id ? record->id : "");
		struct foreign_image *image = image_foreign_add(to, id);
		struct err failed;
		strv_add_all(&image->names, &record->names);
		if (read_image(root_fd, driver, record, &layers, image, &failed) < 0) {
			image->failure = mem_new_struct(struct err);
			*image->failure = failed;
		}
	}
	return r;
}

int image_foreign_podman(int root_fd, struct foreign_images *to, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < COUNT_OF(drivers); i++) {
		int r = read_driver(root_fd, &drivers[i], to, e);
		if (r < 0 && r != -ENOENT)
			return r;
		any = any || r == 0;
	}
	if (any)
		return 0;
	err_set(e, ERR_NOT_FOUND, "no images of podman's overlay or vfs driver are there");
	return err_hint(e, "name podman's storage: podman info -f '{{.Store.GraphRoot}}'");
}
