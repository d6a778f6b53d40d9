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
#include "engine/lists.h"
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
	free(row->platform);
	strv_clear(&row->labels);
}

void engine_images_clear(struct engine_images *images)
{
	for (size_t i = 0; i < images->count; i++)
		row_clear(&images->items[i]);
	free(images->items);
	*images = (struct engine_images){ 0 };
}

static uint64_t packed_bytes(const struct storage_entry *entry, const struct oci_manifest *manifest)
{
	int64_t bytes = entry->size + manifest->config.size;

	for (size_t i = 0; i < manifest->layers.count; i++)
		bytes += manifest->layers.items[i].size;
	return (uint64_t)bytes;
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
	row->platform = mem_format("%s/%s%s%s", image.config.os, image.config.architecture,
				   image.config.variant ? "/" : "",
				   image.config.variant ? image.config.variant : "");
	row->packed = packed_bytes(entry, &image.manifest);
	row->layers = (int64_t)image.config.rootfs.diff_ids.count;
	if (image.config.created)
		moment_parse(&row->created_ns, image.config.created, &ignored);
	for (size_t i = 0; i < image.config.config.labels.count; i++)
		strv_addf(&row->labels, "%s=%s", image.config.config.labels.items[i].key,
			  image.config.config.labels.items[i].value);
	return 0;
}

static bool is_listed(const struct engine_lists *lists, const char *digest)
{
	for (size_t i = 0; i < lists->count; i++)
		if (engine_lists_name(&lists->items[i], digest))
			return true;
	return false;
}

/* As old as the newest of its images, and as large as those that are here. */
static void read_list_row(struct engine *engine, const struct engine_list *list,
			  struct engine_images_row *row)
{
	for (size_t i = 0; i < list->index.manifests.count; i++) {
		const struct oci_descriptor *entry = &list->index.manifests.items[i];
		own_clear(storage_image_clear) struct storage_image image = { 0 };
		uint64_t bytes = 0;
		int64_t created_ns = 0;
		struct err none;
		if (storage_image_read(&image, engine->store, entry->digest, &none) < 0 ||
		    storage_image_size(&image, engine->store, &bytes, &none) < 0)
			continue;
		row->bytes += bytes;
		row->layers += (int64_t)image.config.rootfs.diff_ids.count;
		if (image.config.created)
			moment_parse(&created_ns, image.config.created, &none);
		if (created_ns > row->created_ns)
			row->created_ns = created_ns;
	}
	if (!row->created_ns)
		row->created_ns = list->changed_ns;
	row->list = true;
	row->reference = mem_text(list->name);
	row->digest = mem_text(list->digest);
	row->id = mem_text(list->digest);
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
	own_clear(engine_lists_clear) struct engine_lists lists = { 0 };

