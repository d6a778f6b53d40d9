#include "image/registries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/toml.h"

struct mirror {
	char *location;
	bool insecure;
	char *pull; /* "all", "digest-only", "tag-only" */
};

struct registry {
	char *prefix;
	char *location;
	bool insecure, blocked, mirror_by_digest;
	SHAPE_LIST_OF(struct mirror) mirrors;
};

struct document {
	SHAPE_LIST_OF(struct registry) registries;
	struct shape_map aliases;
	char *short_names;
	struct json_object *version_1; /* its one table */
};

struct image_registries {
	SHAPE_LIST_OF(struct registry) registries;
	struct strv search;
	bool search_given;
	struct shape_map aliases;
	enum image_short_names short_names;
};

static const struct shape mirror_shape = {
	sizeof(struct mirror),
	(const struct shape_field[]){
		{ "location", SHAPE_STRING, offsetof(struct mirror, location) },
		{ "insecure", SHAPE_BOOL, offsetof(struct mirror, insecure) },
		{ "pull-from-mirror", SHAPE_STRING, offsetof(struct mirror, pull) },
		{ 0 },
	},
};

static const struct shape registry_shape = {
	sizeof(struct registry),
	(const struct shape_field[]){
		{ "prefix", SHAPE_STRING, offsetof(struct registry, prefix) },
		{ "location", SHAPE_STRING, offsetof(struct registry, location) },
		{ "insecure", SHAPE_BOOL, offsetof(struct registry, insecure) },
		{ "blocked", SHAPE_BOOL, offsetof(struct registry, blocked) },
		{ "mirror-by-digest-only", SHAPE_BOOL,
		  offsetof(struct registry, mirror_by_digest) },
		{ "mirror", SHAPE_LIST, offsetof(struct registry, mirrors), &mirror_shape },
		{ 0 },
	},
};

struct search {
	struct strv items;
};

static const struct shape document_shape = {
	sizeof(struct document),
	(const struct shape_field[]){
		{ "registry", SHAPE_LIST, offsetof(struct document, registries), &registry_shape },
		{ "aliases", SHAPE_MAP, offsetof(struct document, aliases) },
		{ "short-name-mode", SHAPE_STRING, offsetof(struct document, short_names) },
		{ "registries", SHAPE_ANY, offsetof(struct document, version_1) },
		{ 0 },
	},
};

/* Apart from the rest because an empty list says something that an absent one does not. */
static const struct shape search_shape = {
	sizeof(struct search),
	(const struct shape_field[]){
		{ "unqualified-search-registries", SHAPE_STRINGS, offsetof(struct search, items) },
		{ 0 },
	},
};

static const struct shape kept_shape = {
	sizeof(struct image_registries),
	(const struct shape_field[]){
		{ "registry", SHAPE_LIST, offsetof(struct image_registries, registries),
		  &registry_shape },
		{ "search", SHAPE_STRINGS, offsetof(struct image_registries, search) },
		{ "aliases", SHAPE_MAP, offsetof(struct image_registries, aliases) },
		{ 0 },
	},
};

struct image_registries *image_registries_new(void)
{
	return mem_new_struct(struct image_registries);
}

void image_registries_free(struct image_registries *registries)
{
	shape_clear(&kept_shape, registries);
	free(registries);
}

void image_registries_clear_references(struct image_references *references)
{
	for (size_t i = 0; i < references->items.count; i++)
		image_reference_clear(&references->items.items[i]);
	free(references->items.items);
	*references = (struct image_references){ 0 };
}

void image_registries_clear_endpoints(struct image_endpoints *endpoints)
{
	for (size_t i = 0; i < endpoints->items.count; i++) {
		free(endpoints->items.items[i].host);
		free(endpoints->items.items[i].path);
	}
	free(endpoints->items.items);
	*endpoints = (struct image_endpoints){ 0 };
}

enum image_short_names image_registries_short_names(const struct image_registries *registries)
{
	return registries->short_names;
}

