#include "engine/lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/image_mount.h"
#include "engine/images.h"
#include "image/reference.h"
#include "storage/hash.h"
#include "storage/index.h"
#include "storage/list.h"

void engine_lists_clear_one(struct engine_list *list)
{
	free(list->name);
	oci_index_clear(&list->index);
	*list = (struct engine_list){ 0 };
}

void engine_lists_clear(struct engine_lists *lists)
{
	for (size_t i = 0; i < lists->count; i++)
		engine_lists_clear_one(&lists->items[i]);
	free(lists->items);
	*lists = (struct engine_lists){ 0 };
}

static int read_one(struct engine *engine, const char *name, struct engine_list *to, struct err *e)
{
	int r = storage_list_read(&to->index, engine->store, name, e);

	if (r < 0)
		return r;
	own_free char *text = storage_list_text(&to->index);
	storage_hash_bytes(text, strlen(text), to->digest);
	to->name = mem_text(name);
	to->changed_ns = storage_list_changed_ns(engine->store, name);
	return 0;
}

int engine_lists_read(struct engine *engine, struct engine_lists *ret, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	struct err bad;

	int r = storage_list_names(&names, engine->store, e);
	if (r < 0)
		return r;
	ret->items = mem_new(names.count + 1, sizeof(*ret->items));
	for (size_t i = 0; i < names.count; i++)
		if (read_one(engine, names.items[i], &ret->items[ret->count], &bad) == 0)
			ret->count++;
		else if (bad.kind != ERR_NOT_FOUND)
			log_warning("manifest list %s: %s", names.items[i], bad.text);
	return 0;
}

/* ---- find ---- */

static int find_by_id(struct engine *engine, const char *prefix, struct engine_list *ret,
		      struct err *e)
{
	own_clear(engine_lists_clear) struct engine_lists all = { 0 };
	const char *hex = str_starts(prefix, "sha256:") ? prefix + strlen("sha256:") : prefix;
	struct engine_list *found = NULL;

	int r = *hex && !hex[strspn(hex, "0123456789abcdef")] ? engine_lists_read(engine, &all, e)
							      : 0;
	for (size_t i = 0; i < all.count; i++) {
		if (!str_starts(oci_digest_hex(all.items[i].digest), hex))
			continue;
		if (found && !str_equal(found->digest, all.items[i].digest))
			return err_set(e, ERR_INVALID, "%s fits several lists", prefix);
		found = found ? found : &all.items[i];
	}
	if (r < 0)
		return r;
	if (!found)
		return err_set(e, ERR_NOT_FOUND, "no such manifest list: %s", prefix);
	*ret = *found;
	*found = (struct engine_list){ 0 };
	return 0;
}

int engine_lists_find(struct engine *engine, const char *name, struct engine_list *ret,
		      struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	struct err none;

	if (image_reference_parse(&ref, name, &none) == 0) {
		own_free char *full = image_reference_format(&ref);
		if (storage_list_exists(engine->store, full)) {
			int r = read_one(engine, full, ret, e);
			return r < 0 ? err_add(e, "manifest list %s", name) : 0;
		}
	}
	return find_by_id(engine, name, ret, e);
}

bool engine_lists_name(const struct engine_list *list, const char *digest)
{
	for (size_t i = 0; i < list->index.manifests.count; i++)
		if (str_equal(list->index.manifests.items[i].digest, digest))
			return true;
	return false;
}

int engine_lists_tag(struct engine *engine, const char *name, const char *more, struct err *e)
{
	own_clear(engine_lists_clear_one) struct engine_list list = { 0 };

	own_fd int lock = storage_list_lock(engine->store, e);
	if (lock < 0)
		return lock;
	int r = engine_lists_find(engine, name, &list, e);
	if (r == 0)
		r = storage_list_write(engine->store, more, &list.index, e);
	if (r == 0)
		engine_event_image(engine, "tag", list.digest, more);
	return r;
}

/* ---- remove ---- */

static bool is_needed(struct engine *engine, const struct storage_index *index,
		      const struct engine_rows *rows, const struct strv *listed,
		      const struct storage_entry *entry)
{
	for (size_t i = 0; i < index->entries.count; i++)
		if (index->entries.items[i].reference &&
		    str_equal(index->entries.items[i].digest, entry->digest))
			return true;
	return engine_images_user(rows, entry) || engine_image_is_mounted(engine, entry->digest) ||
	       strv_contains(listed, entry->digest);
}

static int remove_images(struct engine *engine, const struct engine_list *list, struct strv *done,
			 struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	own_clear(strv_clear) struct strv listed = { 0 };
	const struct list_options all = { .all = true };

	storage_list_named(&listed, engine->store);
	int r = storage_index_read(&index, engine->store, e);
	if (r == 0)
		r = engine_list(engine, &all, &rows, e);
	if (r == 0)
		r = engine_rows_whole(&rows, e);
	for (size_t i = 0; r == 0 && i < index.entries.count; i++) {
		const struct storage_entry *entry = &index.entries.items[i];
		if (!engine_lists_name(list, entry->digest) ||
		    is_needed(engine, &index, &rows, &listed, entry))
			continue;
		r = storage_index_remove(engine->store, entry->digest, e);
		if (r == 0)
			engine_images_note_deleted(engine, entry, done);
	}
	return r;
}

