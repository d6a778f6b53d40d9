#include "engine/images.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/image.h"
#include "engine/image_mount.h"
#include "engine/image_step.h"
#include "engine/prune.h"
#include "image/reference.h"
#include "image/source.h"
#include "storage/gc.h"
#include "storage/image.h"
#include "storage/index.h"
#include "storage/list.h"

/* ---- list ---- */

static void row_clear(struct engine_images_row *row)
{
	free(row->reference);
	free(row->digest);
	free(row->id);
	strv_clear(&row->labels);
}

void engine_images_clear(struct engine_images *images)
{
	for (size_t i = 0; i < images->count; i++)
		row_clear(&images->items[i]);
	free(images->items);
	*images = (struct engine_images){ 0 };
}

static int read_row(struct engine *engine, const struct storage_entry *entry,
		    struct engine_images_row *row, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct err ignored;

	int r = storage_image_read(&image, engine->store, entry->digest, e);
	if (r == 0)
		r = storage_image_size(&image, engine->store, &row->bytes, e);
	if (r < 0)
		return r;
	row->reference = mem_text(entry->reference);
	row->digest = mem_text(entry->digest);
	row->id = mem_text(image.manifest.config.digest);
	row->layers = (int64_t)image.config.rootfs.diff_ids.count;
	if (image.config.created)
		moment_parse(&row->created_ns, image.config.created, &ignored);
	for (size_t i = 0; i < image.config.config.labels.count; i++)
		strv_addf(&row->labels, "%s=%s", image.config.config.labels.items[i].key,
			  image.config.config.labels.items[i].value);
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	const struct engine_images_row *x = a, *y = b;

	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? 1 : -1;
	if (!x->reference || !y->reference)
		return (y->reference != NULL) - (x->reference != NULL);
	return strcmp(x->reference, y->reference);
}

int engine_images_list(struct engine *engine, struct engine_images *ret, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	int r = storage_index_read(&index, engine->store, e);

	if (r < 0)
		return r;
	ret->items = mem_new(index.entries.count + 1, sizeof(*ret->items));
	for (size_t i = 0; i < index.entries.count; i++) {
		struct err bad;
		const struct storage_entry *entry = &index.entries.items[i];
		if (read_row(engine, entry, &ret->items[ret->count], &bad) == 0)
			ret->count++;
		else
			log_warning("image %s: %s",
				    entry->reference ? entry->reference : entry->digest, bad.text);
	}
	qsort(ret->items, ret->count, sizeof(*ret->items), compare_rows);
	return 0;
}

/* ---- find ---- */

/* What name means: a name of an image, or (then *by_name is false) an image by id. */
static int find(const struct storage_index *index, const char *name,
		const struct storage_entry **ret, bool *by_name, struct err *e)
{
	own_clear(image_source_clear) struct image_source source = { 0 };
	struct err bad;

	*by_name = true;
	*ret = NULL;
	if (image_source_parse(&source, name, &bad) == 0) {
		own_free char *stored = image_source_stored_name(&source);
		*ret = stored ? storage_index_find(index, stored) : NULL;
	}
	if (*ret)
		return 0;
	*by_name = false;
	const char *hex = str_starts(name, "sha256:") ? name + strlen("sha256:") : name;
	if (*hex && !hex[strspn(hex, "0123456789abcdef")]) {
		int r = storage_index_find_id(index, name, ret, e);
		if (r < 0)
			return r;
	}
	return *ret ? 0 : err_set(e, ERR_NOT_FOUND, "no such image: %s", name);
}

static int tag_step(struct engine *engine, const char *name, const char *full, struct err *e)
{
	own_free char *id = NULL;
	int r = engine_image_step_tag(engine, name, full, &id, e);

	if (r == 0)
		engine_event_image(engine, "tag", id, full);
	return r;
}

int engine_images_tag(struct engine *engine, const char *name, const char *more, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	own_clear(image_reference_clear) struct image_reference reference = { 0 };
	const struct storage_entry *entry;
	bool by_name;

	int r = image_reference_parse(&reference, more, e);
	if (r < 0)
		return r;
	if (reference.digest)
		return err_set(e, ERR_INVALID, "'%s': a name cannot be made from a digest", more);
	own_free char *full = image_reference_format(&reference);
	r = storage_index_read(&index, engine->store, e);
	if (r == 0)
		r = find(&index, name, &entry, &by_name, e);
	if (r < 0 && e->kind == ERR_NOT_FOUND && engine_image_step_is(name))
		return tag_step(engine, name, full, e);
	if (r == 0)
		r = storage_index_tag(engine->store, entry->digest, full, e);
	if (r == 0)
		engine_event_image(engine, "tag", entry->id, full);
	return r;
}

/* ---- remove ---- */

/* Does a container use the image? Those that run go before those that do not. */
static int find_user(const struct engine_rows *rows, const struct storage_entry *entry,
		     const struct engine_row **ret)
{
	*ret = NULL;
	for (size_t i = 0; i < rows->count; i++) {
		const struct container_image *image = &rows->items[i].container.image;
		if (!str_equal(image->digest, entry->digest) && !str_equal(image->id, entry->id))
			continue;
		if (!*ret || container_state_live(&rows->items[i].state))
			*ret = &rows->items[i];
	}
	return *ret != NULL;
}

