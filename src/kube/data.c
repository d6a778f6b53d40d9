#include "kube/data.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "image/base64.h"
#include "storage/secret.h"

static int check_key(const struct kube_pair *pair, const char *file, struct err *e)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-_.";
	size_t length = strlen(pair->key);

	if (length && length <= STORAGE_SECRET_NAME_MAX && strspn(pair->key, good) == length &&
	    strcmp(pair->key, ".") != 0 && strcmp(pair->key, "..") != 0)
		return 0;
	return err_set(e, ERR_INVALID, "%s:%u: the key '%s': letters, digits, '-', '_' and '.'",
		       file, pair->line, pair->key);
}

static int add(struct kube_data *to, struct pool *pool, const struct kube_pair *pair, bool encoded,
	       const char *file, struct err *e)
{
	own_clear(str_clear) struct str bytes = { 0 };

	int r = check_key(pair, file, e);
	if (r < 0)
		return r;
	if (!encoded)
		str_add(&bytes, pair->value);
	else if (image_base64_decode(&bytes, pair->value) < 0)
		return err_set(e, ERR_INVALID, "%s:%u: %s: it is no base64", file, pair->line,
			       pair->key);
	struct kube_datum *datum = NULL;
	for (size_t i = 0; i < to->count; i++)
		if (!strcmp(to->items[i].key, pair->key))
			datum = &to->items[i];
	if (!datum)
		datum = &to->items[to->count++];
	*datum = (struct kube_datum){
		.key = pair->key,
		.bytes = pool_text(pool, bytes.text ? bytes.text : "", bytes.length),
		.length = bytes.length,
		.line = pair->line,
	};
	return 0;
}

/* As the API has it, stringData counts more than data. */
static int read_object(struct kube_data *to, struct pool *pool, const struct kube_entry *entry,
		       struct err *e)
{
	const struct kube_object *object = entry->object;
	bool secret = !strcmp(object->kind, "Secret");
	int r = 0;

	to->items = pool_new(pool, object->data.count + object->more.count + 1, sizeof(*to->items));
	for (size_t i = 0; r == 0 && i < object->data.count; i++)
		r = add(to, pool, &object->data.items[i], true, entry->file, e);
	for (size_t i = 0; r == 0 && i < object->more.count; i++)
		r = add(to, pool, &object->more.items[i], false, entry->file, e);
	for (size_t i = 0; r == 0 && secret && i < to->count; i++)
		to->items[i].secret =
			pool_format(pool, "%s.%s", object->metadata->name, to->items[i].key);
	return r;
}

/* ---- of the store ---- */

/* A secret NAME alone has one key, its name. */
static const char *key_of(const struct storage_secret *secret, const char *name)
{
	size_t length = strlen(name);

	if (!strcmp(secret->name, name))
		return name;
	if (strncmp(secret->name, name, length) != 0 || secret->name[length] != '.')
		return NULL;
	return secret->name + length + 1;
}

static int add_stored(struct kube_data *to, const struct kube_data_source *source,
		      const struct storage_secret *secret, const char *key, struct err *e)
{
	struct pool *pool = &source->set->pool;
	own_clear(str_clear) struct str bytes = { 0 };

	int r = storage_secret_read(&bytes, source->store, secret, e);
	if (r < 0)
		return r;
	to->items[to->count++] = (struct kube_datum){
		.key = pool_text(pool, key, strlen(key)),
		.bytes = pool_text(pool, bytes.text ? bytes.text : "", bytes.length),
		.length = bytes.length,
		.secret = pool_text(pool, secret->name, strlen(secret->name)),
	};
	return 0;
}

static int read_store(struct kube_data *to, const struct kube_data_source *source, const char *name,
		      struct err *e)
{
	own_clear(storage_secrets_clear) struct storage_secrets all = { 0 };

	int r = storage_secret_list(&all, source->store, e);
	if (r < 0)
		return r;
	to->items = pool_new(&source->set->pool, all.items.count + 1, sizeof(*to->items));
	for (size_t i = 0; r == 0 && i < all.items.count; i++) {
		const char *key = key_of(&all.items.items[i], name);
		if (key)
			r = add_stored(to, source, &all.items.items[i], key, e);
	}
	return r;
}

/* ---- both ---- */

struct kube_known {
	struct kube_known *next;
	const char *kind, *name;
	struct kube_data data;
};

static const struct kube_known *find_known(const struct kube_set *set, const char *kind,
					   const char *name)
{
	const struct kube_known *known = set->known;

	while (known && (strcmp(known->kind, kind) != 0 || strcmp(known->name, name) != 0))
		known = known->next;
	return known;
}

static void remember(struct kube_set *set, const char *kind, const char *name,
		     const struct kube_data *data)
{
	struct kube_known *known = pool_new(&set->pool, 1, sizeof(*known));

	*known = (struct kube_known){ set->known, kind, name, *data };
	set->known = known;
}

int kube_data_of(struct kube_data *ret, const struct kube_data_source *source, const char *kind,
		 const char *name, struct err *e)
{
	const struct kube_known *known = find_known(source->set, kind, name);
	const struct kube_entry *entry = kube_set_find(source->set, kind, name);
	int r = 0;

	*ret = known ? known->data : (struct kube_data){ 0 };
	if (known)
		return 0;
	if (entry)
		r = read_object(ret, &source->set->pool, entry, e);
	else if (!strcmp(kind, "Secret") && source->store)
		r = read_store(ret, source, name, e);
	if (r < 0)
		return r;
	if (entry || ret->count) {
		remember(source->set, kind, name, ret);
		return 0;
	}
	err_set(e, ERR_NOT_FOUND, "there is no %s %s", kind, name);
	if (!strcmp(kind, "Secret"))
		return err_hint(e, "it goes into the file, or holm secret create %s.KEY FILE",
				name);
	return err_hint(e, "it goes into the file, or --configmap names its file");
}

const struct kube_datum *kube_data_find(const struct kube_data *data, const char *key)
{
	for (size_t i = 0; i < data->count; i++)
		if (!strcmp(data->items[i].key, key))
			return &data->items[i];
	return NULL;
}