	int r = storage_index_read(&index, engine->store, e);
	if (r == 0)
		r = engine_lists_read(engine, &lists, e);
	if (r < 0)
		return r;
	ret->items = mem_new(index.entries.count + lists.count + 1, sizeof(*ret->items));
	for (size_t i = 0; i < index.entries.count; i++) {
		struct err bad;
		const struct storage_entry *entry = &index.entries.items[i];
		struct engine_images_row *row = &ret->items[ret->count];
		if (read_row(engine, entry, row, &bad) == 0) {
			row->listed = !entry->reference && is_listed(&lists, entry->digest);
			ret->count++;
		} else
			log_warning("image %s: %s",
				    entry->reference ? entry->reference : entry->digest, bad.text);
	}
	for (size_t i = 0; i < lists.count; i++)
		read_list_row(engine, &lists.items[i], &ret->items[ret->count++]);
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

/* What is no image: a list of manifests, or a step of a build. */
static int tag_other(struct engine *engine, const char *name, const char *full, struct err *e)
{
	int r = engine_lists_tag(engine, name, full, e);

	if (r == 0 || e->kind != ERR_NOT_FOUND)
		return r;
	if (engine_image_step_is(name))
		return tag_step(engine, name, full, e);
	return err_set(e, ERR_NOT_FOUND, "no such image: %s", name);
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
	if (r < 0 && e->kind == ERR_NOT_FOUND)
		return tag_other(engine, name, full, e);
	if (r == 0)
		r = storage_index_tag(engine->store, entry->digest, full, e);
	if (r == 0)
		engine_event_image(engine, "tag", entry->id, full);
	return r;
}

/* ---- remove ---- */

const struct engine_row *engine_images_user(const struct engine_rows *rows,
					    const struct storage_entry *entry)
{
	const struct engine_row *user = NULL;

	for (size_t i = 0; i < rows->count; i++) {
		const struct container_image *image = &rows->items[i].container.image;
		if (!str_equal(image->digest, entry->digest) && !str_equal(image->id, entry->id))
			continue;
		if (!user || container_state_live(&rows->items[i].state))
			user = &rows->items[i];
	}
	return user;
}

static int check_unused(struct engine *engine, const struct storage_entry *entry, bool force,
			struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options all = { .all = true };

	if (engine_image_is_mounted(engine, entry->digest)) {
		err_set(e, ERR_STATE, "the image is mounted");
		return err_hint(e, "holm image unmount takes that back");
	}

	int r = engine_list(engine, &all, &rows, e);
	if (r == 0)
		r = engine_rows_whole(&rows, e);
	if (r < 0)
		return r;
	const struct engine_row *user = engine_images_user(&rows, entry);
	if (!user)
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

void engine_images_note_deleted(struct engine *engine, const struct storage_entry *entry,
				struct strv *done)
{
	const char *id = entry->id ? entry->id : entry->digest;

	strv_addf(done, "Deleted: %s", id);
	engine_event_image(engine, "delete", id, NULL);
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
	engine_images_note_deleted(engine, entry, done);
	return 0;
}

static int untag(struct engine *engine, const struct storage_entry *entry, bool keep,
		 struct strv *done, struct err *e)
{
	size_t left;
	int r = storage_index_untag(engine->store, entry->reference, keep, &left, e);

	if (r == 0)
		note_untagged(engine, entry, done);
	return r;
}

/* One that a list of manifests names: its names go, and it stays. */
static int untag_all(struct engine *engine, const struct storage_index *index,
		     const struct storage_entry *entry, struct strv *done, struct err *e)
{
	int r = 0;

	if (!entry->reference) {
		err_set(e, ERR_STATE, "a list of manifests names the image");
		return err_hint(e,
				"remove the list, or take the image out of it: holm manifest "
				"remove LIST %s",
				entry->digest);
	}
	for (size_t i = 0; r == 0 && i < index->entries.count; i++)
		if (str_equal(index->entries.items[i].digest, entry->digest))
			r = untag(engine, &index->entries.items[i], true, done, e);
	return r;
}

static int remove_found(struct engine *engine, const struct storage_index *index,
			const struct storage_entry *entry, bool force, struct strv *done,
			struct err *e)
{
	own_clear(strv_clear) struct strv listed = { 0 };
	size_t names = count_names(index, entry->digest);

	if (names > 1 && !force) {
		err_set(e, ERR_STATE, "the image has %zu names", names);
		return err_hint(e, "remove them one by one, or use --force");
	}
	storage_list_named(&listed, engine->store);
	if (strv_contains(&listed, entry->digest))
		return untag_all(engine, index, entry, done, e);
	int r = check_unused(engine, entry, force, e);
	return r < 0 ? r : remove_all(engine, index, entry, done, e);
}

static int remove_image(struct engine *engine, const char *name, bool force, struct strv *done,
			struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	const struct storage_entry *entry;
	bool by_name;

	/* who makes a list of it meanwhile finds it, or does not */
	own_fd int lock = storage_list_lock(engine->store, e);
	if (lock < 0)
		return lock;
	int r = storage_index_read(&index, engine->store, e);
	if (r == 0)
		r = find(&index, name, &entry, &by_name, e);
	if (r < 0)
		return r;
	if (by_name && count_names(&index, entry->digest) > 1)
		return untag(engine, entry, false, done, e);
	return remove_found(engine, &index, entry, force, done, e);
}

/* A list, of which with a platform one image goes. */
static int remove_listed(struct engine *engine, const char *name,
			 const struct engine_images_removal *how, struct strv *done, struct err *e)
{
	return how->platform ? engine_lists_remove_platform(engine, name, how->platform, done, e)
			     : engine_lists_remove(engine, name, how->force, done, e);
}

/* A name of an image goes before one of a list. */
static bool is_image(struct engine *engine, const char *name)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	const struct storage_entry *entry;
	bool by_name;
	struct err e;

	if (storage_index_read(&index, engine->store, &e) < 0)
		return true;
	return find(&index, name, &entry, &by_name, &e) == 0 || e.kind != ERR_NOT_FOUND;
}

static int check_platform(struct engine *engine, const char *name, const char *platform,
			  struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };

