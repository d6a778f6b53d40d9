#include "engine/config_userns.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/config.h"
#include "engine/container.h"
#include "engine/options.h"

#define FORMS "host, private, auto[:size=N,uidmapping=C:H:N,gidmapping=C:H:N], container:NAME"

void config_userns_clear(struct config_userns *request)
{
	runtime_idmap_clear(&request->fixed);
	*request = (struct config_userns){ 0 };
}

/* podman's CONTAINER:HOST[:SIZE]; "@" says that HOST is the host's, as for root it always is. */
static int read_map(struct oci_id_mappings *to, const char *text, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	uint32_t numbers[3] = { 0, 0, 1 };

	strv_split(&parts, text, ':');
	if (parts.count < 2 || parts.count > COUNT_OF(numbers))
		return err_set(e, ERR_INVALID, "'%s' is not CONTAINER:HOST[:SIZE]", text);
	if (*text && strchr("+ug", *text))
		return err_set(e, ERR_UNSUPPORTED, "'%s': the flags +, u and g are not supported",
			       text);
	for (size_t i = 0; i < parts.count; i++) {
		const char *part = parts.items[i];
		int r = number_parse_id(&numbers[i], part + (i == 1 && *part == '@'), e);
		if (r < 0)
			return err_add(e, "'%s'", text);
	}
	runtime_idmap_add(to, numbers[0], numbers[1], numbers[2]);
	return 0;
}

/* ---- auto ---- */

static int read_auto_option(struct config_userns *to, const char *option, struct err *e)
{
	int r;

	if (str_starts(option, "size=")) {
		r = number_parse_id(&to->size, option + strlen("size="), e);
		return r == 0 && to->size == 0 ? err_set(e, ERR_INVALID, "size=0") : r;
	}
	if (str_starts(option, "uidmapping="))
		return read_map(&to->fixed.uids, option + strlen("uidmapping="), e);
	if (str_starts(option, "gidmapping="))
		return read_map(&to->fixed.gids, option + strlen("gidmapping="), e);
	return err_set(e, ERR_INVALID,
		       "'%s' is not one of size=, uidmapping=, gidmapping=", option);
}

static int read_auto(struct config_userns *to, const char *options, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };

	strv_split(&parts, options, ',');
	for (size_t i = 0; i < parts.count; i++) {
		int r = read_auto_option(to, parts.items[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

int config_userns_read(struct config_userns *ret, const char *mode, struct err *e)
{
	static const char *const others[] = { "host", NULL };
	static const char *const found[] = { "private", "auto", "auto:", NULL };
	int r = 0;

	if (config_is_one_of(mode, others) || !str_empty(config_container_name(mode)))
		return 0;
	ret->size = CONFIG_USERNS_SIZE;
	if (str_equal(mode, "keep-id") || str_starts(mode, "keep-id:")) {
		err_set(e, ERR_UNSUPPORTED,
			"--userns keep-id is for containers of ordinary users; "
			"root's are root's");
		return err_hint(e, "auto gives the container ids of its own, --uidmap 0:1000 those "
				   "of a user");
	}
	if (str_starts(mode, "auto:"))
		r = read_auto(ret, mode + strlen("auto:"), e);
	else if (!config_is_one_of(mode, found))
		return err_set(e, ERR_INVALID, "--userns %s: not one of " FORMS, mode);
	return r < 0 ? err_add(e, "--userns auto") : 0;
}

/* ---- maps that were asked for ---- */

static int read_maps(struct oci_id_mappings *to, const char *option, const struct strv *texts,
		     struct err *e)
{
	for (size_t i = 0; i < texts->count; i++) {
		int r = read_map(to, texts->items[i], e);
		if (r < 0)
			return err_add(e, "%s", option);
	}
	return 0;
}

/* One of the two alone counts for both, as with podman. */
static int set_maps(struct runtime_idmap *ids, const struct create_options *o, struct err *e)
{
	const struct strv *uids = o->uidmap.count ? &o->uidmap : &o->gidmap;
	const struct strv *gids = o->gidmap.count ? &o->gidmap : &o->uidmap;
	uint32_t root;

	int r = read_maps(&ids->uids, "--uidmap", uids, e);
	if (r == 0)
		r = read_maps(&ids->gids, "--gidmap", gids, e);
	if (r == 0)
		r = runtime_idmap_check(ids, e);
	if (r < 0)
		return r;
	if (!runtime_idmap_to_host(&root, &ids->uids, 0) ||
	    !runtime_idmap_to_host(&root, &ids->gids, 0))
		return err_set(e, ERR_INVALID,
			       "--uidmap, --gidmap: the container's 0 must be "
			       "among the ids");
	return 0;
}

int config_userns(struct container *c, const struct create_options *o, struct err *e)
{
	own_clear(config_userns_clear) struct config_userns request = { 0 };
	bool mapped = o->uidmap.count || o->gidmap.count;
	/* the init of a system has rights that only ids of its own keep from being the host's */
	const char *usual = mapped                                     ? "private"
			    : container_is_system(c) && !o->privileged ? "auto"
								       : "host";
	const char *mode = !str_empty(o->userns) ? o->userns : usual;

	int r = config_userns_read(&request, mode, e);
	if (r < 0)
		return r;
	if (mapped && !str_equal(mode, "private"))
		return err_set(e, ERR_INVALID, "--userns %s excludes --uidmap and --gidmap", mode);
	c->security.userns = mem_text(mode);
	return mapped ? set_maps(&c->security.ids, o, e) : 0;
}