static int check_unused(struct engine *engine, const struct storage_entry *entry, bool force,
			struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options all = { .all = true };
	const struct engine_row *user;

	if (engine_image_is_mounted(engine, entry->digest)) {
		err_set(e, ERR_STATE, "the image is mounted");
		return err_hint(e, "holm image unmount takes that back");
	}

	int r = engine_list(engine, &all, &rows, e);
	if (r == 0)
		r = engine_rows_whole(&rows, e);
	if (r < 0)
		return r;
	if (!find_user(&rows, entry, &user))
		return 0;
	const char *name = user->container.name;
	if (container_state_live(&user->state)) {
		err_set(e, ERR_STATE, "the image is used by the running container %s", name);
		return err_hint(e, "stop and remove it first: holm rm -f %s", name);
	}
	if (force)
		return 0;
	err_set(e, ERR_STATE, "the image is used by the container %s", name);
	return err_hint(e, "remove it first (holm rm %s), or use --force", name);
}

static size_t count_names(const struct storage_index *index, const char *digest)
{
	size_t count = 0;

	for (size_t i = 0; i < index->entries.count; i++)
		count += str_equal(index->entries.items[i].digest, digest);
	return count;
}

static void collect(struct engine *engine, uint64_t *bytes)
{
	struct gc_result result = { 0 };
	struct err e;

	if (storage_gc(engine->store, false, false, &result, &e) < 0)
		log_warning("what is not needed any more could not be removed: %s", e.text);
	if (bytes)
		*bytes = result.bytes;
}

static void note_untagged(struct engine *engine, const struct storage_entry *entry,
			  struct strv *done)
{
	if (!entry->reference)
		return;
	strv_addf(done, "Untagged: %s", image_reference_familiar(entry->reference));
	engine_event_image(engine, "untag", entry->id ? entry->id : entry->digest, NULL);
}

static int remove_all(struct engine *engine, const struct storage_index *index,
		      const struct storage_entry *entry, struct strv *done, struct err *e)
{
	int r = storage_index_remove(engine->store, entry->digest, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < index->entries.count; i++)
		if (str_equal(index->entries.items[i].digest, entry->digest))
			note_untagged(engine, &index->entries.items[i], done);
	const char *id = entry->id ? entry->id : entry->digest;
	strv_addf(done, "Deleted: %s", id);
	engine_event_image(engine, "delete", id, NULL);
	return 0;
}

static int untag(struct engine *engine, const struct storage_entry *entry, struct strv *done,
		 struct err *e)
{
	size_t left;
	int r = storage_index_untag(engine->store, entry->reference, &left, e);

	if (r == 0)
		note_untagged(engine, entry, done);
	return r;
}

int engine_images_remove(struct engine *engine, const char *name, bool force, struct strv *done,
			 struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	const struct storage_entry *entry;
	bool by_name;

	int r = storage_index_read(&index, engine->store, e);
	if (r == 0)
		r = find(&index, name, &entry, &by_name, e);
	if (r < 0)
		return r;
	size_t names = count_names(&index, entry->digest);
	if (by_name && names > 1)
		return untag(engine, entry, done, e);
	if (names > 1 && !force) {
		err_set(e, ERR_STATE, "the image has %zu names", names);
		return err_hint(e, "remove them one by one, or use --force");
	}
	r = check_unused(engine, entry, force, e);
	if (r == 0)
		r = remove_all(engine, &index, entry, done, e);
	if (r == 0)
		collect(engine, NULL);
	return r;
}

/* An image that cannot be read has neither age nor labels. */
static bool fits(struct engine *engine, const struct storage_entry *entry,
		 const struct prune_filter *filter)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	own_clear(strv_clear) struct strv labels = { 0 };
	int64_t created_ns = 0;
	struct err ignored;

	if (storage_image_read(&image, engine->store, entry->digest, &ignored) == 0) {
		if (image.config.created)
			moment_parse(&created_ns, image.config.created, &ignored);
		prune_filter_labels(&labels, &image.config.config.labels);
	}
	return prune_filter_matches(filter, created_ns, &labels);
}

static int prune(struct engine *engine, const struct storage_index *index,
		 const struct engine_rows *rows, bool all, const struct prune_filter *filter,
		 struct strv *done, struct err *e)
{
	for (size_t i = 0; i < index->entries.count; i++) {
		const struct storage_entry *entry = &index->entries.items[i];
		const struct engine_row *user;
		if (find_user(rows, entry, &user) || (entry->reference && !all) ||
		    engine_image_is_mounted(engine, entry->digest) ||
		    storage_list_has(engine->store, entry->digest) || !fits(engine, entry, filter))
			continue;
		int r = entry->reference ? untag(engine, entry, done, e)
					 : remove_all(engine, index, entry, done, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int engine_images_prune(struct engine *engine, bool all, const struct prune_filter *filter,
			struct strv *done, uint64_t *ret_bytes, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options every = { .all = true };

	/* docker: dangling=false is --all */
	all = all || (filter->dangling_given && !filter->dangling);
	int r = storage_index_read(&index, engine->store, e);
	if (r == 0)
		r = engine_list(engine, &every, &rows, e);
	if (r == 0)
		r = engine_rows_whole(&rows, e);
	if (r == 0)
		r = prune(engine, &index, &rows, all, filter, done, e);
	if (r < 0)
		return r;
	collect(engine, ret_bytes);
	engine_event_pruned(engine, "image", *ret_bytes);
	return 0;
}