	return engine_image_find_for(engine, name, platform, &image, NULL, e);
}

int engine_images_remove(struct engine *engine, const char *name,
			 const struct engine_images_removal *how, struct strv *done, struct err *e)
{
	bool image = is_image(engine, name);
	int r = image && how->platform ? check_platform(engine, name, how->platform, e) : 0;

	if (r < 0)
		return r;
	r = image ? remove_image(engine, name, how->force, done, e)
		  : remove_listed(engine, name, how, done, e);
	if (r < 0 && !image && e->kind == ERR_NOT_FOUND && !how->platform)
		return err_set(e, ERR_NOT_FOUND, "no such image: %s", name);
	if (r == 0 && !how->keep_bytes)
		collect(engine, NULL);
	return r;
}

int engine_images_remove_list(struct engine *engine, const char *name, struct strv *done,
			      struct err *e)
{
	int r = engine_lists_remove(engine, name, false, done, e);

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

/* Does a container use one of its images? */
static bool list_is_used(const struct engine_list *list, const struct engine_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		if (rows->items[i].container.image.digest &&
		    engine_lists_name(list, rows->items[i].container.image.digest))
			return true;
	return false;
}

/* A list has no labels. */
static int prune_lists(struct engine *engine, const struct engine_rows *rows,
		       const struct prune_filter *filter, struct strv *done, struct err *e)
{
	own_clear(engine_lists_clear) struct engine_lists lists = { 0 };
	const struct strv no_labels = { 0 };

	int r = engine_lists_read(engine, &lists, e);
	for (size_t i = 0; r == 0 && i < lists.count; i++)
		if (!list_is_used(&lists.items[i], rows) &&
		    prune_filter_matches(filter, lists.items[i].changed_ns, &no_labels))
			r = engine_lists_remove(engine, lists.items[i].name, false, done, e);
	return r;
}

static int prune(struct engine *engine, const struct storage_index *index,
		 const struct engine_rows *rows, bool all, const struct prune_filter *filter,
		 struct strv *done, struct err *e)
{
	own_clear(strv_clear) struct strv listed = { 0 };

	storage_list_named(&listed, engine->store);
	for (size_t i = 0; i < index->entries.count; i++) {
		const struct storage_entry *entry = &index->entries.items[i];
		if (engine_images_user(rows, entry) || (entry->reference && !all) ||
		    engine_image_is_mounted(engine, entry->digest) ||
		    strv_contains(&listed, entry->digest) || !fits(engine, entry, filter))
			continue;
		int r = entry->reference ? untag(engine, entry, false, done, e)
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
	int r = engine_list(engine, &every, &rows, e);
	if (r == 0)
		r = engine_rows_whole(&rows, e);
	if (r == 0 && all)
		r = prune_lists(engine, &rows, filter, done, e);
	own_fd int lock = r < 0 ? -1 : storage_list_lock(engine->store, e);
	if (r == 0 && lock < 0)
		r = lock;
	if (r == 0)
		r = storage_index_read(&index, engine->store, e);
	if (r == 0)
		r = prune(engine, &index, &rows, all, filter, done, e);
	if (r < 0)
		return r;
	collect(engine, ret_bytes);
	engine_event_pruned(engine, "image", *ret_bytes);
	return 0;
}
