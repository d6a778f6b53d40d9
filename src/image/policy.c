#include "image/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/strv.h"
#include "image/reference.h"

/* One scope: transport "" is the file's default, scope "" the transport's. */
struct rule {
	char *transport, *scope;
	struct image_policy_requirements requirements;
};

struct image_policy {
	SHAPE_LIST_OF(struct rule) rules;
};

static void clear_requirement(struct image_policy_requirement *q)
{
	strv_clear(&q->key_paths);
	free(q->key_data);
	free(q->name);
	free(q->signed_prefix);
}

void image_policy_free(struct image_policy *policy)
{
	for (size_t i = 0; i < policy->rules.count; i++) {
		struct rule *rule = &policy->rules.items[i];
		for (size_t k = 0; k < rule->requirements.items.count; k++)
			clear_requirement(&rule->requirements.items.items[k]);
		free(rule->requirements.items.items);
		free(rule->transport);
		free(rule->scope);
	}
	free(policy->rules.items);
	free(policy);
}

/* ---- reading ---- */

static int wrong(struct err *e, const char *what, const char *where)
{
	return err_set(e, ERR_INVALID, "%s%s%s", where, *where ? ": " : "", what);
}

/* Every member has to be among the words: what is not understood may be what matters. */
static int check_members(struct json_object *object, const char *words, const char *where,
			 struct err *e)
{
	own_clear(strv_clear) struct strv known = { 0 };

	if (!json_object_is_type(object, json_type_object))
		return wrong(e, "not an object", where);
	strv_split(&known, words, ' ');
	json_object_object_foreach (object, name, value) {
		(void)value;
		if (!strv_contains(&known, name))
			return err_set(e, ERR_INVALID, "%s: \"%.80s\" is not understood", where,
				       name);
	}
	return 0;
}

/* A member that is a string, or is not there: NULL. */
static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *member = NULL;

	if (!json_object_object_get_ex(object, name, &member) ||
	    !json_object_is_type(member, json_type_string) ||
	    strlen(json_object_get_string(member)) != (size_t)json_object_get_string_len(member))
		return NULL;
	return json_object_get_string(member);
}

static const struct identity {
	const char *type, *members;
	const char *name; /* the member that becomes name; NULL: none */
	enum image_policy_match match;
} identities[] = {
	{ "matchRepoDigestOrExact", "type", NULL, IMAGE_POLICY_REPO_DIGEST_OR_EXACT },
	{ "matchExact", "type", NULL, IMAGE_POLICY_EXACT },
	{ "matchRepository", "type", NULL, IMAGE_POLICY_REPOSITORY },
	{ "exactReference", "type dockerReference", "dockerReference",
	  IMAGE_POLICY_EXACT_REFERENCE },
	{ "exactRepository", "type dockerRepository", "dockerRepository",
	  IMAGE_POLICY_EXACT_REPOSITORY },
	{ "remapIdentity", "type prefix signedPrefix", "prefix", IMAGE_POLICY_REMAP },
};

static int read_identity(struct image_policy_requirement *q, struct json_object *object,
			 const char *where, struct err *e)
{
	const char *type = text_of(object, "type");

	for (size_t i = 0; type && i < COUNT_OF(identities); i++) {
		const struct identity *identity = &identities[i];
		if (!str_equal(identity->type, type))
			continue;
		int r = check_members(object, identity->members, where, e);
		if (r < 0)
			return r;
		q->match = identity->match;
		q->name = identity->name ? mem_text(text_of(object, identity->name)) : NULL;
		q->signed_prefix = mem_text(text_of(object, "signedPrefix"));
		if ((identity->name && str_empty(q->name)) ||
		    (q->match == IMAGE_POLICY_REMAP && str_empty(q->signed_prefix)))
			return wrong(e, "signedIdentity lacks a name", where);
		return 0;
	}
	return wrong(e, "signedIdentity of a type that is not understood", where);
}

static int read_key_paths(struct strv *to, struct json_object *array, const char *where,
			  struct err *e)
{
	if (!json_object_is_type(array, json_type_array))
		return wrong(e, "keyPaths is not an array", where);
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *path = json_object_array_get_idx(array, i);
		if (!json_object_is_type(path, json_type_string))
			return wrong(e, "keyPaths: not a path", where);
		strv_add(to, json_object_get_string(path));
	}
	return 0;
}

