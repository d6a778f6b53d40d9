#include "engine/userns.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/config_userns.h"
#include "engine/engine.h"
#include "engine/record.h"
#include "engine/userns_own.h"
#include "engine/userns_pool.h"
#include "runtime/subid.h"
#include "storage/store.h"

enum { BUILT_IN_FIRST = 1879048192, BUILT_IN_LAST = 2147352575 };

/* Whose subordinate ids are for containers, the first that has any in both files. */
static const struct runtime_subid_owner owners[] = { { "containers", NULL }, { "holm", NULL } };

struct ranges { /* of users and of groups */
	struct runtime_subid_ranges uids;
	struct runtime_subid_ranges gids;
};

static void ranges_clear(struct ranges *ranges)
{
	runtime_subid_clear(&ranges->uids);
	runtime_subid_clear(&ranges->gids);
}

static int read_both(struct ranges *to, const struct runtime_subid_owner *owner, bool others,
		     struct err *e)
{
	int r = runtime_subid_read(&to->uids, "/etc/subuid", owner, others, e);

	return r < 0 ? r : runtime_subid_read(&to->gids, "/etc/subgid", owner, others, e);
}

/* ---- what there is ---- */

static int check_root(const struct runtime_subid_ranges *ranges, const char *file, struct err *e)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (ranges->items[i].first == 0)
			return err_set(e, ERR_PERMISSION, "%s gives containers the host's root (0)",
				       file);
	return 0;
}

static void use_built_in(struct ranges *pool)
{
	const struct runtime_idmap all = {
		.uids = { &(struct oci_id_mapping){ 0, BUILT_IN_FIRST,
						    BUILT_IN_LAST - BUILT_IN_FIRST + 1 },
			  1 },
	};

	ranges_clear(pool);
	userns_pool_use(&pool->uids, &all.uids);
	userns_pool_use(&pool->gids, &all.uids);
	log_debug("neither 'containers' nor 'holm' has ids in /etc/subuid and /etc/subgid: the "
		  "container's are taken from %d on",
		  BUILT_IN_FIRST);
}

/* Of an ordinary user: all of its user namespace but the caller itself. */
static void use_own(struct oci_id_mappings *to, const struct oci_id_mappings *own)
{
	for (size_t i = 0; i < own->count; i++) {
		const struct oci_id_mapping *m = &own->items[i];
		uint32_t caller = m->container_id == 0;
		if (m->size > caller)
			runtime_idmap_add(to, m->container_id + caller, m->container_id + caller,
					  m->size - caller);
	}
}

static void read_own_pool(struct ranges *pool, const struct config_ids *ids)
{
	own_clear(runtime_idmap_clear) struct runtime_idmap free = { 0 };

	use_own(&free.uids, &ids->own.uids);
	use_own(&free.gids, &ids->own.gids);
	userns_pool_use(&pool->uids, &free.uids);
	userns_pool_use(&pool->gids, &free.gids);
}

/* What the files give to others is used, as far as the built-in range is concerned. */
static int read_pool(struct ranges *pool, struct ranges *used, const struct config_ids *ids,
		     struct err *e)
{
	static const struct runtime_subid_owner nobody = { NULL, NULL };

	if (ids->mapped) {
		read_own_pool(pool, ids);
		return 0;
	}
	for (size_t i = 0; i < COUNT_OF(owners); i++) {
		ranges_clear(pool);
		int r = read_both(pool, &owners[i], false, e);
		if (r < 0)
			return r;
		if (pool->uids.count == 0 || pool->gids.count == 0)
			continue;
		r = check_root(&pool->uids, "/etc/subuid", e);
		return r < 0 ? r : check_root(&pool->gids, "/etc/subgid", e);
	}
	use_built_in(pool);
	return read_both(used, &nobody, true, e);
}

static int use_record(struct ranges *used, struct engine *engine, const char *id, struct err *e)
{
	own_clear(container_clear) struct container other = { 0 };

	int r = record_read(engine, id, &other, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r;
	/* keep-id and nomap share all that a user has */
	if (config_userns_is_of_user(other.security.userns))
		return 0;
	userns_pool_use(&used->uids, &other.security.ids.uids);
	userns_pool_use(&used->gids, &other.security.ids.gids);
	return 0;
}

static int use_records(struct ranges *used, struct engine *engine, struct err *e)
{
	int fd = openat(engine->containers_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return err_sys(e, "list the containers");
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strlen(entry->d_name) != CONTAINER_ID_LENGTH)
			continue;
		int r = use_record(used, engine, entry->d_name, e);
		if (r < 0)
			return err_add(e, "container %.12s", entry->d_name);
	}
	return 0;
}

