#include "build/mount.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"

static const char *const types[] = { "bind", "cache", "tmpfs", "secret", "ssh" };
static const char *const sharings[] = { "shared", "private", "locked" };

void build_mount_clear(struct build_mount *mount)
{
	free(mount->id);
	free(mount->target);
	free(mount->source);
	free(mount->from);
	free(mount->env);
	*mount = (struct build_mount){ 0 };
}

static int find_word(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(words[i], word))
			return (int)i;
	return -1;
}

static const struct {
	const char *key;
	size_t offset;
} texts[] = {
	{ "id", offsetof(struct build_mount, id) },
	{ "target", offsetof(struct build_mount, target) },
	{ "dst", offsetof(struct build_mount, target) },
	{ "destination", offsetof(struct build_mount, target) },
	{ "source", offsetof(struct build_mount, source) },
	{ "src", offsetof(struct build_mount, source) },
	{ "from", offsetof(struct build_mount, from) },
	{ "env", offsetof(struct build_mount, env) },
};

static int take_flag(bool *to, const char *value, bool when_alone, struct err *e)
{
	bool yes = !value || !strcmp(value, "true") || !strcmp(value, "1");

	if (!yes && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return err_set(e, ERR_INVALID, "'%.40s' is neither true nor false", value);
	*to = yes ? when_alone : !when_alone;
	return 0;
}

static int take_mode(uint32_t *to, const char *value, struct err *e)
{
	if (!*value || strlen(value) > 5 || value[strspn(value, "01234567")])
		return err_set(e, ERR_INVALID, "mode '%.40s' is not octal", value);
	*to = (uint32_t)strtoul(value, NULL, 8);
	return 0;
}

static int take_value(struct build_mount *to, const char *key, const char *value, struct err *e)
{
	if (str_equal(key, "sharing")) {
		int found = find_word(sharings, COUNT_OF(sharings), value);
		if (found < 0)
			return err_set(e, ERR_INVALID, "sharing is shared, private or locked");
		to->sharing = (enum build_mount_sharing)found;
		return 0;
	}
	if (str_equal(key, "size"))
		return number_parse_bytes(&to->size, value, e);
	if (str_equal(key, "mode"))
		return take_mode(&to->mode, value, e);
	if (str_equal(key, "uid"))
		return number_parse_id(&to->uid, value, e);
	if (str_equal(key, "gid"))
		return number_parse_id(&to->gid, value, e);
	return err_set(e, ERR_INVALID, "'%.60s' is not known", key);
}

static int take_pair(struct build_mount *to, const char *key, const char *value, struct err *e)
{
	if (str_equal(key, "readonly") || str_equal(key, "ro"))
		return take_flag(&to->writable, value, false, e);
	if (str_equal(key, "readwrite") || str_equal(key, "rw"))
		return take_flag(&to->writable, value, true, e);
	if (str_equal(key, "required"))
		return take_flag(&to->required, value, true, e);
	if (!value)
		return err_set(e, ERR_INVALID, "'%.60s' has no value", key);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		if (str_equal(key, texts[i].key)) {
			mem_replace((char **)((char *)to + texts[i].offset), value);
			return 0;
		}
	return take_value(to, key, value, e);
}

static int check(const struct build_mount *mount, struct err *e)
{
	bool anywhere = mount->type == BUILD_MOUNT_SECRET || mount->type == BUILD_MOUNT_SSH;

	if (!anywhere && str_empty(mount->target))
		return err_set(e, ERR_INVALID, "it has no target");
	if (mount->type == BUILD_MOUNT_SECRET && !mount->id && !mount->target && !mount->source)
		return err_set(e, ERR_INVALID, "a secret has an id");
	return 0;
}

/* The value of type= comes first, wherever it stands: the defaults hang on it. */
static int take_type(struct build_mount *to, const struct strv *pairs, struct err *e)
{
	const char *type = strv_value(pairs, "type");
	int found = type ? find_word(types, COUNT_OF(types), type) : BUILD_MOUNT_BIND;

	if (found < 0)
		return err_set(e, ERR_INVALID,
			       "type %.40s: none of bind, cache, tmpfs, secret, ssh", type);
	to->type = (enum build_mount_type)found;
	to->writable = to->type == BUILD_MOUNT_CACHE || to->type == BUILD_MOUNT_TMPFS;
	to->mode = to->type == BUILD_MOUNT_CACHE ? 0755 : to->type == BUILD_MOUNT_SSH ? 0600 : 0400;
	return 0;
}

int build_mount_parse(struct build_mount *ret, const char *text, struct err *e)
{
	own_clear(strv_clear) struct strv pairs = { 0 };

	strv_split(&pairs, text, ',');
	int r = take_type(ret, &pairs, e);
	for (size_t i = 0; r == 0 && i < pairs.count; i++) {
		char *equals = strchr(pairs.items[i], '=');
		if (str_starts(pairs.items[i], "type="))
			continue;
		if (equals)
			*equals = '\0';
		r = take_pair(ret, pairs.items[i], equals ? equals + 1 : NULL, e);
	}
	if (r == 0)
		r = check(ret, e);
	return r < 0 ? err_add(e, "--mount=%.100s", text) : 0;
}

char *build_mount_flag_from(const char *flag)
{
	own_clear(build_mount_clear) struct build_mount mount = { 0 };
	struct err ignored;

	if (str_starts(flag, "from="))
		return mem_text(flag + strlen("from="));
	if (!str_starts(flag, "mount=") ||
	    build_mount_parse(&mount, flag + strlen("mount="), &ignored) < 0)
		return NULL;
	return take_ptr(&mount.from);
}
