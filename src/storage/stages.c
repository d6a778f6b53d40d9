#include "storage/stages.h"

#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "storage/store.h"

#define FOLDER "stages"

#define FIELD(type, member) offsetof(struct type, member)

const struct shape storage_stages_step_shape = {
	sizeof(struct storage_step),
	(const struct shape_field[]){
		{ "id", SHAPE_STRING, FIELD(storage_step, id) },
		{ "image", SHAPE_STRING, FIELD(storage_step, image) },
		{ "number", SHAPE_INT, FIELD(storage_step, number) },
		{ "layers", SHAPE_INT, FIELD(storage_step, layers) },
		{ "config", SHAPE_OBJECT, FIELD(storage_step, config), &oci_image_process_shape },
		{ 0 },
	},
};

static const struct shape stage_shape = {
	sizeof(struct storage_stage),
	(const struct shape_field[]){
		{ "name", SHAPE_STRING, FIELD(storage_stage, name) },
		{ "config", SHAPE_OBJECT, FIELD(storage_stage, config), &oci_image_config_shape },
		{ "steps", SHAPE_LIST, FIELD(storage_stage, steps), &storage_stages_step_shape },
		{ 0 },
	},
};

const struct shape storage_stages_shape = {
	sizeof(struct storage_stages),
	(const struct shape_field[]){
		{ "target", SHAPE_INT, FIELD(storage_stages, target) },
		{ "stages", SHAPE_LIST, FIELD(storage_stages, items), &stage_shape },
		{ 0 },
	},
};

void storage_stages_clear(struct storage_stages *stages)
{
	shape_clear(&storage_stages_shape, stages);
}

/* Numbers that lead nowhere would be read from memory that is not there. */
static bool is_sound(const struct storage_stages *stages)
{
	for (size_t i = 0; i < stages->items.count; i++) {
		const struct storage_stage *stage = &stages->items.items[i];
		for (size_t k = 0; k < stage->steps.count; k++) {
			const struct storage_step *step = &stage->steps.items[k];
			if (!step->id || step->number < 0 || step->layers < 0 ||
			    (size_t)step->number > stage->config.history.count ||
			    (size_t)step->layers > stage->config.rootfs.diff_ids.count)
				return false;
		}
		if (!stage->name || !stage->steps.count)
			return false;
		for (size_t k = 0; k < stage->config.rootfs.diff_ids.count; k++)
			if (!oci_digest_is_valid(stage->config.rootfs.diff_ids.items[k]))
				return false;
	}
	return stages->target >= 0 && (size_t)stages->target < stages->items.count;
}

int storage_stages_read(struct storage_stages *to, const struct store *store, const char *id,
			struct err *e)
{
	struct storage_stages read = { 0 };
	const char *hex = oci_digest_hex(id);
	own_free char *path = mem_format(FOLDER "/%s", hex ? hex : "none");

	int r = shape_read_at(&storage_stages_shape, store->root_fd, path, STORAGE_STAGES_BYTES_MAX,
			      &read, e);
	if (r == -ENOENT)
		return err_set(e, ERR_NOT_FOUND, "how it was built is not known");
	if (r < 0)
		return r;
	if (!is_sound(&read)) {
		storage_stages_clear(&read);
		return err_set(e, ERR_CORRUPT, "%s: numbers that do not fit", path);
	}
	*to = read;
	return 0;
}

int storage_stages_write(const struct storage_stages *stages, const struct store *store,
			 const char *id, struct err *e)
{
	const char *hex = oci_digest_hex(id);
	own_free char *path = mem_format(FOLDER "/%s", hex ? hex : "none");

	if (mkdirat(store->root_fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make folder " FOLDER);
	return shape_write_at(&storage_stages_shape, store->root_fd, path, stages, e);
}

struct oci_image_config storage_stages_config(const struct storage_stage *stage,
					      const struct storage_step *step)
{
	struct oci_image_config config = stage->config;

	config.config = step->config;
	config.history.count = (size_t)step->number;
	config.rootfs.diff_ids.count = (size_t)step->layers;
	return config;
}
