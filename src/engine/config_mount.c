#include "engine/config_mount.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "storage/volume.h"

void container_mount_clear(struct container_mount *mount)
{
	shape_clear(&container_mount_shape, mount);
}

int config_mount_target(char **ret, const char *path, struct err *e)
{
	if (path[0] != '/')
		return err_set(e, ERR_INVALID, "the target '%s' is not an absolute path", path);

	own_free char *clean = path_clean(path);
	if (!strcmp(clean, "/"))
		return err_set(e, ERR_INVALID, "the target cannot be '/'");
	*ret = take_ptr(&clean);
	return 0;
}

/* ---- -v ---- */

static bool is_propagation(const char *word)
{
	static const char *const words[] = { "private", "rprivate", "shared",
					     "rshared", "slave",    "rslave" };

	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_equal(words[i], word))
			return true;
	return false;
}

static int set_propagation(struct container_mount *to, const char *word, struct err *e)
{
	if (to->propagation)
		return err_set(e, ERR_INVALID, "'%s' and '%s' are two propagations",
			       to->propagation, word);
	to->propagation = mem_text(word);
	return 0;
}

static bool is_ignored(const char *word)
{
	/* caches of Docker Desktop's file sharing; Docker on Linux ignores them, too */
	return str_equal(word, "consistent") || str_equal(word, "cached") ||
	       str_equal(word, "delegated");
}

static bool is_mount_flag(const char *word)
{
	static const char *const flags[] = { "exec", "noexec", "suid", "nosuid", "dev", "nodev" };

	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (str_equal(flags[i], word))
			return true;
	return false;
}

/* Those that mean the same for a bind and a volume. */
static bool set_common_option(struct container_mount *to, const char *word)
{
	if (str_equal(word, "rw"))
		to->read_only = false;
	else if (str_equal(word, "ro"))
		to->read_only = true;
	else if (str_equal(word, "z") || str_equal(word, "Z"))
		mem_replace(&to->relabel, word);
	else if (str_equal(word, "U"))
		to->give = true;
	else if (str_equal(word, "idmap"))
		to->idmap = true;
	else if (is_mount_flag(word))
		strv_add(&to->options, word);
	else
		return false;
	return true;
}

static int add_volume_option(struct container_mount *to, const char *word, struct err *e)
{
	bool volume = str_equal(to->type, "volume");

	if (is_ignored(word) || set_common_option(to, word))
		return 0;
	if (is_propagation(word) && !volume)
		return set_propagation(to, word, e);
	if (is_propagation(word))
		return err_set(e, ERR_INVALID, "'%s': a volume has no propagation", word);
	if (str_equal(word, "nocopy") && volume)
		to->no_copy = true;
	else if (str_equal(word, "copy") && volume)
		to->no_copy = false;
	else if ((str_equal(word, "bind") || str_equal(word, "rbind")) && !volume)
		to->non_recursive = word[0] == 'b';
	else
		return err_set(e, ERR_INVALID,
			       "'%s' is no option of a %s: ro, rw, z, Z, U, idmap, [no]exec, "
			       "[no]suid, [no]dev%s",
			       word, to->type,
			       volume ? ", nocopy"
				      : ", bind, rbind, [r]private, [r]shared, [r]slave");
	return 0;
}