/* What goes: the name that was given, or (by an id) all names of that list. */
static int find_names(struct engine *engine, const struct engine_list *list, const char *name,
		      bool force, struct strv *to, struct err *e)
{
	own_clear(engine_lists_clear) struct engine_lists all = { 0 };
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	struct err none;
	own_free char *full =
		image_reference_parse(&ref, name, &none) == 0 ? image_reference_format(&ref) : NULL;

	if (str_equal(full, list->name)) {
		strv_add(to, full);
		return 0;
	}
	int r = engine_lists_read(engine, &all, e);
	for (size_t i = 0; i < all.count; i++)
		if (str_equal(all.items[i].digest, list->digest))
			strv_add(to, all.items[i].name);
	if (r < 0 || to->count < 2 || force)
		return r;
	err_set(e, ERR_STATE, "the list has %zu names", to->count);
	return err_hint(e, "remove them one by one, or use --force");
}

static int remove_names(struct engine *engine, const struct strv *names, struct strv *done,
			struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->count; i++) {
		r = storage_list_remove(engine->store, names->items[i], e);
		if (r == 0)
			strv_addf(done, "Untagged: %s", image_reference_familiar(names->items[i]));
	}
	return r;
}

/* When its last name has gone. */
static int remove_whole(struct engine *engine, const struct engine_list *list, struct strv *done,
			struct err *e)
{
	own_clear(engine_lists_clear_one) struct engine_list same = { 0 };
	struct err none;

	if (find_by_id(engine, list->digest, &same, &none) == 0)
		return 0;
	strv_addf(done, "Deleted: %s", list->digest);
	engine_event_image(engine, "delete", list->digest, NULL);
	return remove_images(engine, list, done, e);
}

static int choose(const struct engine_list *list, const char *platform, struct err *e)
{
	own_clear(oci_platform_clear) struct oci_platform want = { 0 };

	int r = oci_platform_parse(&want, platform, e);
	return r < 0 ? err_add(e, "--platform") : oci_index_choose(&list->index, &want, e);
}

/* The list with that image alone, for remove_images(). */
static void keep_only(struct engine_list *list, size_t at)
{
	struct oci_descriptor *items = list->index.manifests.items;
	struct oci_descriptor first = items[0];

	items[0] = items[at];
	items[at] = first;
	for (size_t i = 1; i < list->index.manifests.count; i++)
		shape_clear(&oci_descriptor_shape, &items[i]);
	list->index.manifests.count = 1;
}

/* Writes it without the entry. */
static int write_without(struct engine *engine, const struct engine_list *list, size_t at,
			 struct err *e)
{
	struct oci_index rest = list->index;
	own_free struct oci_descriptor *items =
		mem_new(list->index.manifests.count, sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < list->index.manifests.count; i++)
		if (i != at)
			items[count++] = list->index.manifests.items[i];
	rest.manifests.items = items;
	rest.manifests.count = count;
	return storage_list_write(engine->store, list->name, &rest, e);
}

int engine_lists_remove_platform(struct engine *engine, const char *name, const char *platform,
				 struct strv *done, struct err *e)
{
	own_clear(engine_lists_clear_one) struct engine_list list = { 0 };

	own_fd int lock = storage_list_lock(engine->store, e);
	if (lock < 0)
		return lock;
	int r = engine_lists_find(engine, name, &list, e);
	int at = r < 0 ? r : choose(&list, platform, e);
	if (at < 0)
		return r < 0 ? r : err_add(e, "%s", name);
	bool last = list.index.manifests.count == 1;
	r = last ? storage_list_remove(engine->store, list.name, e)
		 : write_without(engine, &list, (size_t)at, e);
	if (r < 0)
		return r;
	if (last)
		strv_addf(done, "Untagged: %s", image_reference_familiar(list.name));
	keep_only(&list, (size_t)at);
	return remove_images(engine, &list, done, e);
}

int engine_lists_remove(struct engine *engine, const char *name, bool force, struct strv *done,
			struct err *e)
{
	own_clear(engine_lists_clear_one) struct engine_list list = { 0 };
	own_clear(strv_clear) struct strv names = { 0 };

	own_fd int lock = storage_list_lock(engine->store, e);
	if (lock < 0)
		return lock;
	int r = engine_lists_find(engine, name, &list, e);
	if (r == 0)
		r = find_names(engine, &list, name, force, &names, e);
	if (r == 0)
		r = remove_names(engine, &names, done, e);
	if (r < 0)
		return r;
	engine_event_image(engine, "untag", list.digest, NULL);
	return remove_whole(engine, &list, done, e);
}