static int read_signed(struct image_policy_requirement *q, struct json_object *object,
		       const char *where, struct err *e)
{
	struct json_object *paths = NULL, *identity = NULL;
	const char *path = text_of(object, "keyPath");
	int r = check_members(object, "type keyType keyPath keyPaths keyData signedIdentity", where,
			      e);

	if (r < 0)
		return r;
	if (!str_equal(text_of(object, "keyType"), "GPGKeys"))
		return wrong(e, "keyType is not GPGKeys", where);
	q->key_data = mem_text(text_of(object, "keyData"));
	bool many = json_object_object_get_ex(object, "keyPaths", &paths);
	if (!!path + many + !!q->key_data != 1)
		return wrong(e, "exactly one of keyPath, keyPaths and keyData is wanted", where);
	if (path)
		strv_add(&q->key_paths, path);
	if (many)
		r = read_key_paths(&q->key_paths, paths, where, e);
	if (r == 0 && json_object_object_get_ex(object, "signedIdentity", &identity))
		r = read_identity(q, identity, where, e);
	return r;
}

static int read_requirement(struct image_policy_requirement *q, struct json_object *object,
			    const char *where, struct err *e)
{
	const char *type = text_of(object, "type");

	if (str_equal(type, "signedBy")) {
		q->kind = IMAGE_POLICY_SIGNED;
		return read_signed(q, object, where, e);
	}
	if (str_equal(type, "sigstoreSigned")) {
		q->kind = IMAGE_POLICY_UNSUPPORTED;
		return 0;
	}
	q->kind = str_equal(type, "reject") ? IMAGE_POLICY_REJECT : IMAGE_POLICY_ACCEPT;
	if (q->kind == IMAGE_POLICY_ACCEPT && !str_equal(type, "insecureAcceptAnything"))
		return wrong(e, "a requirement of a type that is not understood", where);
	return check_members(object, "type", where, e);
}

static int add_rule(struct image_policy *policy, const char *transport, const char *scope,
		    struct json_object *array, struct err *e)
{
	struct rule *rule = shape_list_add(&policy->rules);
	own_free char *where =
		*transport ? mem_format("transports: %.40s: \"%.200s\"", transport, scope)
			   : mem_text("default");