static int check_registry(struct registry *r, const char *what, struct err *e)
{
	if (str_empty(r->prefix))
		mem_replace(&r->prefix, r->location);
	if (str_empty(r->prefix))
		return err_set(e, ERR_INVALID, "%s: [[registry]] with neither prefix nor location",
			       what);
	if (str_empty(r->location) && !str_starts(r->prefix, "*."))
		mem_replace(&r->location, r->prefix);
	for (size_t i = 0; i < r->mirrors.count; i++) {
		const struct mirror *mirror = &r->mirrors.items[i];
		if (str_empty(mirror->location))
			return err_set(e, ERR_INVALID, "%s: mirror of %s without a location", what,
				       r->prefix);
		if (mirror->pull && !str_equal(mirror->pull, "all") &&
		    !str_equal(mirror->pull, "digest-only") && !str_equal(mirror->pull, "tag-only"))
			return err_set(e, ERR_INVALID, "%s: pull-from-mirror \"%.40s\"", what,
				       mirror->pull);
	}
	return 0;
}

/* A later file's registry takes the place of an earlier one with the same prefix. */
static void put_registry(struct image_registries *kept, struct registry *r)
{
	for (size_t i = 0; i < kept->registries.count; i++) {
		struct registry *old = &kept->registries.items[i];
		if (!str_equal(old->prefix, r->prefix))
			continue;
		shape_clear(&registry_shape, old);
		*old = *r;
		*r = (struct registry){ 0 };
		return;
	}
	*shape_list_add(&kept->registries) = *r;
	*r = (struct registry){ 0 };
}

static int put_mode(struct image_registries *kept, const char *mode, const char *what,
		    struct err *e)
{
	static const char *const names[] = { "permissive", "enforcing", "disabled" };

	for (size_t i = 0; mode && i < COUNT_OF(names); i++)
		if (str_equal(mode, names[i])) {
			kept->short_names = (enum image_short_names)i;
			return 0;
		}
	return mode ? err_set(e, ERR_INVALID, "%s: short-name-mode \"%.40s\"", what, mode) : 0;
}

static int merge(struct image_registries *kept, struct document *d, const char *what, struct err *e)
{
	if (d->version_1) {
		err_set(e, ERR_UNSUPPORTED, "%s: this is version 1 of the format", what);
		return err_hint(e,
				"write version 2: unqualified-search-registries and [[registry]]");
	}
	for (size_t i = 0; i < d->registries.count; i++) {
		int r = check_registry(&d->registries.items[i], what, e);
		if (r < 0)
			return r;
		put_registry(kept, &d->registries.items[i]);
	}
	for (size_t i = 0; i < d->aliases.count; i++)
		shape_map_set(&kept->aliases, d->aliases.items[i].key, d->aliases.items[i].value);
	return put_mode(kept, d->short_names, what, e);
}

static int merge_search(struct image_registries *kept, struct json_object *object, struct err *e)
{
	struct search search = { 0 };

	if (!json_object_object_get_ex(object, "unqualified-search-registries", NULL))
		return 0;
	int r = shape_read(&search_shape, object, &search, e);
	if (r < 0)
		return r;
	strv_clear(&kept->search);
	kept->search = search.items;
	kept->search_given = true;
	return 0;
}

int image_registries_add(struct image_registries *registries, const char *text, size_t length,
			 const char *what, struct err *e)
{
	own_json struct json_object *object = NULL;
	struct document d = { 0 };
	int r = image_toml_parse(&object, text, length, what, e);

	if (r < 0)
		return r;
	r = shape_read(&document_shape, object, &d, e);
	if (r < 0)
		return err_add(e, "%s", what);
	r = merge(registries, &d, what, e);
	shape_clear(&document_shape, &d);
	if (r == 0 && (r = merge_search(registries, object, e)) < 0)
		return err_add(e, "%s", what);
	return r;
}

