/* --secret, as podman-run(1) has it: NAME[,type=mount|env][,target=...][,uid=][,gid=][,mode=]. */
#include "engine/config.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config_mount.h"
#include "engine/spec.h"

static const char form[] = "NAME[,type=mount|env][,target=...][,uid=N][,gid=N][,mode=OCTAL]";

enum { MODE_DEFAULT = 0444, MODE_MAX = 07777 };

static int parse_mode(uint32_t *ret, const char *text, struct err *e)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (!*text || *end || !strchr("01234567", *text) || mode > MODE_MAX)
		return err_set(e, ERR_INVALID, "mode=%s: not octal, 0 to %o", text, MODE_MAX);
	*ret = (uint32_t)mode;
	return 0;
}

/* What has been said of one secret. */
struct said {
	const char *source, *type, *target;
	const char *file_only; /* an option that has no sense for a variable */
};

static int set(struct container_secret *to, struct said *said, const char *key, const char *value,
	       struct err *e)
{
	if (str_equal(key, "source"))
		said->source = value;
	else if (str_equal(key, "type"))
		said->type = value;
	else if (str_equal(key, "target"))
		said->target = value;
	else
		said->file_only = key;
	if (str_equal(key, "mode"))
		return parse_mode(&to->mode, value, e);
	if (str_equal(key, "uid") || str_equal(key, "UID"))
		return number_parse_id(&to->uid, value, e) < 0 ? err_add(e, "uid") : 0;
	if (str_equal(key, "gid") || str_equal(key, "GID"))
		return number_parse_id(&to->gid, value, e) < 0 ? err_add(e, "gid") : 0;
	if (said->file_only == key)
		return err_set(e, ERR_INVALID, "there is no '%s'; the form is %s", key, form);
	return 0;
}

static int split(struct container_secret *to, struct said *said, const struct strv *parts,
		 struct err *e)
{
	for (size_t i = 0; i < parts->count; i++) {
		char *equals = strchr(parts->items[i], '=');
		if (!equals && i == 0) {
			said->source = parts->items[0];
			continue;
		}
		if (!equals)
			return err_set(e, ERR_INVALID, "'%s' is not KEY=VALUE; the form is %s",
				       parts->items[i], form);
		*equals = '\0';
		int r = set(to, said, parts->items[i], equals + 1, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_variable(struct container_secret *to, const struct said *said, struct err *e)
{
	const char *name = said->target ? said->target : said->source;

	if (said->file_only)
		return err_set(e, ERR_INVALID, "%s= and type=env exclude each other",
			       said->file_only);
	if (!*name || strchr(name, '='))
		return err_set(e, ERR_INVALID, "target=%s: not the name of a variable", name);
	to->env = true;
	to->target = mem_text(name);
	return 0;
}

static int set_file(struct container_secret *to, const struct said *said, struct err *e)
{
	const char *target = said->target ? said->target : said->source;
	own_free char *path =
		*target == '/' ? mem_text(target) : mem_format(SPEC_SECRETS "/%s", target);

	int r = config_mount_target(&to->target, path, e);
	if (r == 0 && *target != '/' && !str_starts(to->target, SPEC_SECRETS "/"))
		r = err_set(e, ERR_INVALID, "target=%s: not below " SPEC_SECRETS, target);
	if (r == 0 && str_equal(to->target, SPEC_SECRETS))
		r = err_set(e, ERR_INVALID, "target=%s: the folder of all secrets", target);
	return r;
}

static int parse(struct container_secret *to, const char *text, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	struct said said = { 0 };

	to->mode = MODE_DEFAULT;
	strv_split(&parts, text, ',');
	int r = split(to, &said, &parts, e);
	if (r < 0)
		return r;
	if (str_empty(said.source))
		return err_set(e, ERR_INVALID, "no name; the form is %s", form);
	to->name = mem_text(said.source);
	if (str_equal(said.type, "env"))
		return set_variable(to, &said, e);
	if (said.type && !str_equal(said.type, "mount"))
		return err_set(e, ERR_INVALID, "type=%s: not mount or env", said.type);
	return set_file(to, &said, e);
}

/* Is one the other, or below it? */
static bool overlap(const char *a, const char *b)
{
	size_t length = strlen(a);

	return str_starts(b, a) && (b[length] == '/' || !b[length]);
}

static int check_mounts(const struct container *c, const struct container_secret *s, struct err *e)
{
	const char *mounted = str_starts(s->target, SPEC_SECRETS "/") ? SPEC_SECRETS : s->target;

	for (size_t i = 0; i < c->storage.mounts.count; i++)
		if (overlap(mounted, c->storage.mounts.items[i].target))
			return err_set(e, ERR_INVALID,
				       "--secret %s and the mount at %s exclude each other",
				       s->name, c->storage.mounts.items[i].target);
	return 0;
}

static int check_twice(const struct container *c, size_t last, struct err *e)
{
	const struct container_secret *s = &c->secrets.items[last];

	for (size_t i = 0; i < last; i++) {
		const struct container_secret *other = &c->secrets.items[i];
		if (other->env != s->env)
			continue;
		if (str_equal(other->target, s->target) ||
		    (!s->env &&
		     (overlap(other->target, s->target) || overlap(s->target, other->target))))
			return err_set(e, ERR_INVALID,
				       "--secret %s and --secret %s have the target %s",
				       other->name, s->name, s->target);
	}
	return s->env ? 0 : check_mounts(c, s, e);
}

int config_secrets(struct container *c, const struct create_options *o,
		   const struct oci_image_process *image, const struct config_context *context,
		   struct err *e)
{
	(void)image, (void)context;
	for (size_t i = 0; i < o->secret.count; i++) {
		const char *text = o->secret.items[i];
		int r = parse(shape_list_add(&c->secrets), text, e);
		if (r < 0)
			return err_add(e, "--secret %s", text);
		r = check_twice(c, i, e);
		if (r < 0)
			return r;
	}
	return 0;
}
