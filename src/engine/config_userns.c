#include "engine/config_userns.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "engine/config.h"
#include "engine/config_idmap.h"
#include "engine/container.h"
#include "engine/options.h"

#define FORMS                                                                                      \
	"host, private, auto[:size=N,uidmapping=C:H:N,gidmapping=C:H:N], container:NAME, and "     \
	"of an ordinary user keep-id[:uid=N,gid=N,size=N], nomap"

void config_userns_clear(struct config_userns *request)
{
	runtime_idmap_clear(&request->fixed);
	*request = (struct config_userns){ 0 };
}

static const char *options_of(const char *mode, const char *name)
{
	size_t length = strlen(name);

	if (!str_starts(mode, name) || (mode[length] && mode[length] != ':'))
		return NULL;
	return mode[length] ? mode + length + 1 : "";
}

static bool is_alone(const char *mode)
{
	return str_equal(mode, "private") || options_of(mode, "auto");
}

typedef int read_option(void *to, const char *option, const struct config_ids *ids, struct err *e);

static int each_option(const char *options, read_option *read, void *to,
		       const struct config_ids *ids, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };

	if (!str_empty(options))
		strv_split(&parts, options, ',');
	for (size_t i = 0; i < parts.count; i++) {
		int r = read(to, parts.items[i], ids, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* 1: it is this one, and read; 0: it is another. */
static int read_number(uint32_t *to, const char *option, const char *key, struct err *e)
{
	if (!str_starts(option, key))
		return 0;
	int r = number_parse_id(to, option + strlen(key), e);
	return r < 0 ? r : 1;
}

/* ---- auto ---- */

static int read_auto(void *context, const char *option, const struct config_ids *ids, struct err *e)
{
	struct config_userns *to = context;

	int r = read_number(&to->size, option, "size=", e);
	if (r != 0)
		return r > 0 && to->size == 0 ? err_set(e, ERR_INVALID, "size=0") : r;
	if (str_starts(option, "uidmapping="))
		return config_idmap_add(&to->fixed.uids, option + strlen("uidmapping="),
					&ids->own.uids, e);
	if (str_starts(option, "gidmapping="))
		return config_idmap_add(&to->fixed.gids, option + strlen("gidmapping="),
					&ids->own.gids, e);
	return err_set(e, ERR_INVALID,
		       "'%s' is not one of size=, uidmapping=, gidmapping=", option);
}

/* ---- of an ordinary user: by what the caller has ---- */

static const char *const of_users[] = { "keep-id", "nomap" };

/* Its user namespace has the caller as 0, and the range from 1 on. */
static uint32_t range_of(const struct oci_id_mappings *own)
{
	uint64_t count = 0;

	for (size_t i = 0; i < own->count; i++)
		count += own->items[i].size;
	return count > 1 ? (uint32_t)(count - 1) : 0;
}

static void add_some(struct oci_id_mappings *to, uint32_t container_id, uint32_t host_id,
		     uint32_t size)
{
	if (size)
		runtime_idmap_add(to, container_id, host_id, size);
}

/* The caller is kept, all others are of the range. */
static void keep(struct oci_id_mappings *to, uint32_t kept, uint32_t range)
{
	uint32_t below = kept < range ? kept : range;

	add_some(to, 0, 1, below);
	runtime_idmap_add(to, kept, 0, 1);
	add_some(to, kept + 1, below + 1, range - below);
}

struct kept {
	uint32_t uid, gid, size;
};

static int read_keep_id(void *context, const char *option, const struct config_ids *ids,
			struct err *e)
{
	struct kept *to = context;
	int r = read_number(&to->uid, option, "uid=", e);

	(void)ids;
	if (r == 0)
		r = read_number(&to->gid, option, "gid=", e);
	if (r == 0)
		r = read_number(&to->size, option, "size=", e);
	if (r == 0)
		return err_set(e, ERR_INVALID, "'%s' is not one of uid=, gid=, size=", option);
	return r;
}

static uint32_t outside_of_root(const struct oci_id_mappings *own)
{
	uint32_t id = 0;

	runtime_idmap_to_host(&id, own, 0);
	return id;
}

static int check_range(const char *mode, const struct runtime_idmap *ids, struct err *e)
{
	uint32_t root;

	if (runtime_idmap_to_host(&root, &ids->uids, 0) &&
	    runtime_idmap_to_host(&root, &ids->gids, 0))
		return 0;
	err_set(e, ERR_PERMISSION,
		"--userns %s: you have one id alone, and the container's 0 needs "
		"another",
		mode);
	return err_hint(e, "a range in /etc/subuid and /etc/subgid gives you more (usermod "
			   "--add-subuids 100000-165535 --add-subgids 100000-165535 USER)");
}

static uint32_t smaller(uint32_t range, uint32_t size)
{
	return size && size <= range ? size - 1 : range;
}

static int set_keep_id(struct container *c, const char *options, bool said_user,
		       const struct config_ids *ids, struct err *e)
{
	struct kept kept = { outside_of_root(&ids->own.uids), outside_of_root(&ids->own.gids), 0 };

	int r = each_option(options, read_keep_id, &kept, ids, e);
	if (r < 0)
		return err_add(e, "--userns keep-id");
	keep(&c->security.ids.uids, kept.uid, smaller(range_of(&ids->own.uids), kept.size));
	keep(&c->security.ids.gids, kept.gid, smaller(range_of(&ids->own.gids), kept.size));
	own_free char *user = mem_format("%u:%u", kept.uid, kept.gid);
	if (!said_user)
		mem_replace(&c->process.user, user);
	return 0;
}

static int set_of_user(struct container *c, const char *mode, bool said_user,
		       const struct config_ids *ids, struct err *e)
{
	const char *options = options_of(mode, "keep-id");
	struct runtime_idmap *to = &c->security.ids;
	int r = 0;

	if (options) {
		r = set_keep_id(c, options, said_user, ids, e);
	} else {
		add_some(&to->uids, 0, 1, range_of(&ids->own.uids));
		add_some(&to->gids, 0, 1, range_of(&ids->own.gids));
	}
	if (r == 0)
		r = check_range(mode, to, e);
	return r < 0 ? r : runtime_idmap_check(to, e);
}

static int check_of_user(const char *mode, const struct config_ids *ids, struct err *e)
{
	if (ids->mapped)
		return 0;
	err_set(e, ERR_UNSUPPORTED,
		"--userns %s is for containers of ordinary users; root's are root's", mode);
	return err_hint(e, "auto gives the container ids of its own, --uidmap 0:1000 those of a "
			   "user");
}

bool config_userns_is_of_user(const char *mode)
{
	return mode && (options_of(mode, of_users[0]) || str_equal(mode, of_users[1]));
}

/* ---- the mode ---- */

int config_userns_read(struct config_userns *ret, const char *mode, const struct config_ids *ids,
		       struct err *e)
{
	static const char *const others[] = { "host", NULL };
	int r = 0;

	if (config_is_one_of(mode, others) || !str_empty(config_container_name(mode)))
		return 0;
	if (config_userns_is_of_user(mode))
		return check_of_user(mode, ids, e);
	if (!is_alone(mode))
		return err_set(e, ERR_INVALID, "--userns %s: not one of " FORMS, mode);
	ret->size = ids->mapped ? CONFIG_USERNS_SIZE_OF_USER : CONFIG_USERNS_SIZE;
	if (options_of(mode, "auto"))
		r = each_option(options_of(mode, "auto"), read_auto, ret, ids, e);
	return r < 0 ? err_add(e, "--userns auto") : 0;
}

/* ---- maps that were asked for ---- */

static int check_maps(const struct runtime_idmap *ids, struct err *e)
{
	uint32_t root;

	int r = runtime_idmap_check(ids, e);
	if (r < 0)
		return r;
	if (!runtime_idmap_to_host(&root, &ids->uids, 0) ||
	    !runtime_idmap_to_host(&root, &ids->gids, 0))
		return err_set(e, ERR_INVALID,
			       "--uidmap, --gidmap: the container's 0 must be "
			       "among the ids");
	return 0;
}

static int set_maps(struct runtime_idmap *to, const struct create_options *o,
		    const struct config_ids *ids, struct err *e)
{
	int r = config_idmap_read(to, &o->uidmap, &o->gidmap, &ids->own, e);

	return r < 0 ? r : check_maps(to, e);
}

int config_userns(struct container *c, const struct create_options *o, const struct config_ids *ids,
		  struct err *e)
{
	own_clear(config_userns_clear) struct config_userns request = { 0 };
	bool named = o->subuidname || o->subgidname;
	bool mapped = o->uidmap.count || o->gidmap.count;
	/* the init of a system has rights that only ids of its own keep from being the host's; an
	 * ordinary user's are none of the host's */
	bool own = container_is_system(c) && !o->privileged && !ids->mapped;
	const char *usual = mapped || named ? "private" : own ? "auto" : "host";
	const char *mode = !str_empty(o->userns) ? o->userns : usual;

	int r = config_userns_read(&request, mode, ids, e);
	if (r < 0)
		return r;
	if ((mapped || named) && !str_equal(mode, "private"))
		return err_set(e, ERR_INVALID, "--userns %s excludes %s", mode,
			       mapped ? "--uidmap and --gidmap" : "--subuidname and --subgidname");
	if (mapped && named)
		return err_set(e, ERR_INVALID,
			       "--subuidname and --subgidname exclude --uidmap and --gidmap");
	c->security.userns = mem_text(mode);
	if (named)
		runtime_idmap_copy(&c->security.ids, &ids->named.uids, &ids->named.gids);
	if (config_userns_is_of_user(mode))
		r = set_of_user(c, mode, o->user, ids, e);
	else if (mapped)
		r = set_maps(&c->security.ids, o, ids, e);
	config_idmap_cut(&c->security.ids, &ids->own);
	return r;
}
