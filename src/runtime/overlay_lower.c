#include "runtime/overlay_lower.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"

struct lower {
	char *path;
	struct runtime_idmap ids;
};

static const struct shape lower_shape = {
	sizeof(struct lower),
	(const struct shape_field[]){
		{ "path", SHAPE_STRING, offsetof(struct lower, path) },
		{ "uidMappings", SHAPE_LIST, offsetof(struct lower, ids.uids),
		  &oci_id_mapping_shape },
		{ "gidMappings", SHAPE_LIST, offsetof(struct lower, ids.gids),
		  &oci_id_mapping_shape },
		{ 0 },
	},
};

const struct runtime_overlay_owners *
runtime_overlay_owners_of(const struct runtime_overlay *overlay, size_t layer)
{
	for (size_t i = 0; i < overlay->owners.count; i++)
		if (overlay->owners.items[i].layer == layer)
			return &overlay->owners.items[i];
	return NULL;
}

void runtime_overlay_lower_add(struct runtime_overlay *to, char *path_taken,
			       const struct runtime_idmap *from, const struct runtime_idmap *ids)
{
	strv_add_take(&to->lower, path_taken);
	if (!from || (from->uids.count == 0 && from->gids.count == 0))
		return;
	struct runtime_overlay_owners *owners = shape_list_add(&to->owners);
	owners->layer = to->lower.count - 1;
	runtime_idmap_shift(&owners->ids, from, ids);
}

void runtime_overlay_lower_add_shifted(struct runtime_overlay *to, char *path_taken)
{
	strv_add_take(&to->lower, path_taken);
	struct runtime_overlay_owners *owners = shape_list_add(&to->owners);
	owners->layer = to->lower.count - 1;
}

/* ---- the annotation ---- */

static int add_object(struct runtime_overlay *to, struct json_object *object, struct err *e)
{
	struct lower lower = { 0 };

	int r = shape_read(&lower_shape, object, &lower, e);
	if (r < 0)
		return r;
	if (!lower.path || *lower.path != '/') {
		shape_clear(&lower_shape, &lower);
		return err_set(e, ERR_INVALID, "path: not an absolute path");
	}
	strv_add_take(&to->lower, lower.path);
	struct runtime_overlay_owners *owners = shape_list_add(&to->owners);
	*owners = (struct runtime_overlay_owners){ to->lower.count - 1, lower.ids };
	return 0;
}

static int add_element(struct runtime_overlay *to, struct json_object *element, struct err *e)
{
	if (json_object_is_type(element, json_type_object))
		return add_object(to, element, e);
	const char *path = json_object_get_string(element);
	if (!path || *path != '/')
		return err_set(e, ERR_INVALID, "not an absolute path");
	strv_add(&to->lower, path);
	return 0;
}

int runtime_overlay_lower_read(struct runtime_overlay *to, const char *text, struct err *e)
{
	own_json struct json_object *array = NULL;

	int r = json_parse(&array, text, strlen(text), "org.holm.rootfs.lower", e);
	if (r < 0)
		return r;
	if (!json_object_is_type(array, json_type_array))
		return err_set(e, ERR_INVALID, "org.holm.rootfs.lower: not an array");

	size_t count = json_object_array_length(array);
	if (count == 0 || count > RUNTIME_OVERLAY_LAYERS_MAX)
		return err_set(e, ERR_INVALID, "org.holm.rootfs.lower: %zu layers, not 1 to %d",
			       count, RUNTIME_OVERLAY_LAYERS_MAX);
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = add_element(to, json_object_array_get_idx(array, i), e);
		if (r < 0)
			err_add(e, "org.holm.rootfs.lower: [%zu]", i);
	}
	return r;
}

int runtime_overlay_data_read(struct runtime_overlay *to, const char *text, struct err *e)
{
	own_clear(runtime_overlay_clear) struct runtime_overlay plain = { 0 };

	if (!text)
		return 0;
	int r = runtime_overlay_lower_read(&plain, text, e);
	if (r < 0)
		return err_add(e, "org.holm.rootfs.data");
	strv_add_all(&to->data, &plain.lower);
	return 0;
}

struct json_object *runtime_overlay_lower_write(const struct runtime_overlay *overlay)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < overlay->lower.count; i++) {
		const struct runtime_overlay_owners *owners = runtime_overlay_owners_of(overlay, i);
		const char *path = overlay->lower.items[i];
		if (!owners) {
			json_object_array_add(array, json_object_new_string(path));
			continue;
		}
		const struct lower lower = { (char *)path, owners->ids };
		json_object_array_add(array, shape_write(&lower_shape, &lower));
	}
	return array;
}
