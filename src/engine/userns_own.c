#include "engine/userns_own.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/user_ids.h"
#include "engine/config.h"
#include "engine/config_idmap.h"
#include "engine/container.h"
#include "runtime/idmap.h"
#include "runtime/subid.h"
#include "runtime/user_namespace.h"

void engine_userns_own_clear(struct config_ids *ids)
{
	runtime_idmap_clear(&ids->own);
	runtime_idmap_clear(&ids->named);
}

/* The container's ids from 0 on are those of the lines, one after the other. */
static int add_named(struct oci_id_mappings *to, const char *file, const char *name,
		     const struct oci_id_mappings *own, struct err *e)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges ranges = { 0 };
	const struct runtime_subid_owner owner = { name, NULL };
	uint32_t next = 0;

	int r = runtime_subid_read(&ranges, file, &owner, false, e);
	if (r < 0)
		return r;
	if (ranges.count == 0)
		return err_set(e, ERR_NOT_FOUND, "%s has no ids for %s", file, name);
	for (size_t i = 0; i < ranges.count && to->count < RUNTIME_IDMAP_LINES_MAX; i++) {
		const struct runtime_subid_range *range = &ranges.items[i];
		uint32_t host;
		if (range->first == 0)
			return err_set(e, ERR_PERMISSION, "%s gives %s the host's root (0)", file,
				       name);
		if (!config_idmap_inside(&host, own, range->first, range->count))
			return err_set(e, ERR_PERMISSION, "%s: the ids of %s, %u:%u, are not yours",
				       file, name, range->first, range->count);
		if (range->count > UINT32_MAX - next)
			return err_set(e, ERR_INVALID, "%s: %s has more ids than there are", file,
				       name);
		runtime_idmap_add(to, next, host, range->count);
		next += range->count;
	}
	return 0;
}

static int read_named(struct config_ids *ids, const struct create_options *o, struct err *e)
{
	if (!o)
		return 0;
	const char *users = o->subuidname ? o->subuidname : o->subgidname;
	const char *groups = o->subgidname ? o->subgidname : o->subuidname;

	if (!users)
		return 0;
	int r = add_named(&ids->named.uids, "/etc/subuid", users, &ids->own.uids, e);
	if (r < 0)
		return err_add(e, "--subuidname");
	r = add_named(&ids->named.gids, "/etc/subgid", groups, &ids->own.gids, e);
	if (r < 0)
		return err_add(e, "--subgidname");
	return runtime_idmap_check(&ids->named, e);
}

static bool asks(const struct create_options *o)
{
	return o->userns || o->uidmap.count || o->gidmap.count || o->subuidname || o->subgidname ||
	       o->system || o->systemd;
}

int engine_userns_own(struct config_ids *ret, const struct create_options *o, struct err *e)
{
	ret->mapped = user_ids_are_mapped();
	if (ret->mapped && (!o || asks(o)))
		runtime_user_namespace_ids_of(&ret->own, getpid());
	return read_named(ret, o, e);
}

/* ---- a name ---- */

/* Whose number is 0 in the user namespace that these maps count in: the caller's. */
static uint32_t inside_of(const struct oci_id_mappings *maps, uint32_t outside)
{
	for (size_t i = 0; i < maps->count; i++)
		if (outside - maps->items[i].host_id < maps->items[i].size)
			return maps->items[i].container_id + (outside - maps->items[i].host_id);
	return UINT32_MAX;
}

char *engine_userns_own_login(const struct container *c)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap own = { 0 };
	uint32_t uid = inside_of(&c->security.ids.uids, 0);
	uint32_t gid = inside_of(&c->security.ids.gids, 0);

	if (!c->security.userns || !str_starts(c->security.userns, "keep-id") || uid == UINT32_MAX)
		return NULL;
	runtime_user_namespace_ids_of(&own, getpid());
	if (own.uids.count == 0)
		return NULL;
	own_free char *found = runtime_subid_login_name(own.uids.items[0].host_id);
	own_free char *name = found ? take_ptr(&found) : mem_format("%u", uid);
	if (strpbrk(name, ":\n") || strpbrk(c->process.workdir, ":\n"))
		return NULL;
	return mem_format("%s:%u:%u:%s", name, uid, gid, c->process.workdir);
}