/* -ENOENT if it is not there. */
static int add_file(struct image_registries *registries, const char *path, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_sys(e, "open %s", path);
	int r = fd_read_all(fd, IMAGE_TOML_BYTES_MAX, &text, e);
	if (r < 0)
		return err_add(e, "read %s", path);
	return image_registries_add(registries, text.text ? text.text : "", text.length, path, e);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_folder(struct image_registries *registries, const char *folder, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	own_dir DIR *dir = opendir(folder);

	if (!dir)
		return 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (str_ends(entry->d_name, ".conf"))
			strv_add_take(&names, path_join(folder, entry->d_name));
	if (names.count)
		qsort(names.items, names.count, sizeof(char *), compare_names);
	for (size_t i = 0; i < names.count; i++) {
		int r = add_file(registries, names.items[i], e);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static char *user_folder(void)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (!str_empty(config))
		return path_join(config, "containers");
	return str_empty(home) ? mem_text("/nonexistent") : path_join(home, ".config/containers");
}

static int load(struct image_registries *registries, struct err *e)
{
	const char *only = getenv("CONTAINERS_REGISTRIES_CONF");
	own_free char *user = user_folder();
	own_free char *user_file = path_join(user, "registries.conf");
	own_free char *user_drop = path_join(user, "registries.conf.d");

	if (!str_empty(only))
		return add_file(registries, only, e);
	int r = add_file(registries, user_file, e);
	if (r == -ENOENT || r == -EACCES)
		r = add_file(registries, "/etc/containers/registries.conf", e);
	if (r < 0 && r != -ENOENT)
		return r;
	r = add_folder(registries, "/etc/containers/registries.conf.d", e);
	return r < 0 ? r : add_folder(registries, user_drop, e);
}

int image_registries_load(struct image_registries **ret, struct err *e)
{
	own(image_registries_free) struct image_registries *registries = image_registries_new();
	int r = load(registries, e);

	if (r < 0)
		return r;
	*ret = take_ptr(&registries);
	return 0;
}

/* registry/path with ref's tag and digest. */
static int add_candidate(struct image_references *ret, const char *name,
			 const struct image_reference *ref, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference candidate = { 0 };
	int r = image_reference_parse(&candidate, name, e);

	if (r < 0)
		return r;
	mem_replace(&candidate.tag, ref->tag);
	mem_replace(&candidate.digest, ref->digest);
	*shape_list_add(&ret->items) = candidate;
	candidate = (struct image_reference){ 0 };
	return 0;
}

static const char *typed_path(const struct image_reference *ref)
{
	return str_starts(ref->path, "library/") ? ref->path + strlen("library/") : ref->path;
}

static int add_candidates(const struct image_registries *registries,
			  const struct image_reference *ref, struct image_references *ret,
			  struct err *e)
{
	const char *alias = shape_map_get(&registries->aliases, typed_path(ref));

	if (!str_empty(alias))
		return add_candidate(ret, alias, ref, e);
	for (size_t i = 0; i < registries->search.count; i++) {
		own_free char *name =
			mem_format("%s/%s", registries->search.items[i], typed_path(ref));
		int r = add_candidate(ret, name, ref, e);
		if (r < 0)
			return err_add(e, "unqualified-search-registries");
	}
	return 0;
}

int image_registries_expand(const struct image_registries *registries,
			    const struct image_reference *ref, struct image_references *ret,
			    struct err *e)
{
	struct image_references list = { 0 };

	if (!ref->domain_given) {
		int r = add_candidates(registries, ref, &list, e);
		if (r < 0) {
			image_registries_clear_references(&list);
			return r;
		}
		if (!list.items.count && registries->search_given) {
			err_set(e, ERR_NOT_FOUND,
				"short name \"%s\": registries.conf names no "
				"registry to look in",
				typed_path(ref));
			return err_hint(e, "write it with its registry: docker.io/%s", ref->path);
		}
	}
	if (!list.items.count)
		image_reference_copy(shape_list_add(&list.items), ref);
	*ret = list;
	return 0;
}

/* How many bytes of name prefix stands for; 0: it does not fit. "*.a.b/c" stands for any host below
 * a.b, and then for /c. */
static size_t match_length(const char *prefix, const char *name)
{
	const char *rest = name;

	if (str_starts(prefix, "*.")) {
		size_t host = strcspn(name, "/");
		const char *suffix = prefix + 1;
		size_t suffix_host = strcspn(suffix, "/");
		if (host <= suffix_host ||
		    strncasecmp(name + host - suffix_host, suffix, suffix_host) != 0)
			return 0;
		rest = name + host;
		prefix = suffix + suffix_host;
	}
	size_t length = strlen(prefix);
	if (strncmp(rest, prefix, length) != 0)
		return 0;
	rest += length;
	return *rest == '\0' || *rest == '/' ? (size_t)(rest - name) : 0;
}

static const struct registry *find_registry(const struct image_registries *registries,
					    const char *name, size_t *matched)
{
	const struct registry *best = NULL;

	*matched = 0;
	for (size_t i = 0; i < registries->registries.count; i++) {
		const struct registry *r = &registries->registries.items[i];
		size_t length = match_length(r->prefix, name);
		bool longer = best && strlen(r->prefix) > strlen(best->prefix);
		if (!length || (best && !longer))
			continue;
		best = r;
		*matched = length;
	}
	return best;
}

/* Puts location in the place of the matched part of name, and splits. */
static int add_endpoint(struct image_endpoints *ret, const char *location, const char *name,
			size_t matched, bool insecure, bool mirror, struct err *e)
{
	own_free char *full =
		str_empty(location) ? mem_text(name) : mem_format("%s%s", location, name + matched);
	const char *slash = strchr(full, '/');

	if (!slash || slash == full || !slash[1] || strlen(full) > 2 * IMAGE_NAME_MAX ||
	    strpbrk(full, " \t\r\n?#@\\"))
		return err_set(e, ERR_INVALID, "registries.conf makes \"%.300s\" of %s", full,
			       name);
	*shape_list_add(&ret->items) =
		(struct image_endpoint){ mem_text_n(full, (size_t)(slash - full)),
					 mem_text(slash + 1), insecure, mirror };
	return 0;
}

static bool mirror_serves(const struct registry *r, const struct mirror *mirror, bool by_digest)
{
	if (r->mirror_by_digest || str_equal(mirror->pull, "digest-only"))
		return by_digest;
	return !str_equal(mirror->pull, "tag-only") || !by_digest;
}

static int add_endpoints(const struct registry *r, const char *name, size_t matched, bool by_digest,
			 struct image_endpoints *ret, struct err *e)
{
	for (size_t i = 0; i < r->mirrors.count; i++) {
		const struct mirror *mirror = &r->mirrors.items[i];
		if (!mirror_serves(r, mirror, by_digest))
			continue;
		int result = add_endpoint(ret, mirror->location, name, matched, mirror->insecure,
					  true, e);
		if (result < 0)
			return result;
	}
	return add_endpoint(ret, r->location, name, matched, r->insecure, false, e);
}

int image_registries_endpoints(const struct image_registries *registries,
			       const struct image_reference *ref, struct image_endpoints *ret,
			       struct err *e)
{
	own_free char *name = image_reference_name(ref);
	struct image_endpoints list = { 0 };
	size_t matched;
	const struct registry *registry = find_registry(registries, name, &matched);
	int r;

	if (!registry)
		r = add_endpoint(&list, NULL, name, 0, false, false, e);
	else if (registry->blocked)
		r = err_set(e, ERR_PERMISSION, "registries.conf blocks %s", registry->prefix);
	else
		r = add_endpoints(registry, name, matched, ref->digest != NULL, &list, e);
	if (r < 0) {
		image_registries_clear_endpoints(&list);
		return r;
	}
	*ret = list;
	return 0;
}