/* ---- a range for one container ---- */

static int take(struct oci_id_mappings *to, const struct runtime_subid_ranges *pool,
		struct runtime_subid_ranges *used, uint32_t size,
		const struct oci_id_mappings *fixed, bool of_user, struct err *e)
{
	uint32_t first;

	userns_pool_use(used, fixed);
	if (!userns_pool_find(&first, pool, used, size)) {
		err_set(e, ERR_NO_SPACE, "no %u ids side by side are free", size);
		if (of_user)
			return err_hint(e,
					"ask for fewer (--userns auto:size=N), remove containers, "
					"or have more given to you in /etc/subuid and /etc/subgid");
		return err_hint(e,
				"ask for fewer (--userns auto:size=N), remove containers, or "
				"give the user 'containers' more in /etc/subuid and /etc/subgid");
	}
	userns_pool_map(to, first, size, fixed);
	return 0;
}

static int find_ids(struct engine *engine, struct container *c, const struct config_userns *request,
		    const struct config_ids *own, struct err *e)
{
	own_clear(ranges_clear) struct ranges pool = { 0 }, used = { 0 };
	struct runtime_idmap *ids = &c->security.ids;

	int r = read_pool(&pool, &used, own, e);
	if (r == 0)
		r = use_records(&used, engine, e);
	if (r == 0)
		r = take(&ids->uids, &pool.uids, &used.uids, request->size, &request->fixed.uids,
			 own->mapped, e);
	if (r == 0)
		r = take(&ids->gids, &pool.gids, &used.gids, request->size, &request->fixed.gids,
			 own->mapped, e);
	return r < 0 ? r : runtime_idmap_check(ids, e);
}

/* For its layers and its upper folder: whoever shares a user namespace shares its ids. */
static int copy_ids(struct engine *engine, struct container *c, const char *id, struct err *e)
{
	own_clear(container_clear) struct container other = { 0 };

	int r = record_read(engine, id, &other, e);
	if (r < 0)
		return r;
	if (other.security.ids.uids.count == 0) {
		err_set(e, ERR_INVALID, "container:%s has no user namespace of its own",
			other.name);
		return err_hint(e, "run that one with --userns auto");
	}
	runtime_idmap_copy(&c->security.ids, &other.security.ids.uids, &other.security.ids.gids);
	return 0;
}

static void warn_of_root(const struct oci_id_mappings *maps, const char *option)
{
	for (size_t i = 0; i < maps->count; i++)
		if (maps->items[i].host_id == 0)
			log_warning("%s gives the container the host's 0, root", option);
}

static int resolve(int *ret_lock, struct engine *engine, struct container *c, struct err *e)
{
	own_clear(config_userns_clear) struct config_userns request = { 0 };
	own_clear(engine_userns_own_clear) struct config_ids own = { 0 };
	const char *other = config_container_name(c->security.userns);

	if (other)
		return copy_ids(engine, c, other, e);
	if (str_equal(c->security.userns, "host"))
		return 0;
	int r = engine_userns_own(&own, NULL, e);
	if (r == 0)
		r = config_userns_read(&request, c->security.userns, &own, e);
	if (r < 0)
		return r;
	if (!own.mapped) {
		warn_of_root(&c->security.ids.uids, "--uidmap");
		warn_of_root(&c->security.ids.gids, "--gidmap");
	}
	if (request.size == 0 || c->security.ids.uids.count)
		return 0;
	own_fd int lock = store_lock_folder(engine->store->root_fd, "containers", LOCK_EX, e);
	if (lock < 0)
		return lock;
	r = find_ids(engine, c, &request, &own, e);
	if (r == 0)
		*ret_lock = take_fd(&lock);
	return r;
}

int engine_userns_resolve(int *ret_lock, struct engine *engine, struct container *c, struct err *e)
{
	*ret_lock = -1;
	int r = resolve(ret_lock, engine, c, e);
	return r < 0 ? err_add(e, "--userns") : 0;
}

int engine_userns_give(const struct container *c, int fd, struct err *e)
{
	uint32_t uid, gid;

	if (!runtime_idmap_to_host(&uid, &c->security.ids.uids, 0) ||
	    !runtime_idmap_to_host(&gid, &c->security.ids.gids, 0))
		return 0;
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0
		       ? err_sys(e, "give it to the container's root")
		       : 0;
}