	rule->transport = mem_text(transport);
	rule->scope = mem_text(scope);
	if (!json_object_is_type(array, json_type_array) || !json_object_array_length(array))
		return wrong(e, "not an array of requirements", where);
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		int r = read_requirement(shape_list_add(&rule->requirements.items),
					 json_object_array_get_idx(array, i), where, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_transports(struct image_policy *policy, struct json_object *transports,
			   struct err *e)
{
	if (!json_object_is_type(transports, json_type_object))
		return wrong(e, "not an object", "transports");
	json_object_object_foreach (transports, transport, scopes) {
		if (!json_object_is_type(scopes, json_type_object))
			return wrong(e, "not an object", transport);
		json_object_object_foreach (scopes, scope, array) {
			int r = add_rule(policy, transport, scope, array, e);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int image_policy_parse(struct image_policy **ret, const char *text, size_t length, const char *what,
		       struct err *e)
{
	own(image_policy_free) struct image_policy *policy = mem_new_struct(struct image_policy);
	own_json struct json_object *object = NULL;
	struct json_object *fallback = NULL, *transports = NULL;
	int r = json_parse(&object, text, length, what, e);

	if (r < 0)
		return r;
	r = check_members(object, "default transports", "its top", e);
	if (r == 0 && !json_object_object_get_ex(object, "default", &fallback))
		r = wrong(e, "there is none", "default");
	if (r == 0)
		r = add_rule(policy, "", "", fallback, e);
	if (r == 0 && json_object_object_get_ex(object, "transports", &transports))
		r = read_transports(policy, transports, e);
	if (r < 0)
		return err_add(e, "%s", what);
	*ret = take_ptr(&policy);
	return 0;
}

static int read_file(struct str *to, const char *file, struct err *e)
{
	own_fd int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "open %s", file);
	int r = fd_read_all(fd, IMAGE_POLICY_BYTES_MAX, to, e);
	return r < 0 ? err_add(e, "read %s", file) : 0;
}

int image_policy_read(struct str *to, char **ret_file, const char *file, struct err *e)
{
	const char *home = getenv("HOME");
	own_free char *user_file =
		mem_format("%s/.config/containers/policy.json", home ? home : "");
	const char *files[] = { user_file, "/etc/containers/policy.json" };

	*ret_file = mem_text(file);
	if (file)
		return read_file(to, file, e);
	for (size_t i = str_empty(home) ? 1 : 0; i < COUNT_OF(files); i++) {
		int r = read_file(to, files[i], e);
		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		*ret_file = mem_text(files[i]);
		return r;
	}
	return 0;
}

int image_policy_load(struct image_policy **ret, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_free char *file = NULL;

	*ret = NULL;
	int r = image_policy_read(&text, &file, NULL, e);
	if (r < 0 || !file)
		return r;
	return image_policy_parse(ret, text.text ? text.text : "", text.length, file, e);
}

/* ---- which rule ---- */

bool image_policy_rule(struct image_policy_rule *ret, const struct image_policy *policy, size_t i)
{
	if (i >= policy->rules.count)
		return false;
	const struct rule *rule = &policy->rules.items[i];
	*ret = (struct image_policy_rule){ rule->transport, rule->scope, &rule->requirements };
	return true;
}

static const struct image_policy_requirements *find_rule(const struct image_policy *policy,
							 const char *transport, const char *scope)
{
	for (size_t i = 0; i < policy->rules.count; i++) {
		const struct rule *rule = &policy->rules.items[i];
		if (str_equal(rule->transport, transport) && str_equal(rule->scope, scope))
			return &rule->requirements;
	}
	return NULL;
}

const struct image_policy_requirements *image_policy_find(const struct image_policy *policy,
							  const char *transport,
							  const struct strv *scopes)
{
	const struct image_policy_requirements *found = NULL;

	for (size_t i = 0; !found && i < scopes->count; i++)
		found = find_rule(policy, transport, scopes->items[i]);
	if (!found)
		found = find_rule(policy, transport, "");
	return found ? found : find_rule(policy, "", "");
}

/* text, and then without its last part, and so on, as long as anything is left. */
static void add_parents(struct strv *to, const char *text)
{
	own_free char *part = mem_text(text);

	for (;;) {
		if (*part)
			strv_add(to, part);
		char *slash = strrchr(part, '/');
		if (!slash)
			return;
		*slash = '\0';
	}
}

void image_policy_scopes(struct strv *to, const struct image_reference *ref)
{
	own_free char *name = image_reference_name(ref);

	strv_add_take(to, image_reference_format(ref));
	add_parents(to, name);
	for (const char *dot = strchr(ref->domain, '.'); dot; dot = strchr(dot + 1, '.'))
		strv_addf(to, "*%s", dot);
}

void image_policy_path_scopes(struct strv *to, const char *path, const char *name)
{
	if (name)
		strv_addf(to, "%s:%s", path, name);
	add_parents(to, path);
}

/* ---- whose name ---- */

/* Neither tag nor digest. */
static bool is_bare(const char *name)
{
	const char *slash = strrchr(name, '/');

	return !strchr(name, '@') && !strchr(slash ? slash : name, ':');
}

static bool same_name(const struct image_reference *a, const struct image_reference *b)
{
	return str_equal(a->domain, b->domain) && str_equal(a->path, b->path);
}

static bool same(const struct image_reference *a, const struct image_reference *b)
{
	return same_name(a, b) && str_equal(a->digest, b->digest) &&
	       (a->digest || str_equal(a->tag, b->tag));
}

/* The text has to be a whole name, as people may have typed it: its shortest form is not needed. */
static bool parse(struct image_reference *to, const char *text)
{
	struct err ignored;

	return image_reference_parse(to, text, &ignored) == 0;
}

static bool repo_digest_or_exact(const struct image_reference *ref,
				 const struct image_reference *signed_ref, const char *is)
{
	if (is_bare(is))
		return false;
	return ref->digest ? same_name(ref, signed_ref) : same(ref, signed_ref);
}

/* "example.com/mirror/x" for prefix "example.com/mirror" is signed_prefix and "/x". */
static bool remap(struct image_reference *to, const struct image_policy_requirement *q,
		  const struct image_reference *ref)
{
	own_free char *name = image_reference_name(ref);
	own_free char *full = image_reference_format(ref);
	size_t length = strlen(q->name);

	if (strncmp(name, q->name, length) != 0 || (name[length] != '\0' && name[length] != '/')) {
		image_reference_copy(to, ref);
		return true;
	}
	own_free char *mapped = mem_format("%s%s", q->signed_prefix, full + length);
	return parse(to, mapped);
}

bool image_policy_matches(const struct image_policy_requirement *q,
			  const struct image_reference *ref, const char *is)
{
	own_clear(image_reference_clear) struct image_reference signed_ref = { 0 };
	own_clear(image_reference_clear) struct image_reference other = { 0 };

	if (!parse(&signed_ref, is))
		return false;
	switch (q->match) {
	case IMAGE_POLICY_REPO_DIGEST_OR_EXACT:
		return repo_digest_or_exact(ref, &signed_ref, is);
	case IMAGE_POLICY_EXACT:
		return !is_bare(is) && same(ref, &signed_ref);
	case IMAGE_POLICY_REPOSITORY:
		return same_name(ref, &signed_ref);
	case IMAGE_POLICY_EXACT_REFERENCE:
		return !is_bare(is) && !is_bare(q->name) && parse(&other, q->name) &&
		       same(&other, &signed_ref);
	case IMAGE_POLICY_EXACT_REPOSITORY:
		return parse(&other, q->name) && same_name(&other, &signed_ref);
	case IMAGE_POLICY_REMAP:
		return remap(&other, q, ref) && repo_digest_or_exact(&other, &signed_ref, is);
	}
	return false;
}