static int add_volume_options(struct container_mount *to, const char *text, struct err *e)
{
	own_clear(strv_clear) struct strv words = { 0 };
	const char *seen_mode = NULL;

	strv_split(&words, text, ',');
	if (words.count == 0)
		return err_set(e, ERR_INVALID, "empty options");
	for (size_t i = 0; i < words.count; i++) {
		const char *word = words.items[i];
		bool mode = str_equal(word, "ro") || str_equal(word, "rw");
		if (mode && seen_mode)
			return err_set(e, ERR_INVALID, "both '%s' and '%s'", seen_mode, word);
		if (mode)
			seen_mode = word;
		int r = add_volume_option(to, word, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_source(struct container_mount *to, const char *source, const char *folder,
		      struct err *e)
{
	if (source[0] == '/' || source[0] == '.') {
		own_free char *whole =
			source[0] == '/' ? mem_text(source) : path_join(folder, source);
		mem_replace(&to->type, "bind");
		free(to->source);
		to->source = path_clean(whole);
		return 0;
	}
	int r = storage_volume_check_name(source, e);
	if (r < 0)
		return err_hint(e, "a folder of the host begins with '/' or './'");
	mem_replace(&to->type, "volume");
	mem_replace(&to->name, source);
	return 0;
}

static int read_volume(struct container_mount *to, const char *text, const char *folder,
		       struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };

	strv_split(&parts, text, ':');
	for (size_t i = 0; i < parts.count; i++)
		if (!*parts.items[i])
			return err_set(e, ERR_INVALID, "an empty part");
	if (parts.count == 0 || parts.count > 3)
		return err_set(e, ERR_INVALID, "not [SOURCE:]TARGET[:OPTIONS]");

	size_t target = parts.count == 1 ? 0 : 1;
	if (target == 1) {
		int r = set_source(to, parts.items[0], folder, e);
		if (r < 0)
			return r;
	} else {
		to->type = mem_text("volume");
		to->anonymous = true;
	}
	to->create_source = str_equal(to->type, "bind");
	int r = config_mount_target(&to->target, parts.items[target], e);
	if (r < 0 || parts.count < 3)
		return r;
	return add_volume_options(to, parts.items[2], e);
}

int config_mount_volume(struct container_mount *to, const char *text, const char *folder,
			struct err *e)
{
	int r = read_volume(to, text, folder, e);
	return r < 0 ? err_add(e, "--volume %s", text) : 0;
}

/* ---- --tmpfs ---- */

/* mount(8), "Mount options for tmpfs", and the flags of every filesystem. */
static bool is_tmpfs_option(const char *word)
{
	static const char *const flags[] = { "ro",          "rw",         "exec",     "noexec",
					     "suid",        "nosuid",     "dev",      "nodev",
					     "sync",        "async",      "atime",    "noatime",
					     "diratime",    "nodiratime", "relatime", "norelatime",
					     "strictatime", "dirsync",    "mand",     "nomand",
					     "noswap" };
	static const char *const values[] = { "size=",      "mode=",      "uid=",  "gid=",
					      "nr_inodes=", "nr_blocks=", "mpol=", "huge=" };

	for (size_t i = 0; i < COUNT_OF(flags); i++)
		if (str_equal(flags[i], word))
			return true;
	for (size_t i = 0; i < COUNT_OF(values); i++)
		if (str_starts(word, values[i]) && strlen(word) > strlen(values[i]))
			return true;
	return false;
}

static int read_tmpfs(struct container_mount *to, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':');
	own_free char *target = colon ? mem_text_n(text, (size_t)(colon - text)) : mem_text(text);
	own_clear(strv_clear) struct strv words = { 0 };

	to->type = mem_text("tmpfs");
	int r = config_mount_target(&to->target, target, e);
	if (r < 0)
		return r;
	strv_split(&words, colon ? colon + 1 : "", ',');
	for (size_t i = 0; i < words.count; i++) {
		const char *word = words.items[i];
		if (!is_tmpfs_option(word))
			return err_set(e, ERR_INVALID,
				       "'%s' is no option of a tmpfs: size=, mode=, uid=, gid=, "
				       "nr_inodes=, ro, exec, suid, dev...",
				       word);
		if (str_equal(word, "ro"))
			to->read_only = true;
		strv_add(&to->options, word);
	}
	return 0;
}

int config_mount_tmpfs(struct container_mount *to, const char *text, struct err *e)
{
	int r = read_tmpfs(to, text, e);
	return r < 0 ? err_add(e, "--tmpfs %s", text) : 0;
}

/* ---- --mount ---- */

/* Splits one record of CSV (RFC 4180) into fields. */
static int split_csv(struct strv *to, const char *text, struct err *e)
{
	const char *c = text;

	for (;;) {
		own_clear(str_clear) struct str field = { 0 };
		bool quoted = *c == '"';
		for (c += quoted; *c && (quoted || *c != ','); c++) {
			if (quoted && *c == '"' && c[1] != '"')
				break;
			if (quoted && *c == '"')
				c++;
			str_add_char(&field, *c);
		}
		if (quoted && *c++ != '"')
			return err_set(e, ERR_INVALID, "a quote that does not end");
		strv_add_take(to, str_take(&field));
		if (!*c)
			return 0;
		if (*c != ',')
			return err_set(e, ERR_INVALID, "'%s' behind a quoted field", c);
		c++;
	}
}

static int parse_bool(bool *ret, const char *value, struct err *e)
{
	static const char *const yes[] = { "1", "t", "T", "true", "True", "TRUE" };
	static const char *const no[] = { "0", "f", "F", "false", "False", "FALSE" };

	for (size_t i = 0; i < COUNT_OF(yes); i++) {
		bool is_yes = !value || !strcmp(value, yes[i]);
		if (is_yes || !strcmp(value, no[i])) {
			*ret = is_yes;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "'%s' is neither true nor false", value);
}

static int set_type(struct container_mount *to, const char *value, struct err *e)
{
	(void)to;
	(void)value;
	(void)e;
	return 0; /* read before all the others: their meaning hangs on it */
}

static int set_mount_source(struct container_mount *to, const char *value, struct err *e)
{
	if (str_equal(to->type, "tmpfs"))
		return err_set(e, ERR_INVALID, "a tmpfs has no source");
	if (str_equal(to->type, "volume")) {
		if (!*value)
			return 0; /* Docker: the same as no source, an anonymous volume */
		int r = storage_volume_check_name(value, e);
		mem_replace(&to->name, value);
		return r;
	}
	mem_replace(&to->source, value);
	return 0;
}

static int set_target(struct container_mount *to, const char *value, struct err *e)
{
	free(to->target);
	to->target = NULL;
	return config_mount_target(&to->target, value, e);
}

static int set_read_only(struct container_mount *to, const char *value, struct err *e)
{
	return parse_bool(&to->read_only, value, e);
}

static int set_bind_propagation(struct container_mount *to, const char *value, struct err *e)
{
	if (!is_propagation(value))
		return err_set(e, ERR_INVALID, "'%s' is none of [r]private, [r]shared, [r]slave",
			       value);
	mem_replace(&to->propagation, value);
	return 0;
}

static int set_non_recursive(struct container_mount *to, const char *value, struct err *e)
{
	return parse_bool(&to->non_recursive, value, e);
}

static int set_recursive(struct container_mount *to, const char *value, struct err *e)
{
	to->non_recursive = !strcmp(value, "disabled");
	to->shallow_read_only = !strcmp(value, "writable");
	to->strict_read_only = !strcmp(value, "readonly");
	if (!to->non_recursive && !to->shallow_read_only && !to->strict_read_only &&
	    strcmp(value, "enabled") != 0)
		return err_set(e, ERR_INVALID,
			       "'%s' is none of enabled, disabled, writable, readonly", value);
	return 0;
}

static int set_create_source(struct container_mount *to, const char *value, struct err *e)
{
	return parse_bool(&to->create_source, value, e);
}

static int set_relabel(struct container_mount *to, const char *value, struct err *e)
{
	if (strcmp(value, "shared") != 0 && strcmp(value, "private") != 0)
		return err_set(e, ERR_INVALID, "'%s' is neither shared nor private", value);
	mem_replace(&to->relabel, value[0] == 's' ? "z" : "Z");
	return 0;
}

static int set_consistency(struct container_mount *to, const char *value, struct err *e)
{
	(void)to;
	if (is_ignored(value) || !strcmp(value, "default"))
		return 0;
	return err_set(e, ERR_INVALID, "'%s' is none of default, consistent, cached, delegated",
		       value);
}

static int set_no_copy(struct container_mount *to, const char *value, struct err *e)
{
	return parse_bool(&to->no_copy, value, e);
}

static int set_give(struct container_mount *to, const char *value, struct err *e)
{
	return parse_bool(&to->give, value, e);
}

static int set_idmap(struct container_mount *to, const char *value, struct err *e)
{
	return parse_bool(&to->idmap, value, e);
}

static int set_subpath(struct container_mount *to, const char *value, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	own_free char *slashed = path_join("/", value);
	own_free char *clean = path_clean(slashed);

	strv_split(&parts, value, '/');
	if (value[0] == '/' || !strcmp(clean, "/") || strv_contains(&parts, ".."))
		return err_set(e, ERR_INVALID, "'%s' is not a path below the source", value);
	mem_replace(&to->subpath, clean + 1);
	return 0;
}

static void set_pair(struct shape_map *map, const char *value)
{
	own_free char *key = mem_text(value);
	char *equals = strchr(key, '=');

	if (equals)
		*equals = '\0';
	shape_map_set(map, key, equals ? equals + 1 : "");
}

static int set_volume_label(struct container_mount *to, const char *value, struct err *e)
{
	(void)e;
	set_pair(&to->volume_labels, value);
	return 0;
}

static int set_volume_driver(struct container_mount *to, const char *value, struct err *e)
{
	(void)to;
	if (strcmp(value, "local") != 0)
		return err_set(e, ERR_UNSUPPORTED, "'%s': the one driver is local", value);
	return 0;
}

static int set_tmpfs_size(struct container_mount *to, const char *value, struct err *e)
{
	int64_t bytes;
	int r = number_parse_bytes(&bytes, value, e);
	if (r < 0)
		return r;
	strv_addf(&to->options, "size=%lld", (long long)bytes);
	return 0;
}

static int set_tmpfs_mode(struct container_mount *to, const char *value, struct err *e)
{
	char *end;
	unsigned long mode = strtoul(value, &end, 8);

	if (!*value || *end || mode > 07777 || value[0] == '-' || value[0] == '+')
		return err_set(e, ERR_INVALID, "'%s' is not an octal mode such as 1777", value);
	strv_addf(&to->options, "mode=%lo", mode);
	return 0;
}

enum { BIND = 1, VOLUME = 2, TMPFS = 4, IMAGE = 8, EVERY = 15 };

static const struct mount_key {
	const char *name;
	int types;
	bool flag; /* the value may be missing: true */
	int (*set)(struct container_mount *to, const char *value, struct err *e);
} mount_keys[] = {
	{ "type", EVERY, false, set_type },
	{ "source", EVERY, false, set_mount_source },
	{ "src", EVERY, false, set_mount_source },
	{ "target", EVERY, false, set_target },
	{ "dst", EVERY, false, set_target },
	{ "destination", EVERY, false, set_target },
	{ "readonly", EVERY, true, set_read_only },
	{ "ro", EVERY, true, set_read_only },
	{ "consistency", EVERY, false, set_consistency },
	{ "bind-propagation", BIND, false, set_bind_propagation },
	{ "bind-nonrecursive", BIND, true, set_non_recursive },
	{ "bind-recursive", BIND, false, set_recursive },
	{ "bind-create-src", BIND, true, set_create_source },
	{ "relabel", BIND, false, set_relabel },
	{ "chown", BIND | VOLUME, true, set_give },
	{ "U", BIND | VOLUME, true, set_give },
	{ "idmap", BIND | VOLUME, true, set_idmap },
	{ "volume-nocopy", VOLUME, true, set_no_copy },
	{ "volume-label", VOLUME, false, set_volume_label },
	{ "volume-driver", VOLUME, false, set_volume_driver },
	{ "volume-subpath", VOLUME, false, set_subpath },
	{ "image-subpath", IMAGE, false, set_subpath },
	{ "bind-subpath", BIND, false, set_subpath },
	{ "subpath", VOLUME | IMAGE | BIND, false, set_subpath },
	{ "tmpfs-size", TMPFS, false, set_tmpfs_size },
	{ "tmpfs-mode", TMPFS, false, set_tmpfs_mode },
};

static const char *const mount_types[] = { "bind", "volume", "tmpfs", "image" };

static const struct mount_key *find_key(const char *field, size_t length)
{
	for (size_t i = 0; i < COUNT_OF(mount_keys); i++)
		if (strlen(mount_keys[i].name) == length &&
		    !strncasecmp(mount_keys[i].name, field, length))
			return &mount_keys[i];
	return NULL;
}

static int set_field(struct container_mount *to, int type, const char *field, struct err *e)
{
	size_t length = strcspn(field, "=");
	const char *value = field[length] ? field + length + 1 : NULL;
	const struct mount_key *key = find_key(field, length);

	if (!key)
		return err_set(e, ERR_INVALID, "'%.*s' is no key of a mount", (int)length, field);
	if (!(key->types & type))
		return err_set(e, ERR_INVALID, "'%s' does not go with type=%s", key->name,
			       to->type);
	if (!value && !key->flag)
		return err_set(e, ERR_INVALID, "'%s' needs a value: %s=...", key->name, key->name);
	int r = key->set(to, value, e);
	return r < 0 ? err_add(e, "%s", key->name) : 0;
}

/* The bit of the mount's type, which is said anywhere among the fields; Docker's default is
 * volume. */
static int find_type(struct container_mount *to, const struct strv *fields, struct err *e)
{
	const char *name = strv_value(fields, "type");

	if (!name)
		name = "volume";
	for (size_t i = 0; i < COUNT_OF(mount_types); i++)
		if (!strcasecmp(mount_types[i], name)) {
			to->type = mem_text(mount_types[i]);
			return 1 << i;
		}
	return err_set(e, ERR_INVALID, "type '%s' is none of bind, volume, tmpfs, image", name);
}

static int finish_mount(struct container_mount *to, const char *folder, struct err *e)
{
	if (!to->target)
		return err_set(e, ERR_INVALID, "it has no target=PATH");
	if (str_equal(to->type, "volume") && !to->name)
		to->anonymous = true;
	if (str_equal(to->type, "volume") && to->subpath && to->anonymous)
		return err_set(e, ERR_INVALID, "volume-subpath needs a named volume");
	if (str_equal(to->type, "image") && str_empty(to->source))
		return err_set(e, ERR_INVALID, "it has no source=IMAGE");
	if (to->strict_read_only && !to->read_only)
		return err_set(e, ERR_INVALID, "bind-recursive=readonly needs readonly");
	if (!str_equal(to->type, "bind"))
		return 0;
	if (str_empty(to->source))
		return err_set(e, ERR_INVALID, "it has no source=PATH");
	own_free char *whole =
		to->source[0] == '/' ? mem_text(to->source) : path_join(folder, to->source);
	free(to->source);
	to->source = path_clean(whole);
	return 0;
}

static int read_mount(struct container_mount *to, const char *text, const char *folder,
		      struct err *e)
{
	own_clear(strv_clear) struct strv fields = { 0 };
	int r = split_csv(&fields, text, e);
	if (r < 0)
		return r;
	int type = find_type(to, &fields, e);
	if (type < 0)
		return type;
	for (size_t i = 0; i < fields.count; i++) {
		r = set_field(to, type, fields.items[i], e);
		if (r < 0)
			return r;
	}
	return finish_mount(to, folder, e);
}

int config_mount_mount(struct container_mount *to, const char *text, const char *folder,
		       struct err *e)
{
	int r = read_mount(to, text, folder, e);
	return r < 0 ? err_add(e, "--mount %s", text) : 0;
}

int config_mount_add(struct container_storage *to, const struct strv *volumes,
		     const struct strv *mounts, const struct strv *tmpfs, const char *folder,
		     struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < volumes->count; i++)
		r = config_mount_volume(shape_list_add(&to->mounts), volumes->items[i], folder, e);
	for (size_t i = 0; r == 0 && i < mounts->count; i++)
		r = config_mount_mount(shape_list_add(&to->mounts), mounts->items[i], folder, e);
	for (size_t i = 0; r == 0 && i < tmpfs->count; i++)
		r = config_mount_tmpfs(shape_list_add(&to->mounts), tmpfs->items[i], e);
	return r;
}
