#include "image/list.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/invocation.h"
#include "image/list_add.h"
#include "image/list_push.h"
#include "image/reference.h"
#include "storage/list.h"
#include "storage/store.h"

/* ---- files ---- */

int image_list_read(struct oci_index *list, const struct store *store, const char *name,
		    struct err *e)
{
	int r = storage_list_read(list, store, name, e);

	if (r < 0 && e->kind == ERR_NOT_FOUND) {
		err_set(e, ERR_NOT_FOUND, "no such manifest list: %s",
			image_reference_familiar(name));
		return err_hint(e, "make it: holm manifest create %s",
				image_reference_familiar(name));
	}
	return r < 0 ? err_add(e, "manifest list %s", image_reference_familiar(name)) : 0;
}

/* ---- what is done to one ---- */

struct doing {
	const struct image_invocation *invocation;
	char *name; /* of the list */
	struct oci_index list;
};

static void clear_doing(struct doing *d)
{
	free(d->name);
	oci_index_clear(&d->list);
}

static int add_each(struct doing *d, size_t from, struct err *e)
{
	const struct image_invocation *invocation = d->invocation;
	struct image_list_additions all = { 0 };
	int r = image_list_find(&all, invocation, invocation->operands + from, e);

	if (r == 0)
		r = image_list_add(&d->list, &all, e);
	image_list_clear_additions(&all);
	return r;
}

static int create(struct doing *d, struct err *e)
{
	const struct image_invocation *invocation = d->invocation;
	bool there = !invocation->purge && storage_list_exists(invocation->store, d->name);
	int r = 0;

	if (there && !invocation->amend) {
		err_set(e, ERR_EXISTS, "the manifest list %s is there already",
			image_reference_familiar(d->name));
		return err_hint(e, "say --amend to add to it");
	}
	if (there)
		r = image_list_read(&d->list, invocation->store, d->name, e);
	d->list.schema_version = 2;
	if (!d->list.media_type)
		d->list.media_type = mem_text(OCI_MEDIA_INDEX);
	return r < 0 ? r : add_each(d, 2, e);
}

static int add(struct doing *d, struct err *e)
{
	int r = image_list_read(&d->list, d->invocation->store, d->name, e);

	return r < 0 ? r : add_each(d, 2, e);
}

/* By digest, or by the name that it was added by. */
static int find_entry(const struct doing *d, struct err *e)
{
	const char *wanted = d->invocation->operands[2];
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	struct err ignored;
	own_free char *full = image_reference_parse(&ref, wanted, &ignored) == 0
				      ? image_reference_format(&ref)
				      : NULL;

	for (size_t i = 0; i < d->list.manifests.count; i++) {
		const struct oci_descriptor *m = &d->list.manifests.items[i];
		const char *name = shape_map_get(&m->annotations, STORAGE_LIST_NAME);
		if (str_equal(m->digest, wanted) || (full && str_equal(name, full)))
			return (int)i;
	}
	return err_set(e, ERR_NOT_FOUND, "%s is not in the manifest list", wanted);
}

static int annotate(struct doing *d, struct err *e)
{
	int r = image_list_read(&d->list, d->invocation->store, d->name, e);

	if (r == 0)
		r = find_entry(d, e);
	return r < 0 ? r
		     : image_list_change(&d->list.manifests.items[r], &d->invocation->changes, e);
}

static int take_out(struct doing *d, struct err *e)
{
	int r = image_list_read(&d->list, d->invocation->store, d->name, e);

	if (r == 0)
		r = find_entry(d, e);
	if (r < 0)
		return r;
	struct oci_descriptor *items = d->list.manifests.items;
	shape_clear(&oci_descriptor_shape, &items[r]);
	d->list.manifests.count--;
	memmove(&items[r], &items[r + 1], (d->list.manifests.count - (size_t)r) * sizeof(*items));
	return 0;
}

static int change(struct doing *d, int (*how)(struct doing *d, struct err *e), struct err *e)
{
	const struct store *store = d->invocation->store;

	own_fd int lock = storage_list_lock(store, e);
	if (lock < 0)
		return lock;
	int r = how(d, e);
	return r < 0 ? r : storage_list_write(store, d->name, &d->list, e);
}

static int inspect(struct doing *d, struct err *e)
{
	int r = image_list_read(&d->list, d->invocation->store, d->name, e);

	if (r < 0 && e->kind == ERR_NOT_FOUND)
		return image_list_inspect_remote(d->invocation, e);
	if (r < 0)
		return r;
	own_free char *text = storage_list_text(&d->list);
	own_json struct json_object *object = NULL;
	r = json_parse(&object, text, strlen(text), "manifest list", e);
	if (r < 0)
		return r;
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_SPACED |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}

static int push(struct doing *d, struct err *e)
{
	const struct image_invocation *invocation = d->invocation;
	int r = image_list_read(&d->list, invocation->store, d->name, e);

	return r < 0 ? r
		     : image_list_push(invocation, &d->list,
				       invocation->count > 2 ? invocation->operands[2] : d->name,
				       e);
}

static int exists(struct doing *d, struct err *e)
{
	return image_list_read(&d->list, d->invocation->store, d->name, e);
}

static const struct verb {
	const char *name;
	int (*run)(struct doing *d, struct err *e);
	bool changes;
	size_t min, max; /* operands, with the verb and the list's name */
} verbs[] = {
	{ "create", create, true, 2, 4096 },  { "add", add, true, 3, 4096 },
	{ "annotate", annotate, true, 3, 3 }, { "remove", take_out, true, 3, 3 },
	{ "inspect", inspect, false, 2, 2 },  { "push", push, false, 2, 3 },
	{ "exists", exists, false, 2, 2 },
};

static int name_of(char **ret, const char *text, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	int r = image_reference_parse(&ref, text, e);

	if (r == 0)
		*ret = image_reference_format(&ref);
	return r;
}

int image_list_verb(const struct image_invocation *invocation, struct err *e)
{
	own_clear(clear_doing) struct doing d = { .invocation = invocation };

	for (size_t i = 0; invocation->count && i < COUNT_OF(verbs); i++) {
		const struct verb *verb = &verbs[i];
		if (!str_equal(verb->name, invocation->operands[0]) ||
		    invocation->count < verb->min || invocation->count > verb->max)
			continue;
		int r = name_of(&d.name, invocation->operands[1], e);
		if (r < 0)
			return r;
		return verb->changes ? change(&d, verb->run, e) : verb->run(&d, e);
	}
	return err_set(e, ERR_INVALID, "expected a verb, a list and what belongs to it");
}
