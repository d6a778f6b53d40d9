#include "engine/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/copied.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/freeze.h"
#include "engine/held.h"
#include "engine/hooks.h"
#include "engine/identity.h"
#include "engine/lower.h"
#include "engine/name.h"
#include "engine/pod.h"
#include "engine/quota.h"
#include "engine/record.h"
#include "engine/require.h"
#include "engine/snapshot.h"
#include "engine/spec.h"
#include "engine/tree.h"
#include "engine/userns.h"
#include "engine/volume.h"
#include "storage/store.h"

/* ---- its record ---- */

static void forget(char **member)
{
	mem_replace(member, NULL);
}

static void renew_volumes(struct container *c)
{
	char name[CONTAINER_ID_LENGTH + 1];

	for (size_t i = 0; i < c->storage.mounts.count; i++)
		if (c->storage.mounts.items[i].anonymous) {
			engine_id_generate(name);
			mem_replace(&c->storage.mounts.items[i].name, name);
		}
}

/* An id, or "container:ID". */
static void move(char **to, const struct shape_map *moved)
{
	static const char mode[] = "container:";
	bool named = *to && str_starts(*to, mode);
	const char *now = *to ? shape_map_get(moved, *to + (named ? strlen(mode) : 0)) : NULL;

	if (!now)
		return;
	own_free char *text = named ? mem_format("%s%s", mode, now) : mem_text(now);
	mem_replace(to, text);
}

/* is: it was the pod itself. */
static void renew_pod(struct container *c, bool is, const struct shape_map *moved)
{
	char **modes[] = { &c->pod.id, &c->network.mode, &c->security.ipc, &c->security.uts,
			   &c->security.pid };

	if (is)
		mem_replace(&c->pod.id, c->id);
	for (size_t i = 0; i < COUNT_OF(modes); i++)
		move(modes[i], moved);
	for (size_t i = 0; i < c->requires.count; i++)
		move(&c->requires.items[i], moved);
}

/* Programs in the container's own folder are copied with it. */
static void renew_hooks(struct container *c, const char *root, const char *old_id)
{
	own_free char *old = mem_format("%s/containers/%s/hooks/", root, old_id);

	for (size_t i = 0; i < c->hooks.count; i++) {
		char **path = &c->hooks.items[i].path;
		if (!str_starts(*path, old))
			continue;
		own_free char *now =
			mem_format("%s/containers/%s/hooks/%s", root, c->id, *path + strlen(old));
		mem_replace(path, now);
	}
}

/* Addresses are each container's own, and so are the ids that it was given by itself. */
static void renew(struct container *c, const char *root, const struct clone_options *o)
{
	char id[CONTAINER_ID_LENGTH + 1];
	own_free char *old_id = mem_text(c->id);
	bool is_pod = engine_pod_is(c);

	engine_id_generate(id);
	mem_replace(&c->id, id);
	renew_hooks(c, root, old_id);
	mem_replace(&c->name, o->name);
	if (o->moved)
		renew_pod(c, is_pod, o->moved);
	c->created_ns = moment_now_ns();
	c->by_run = false;
	forget(&c->copied_from);
	c->auto_remove = o->ephemeral;
	for (size_t i = 0; i < c->network.endpoints.count; i++) {
		forget(&c->network.endpoints.items[i].address);
		forget(&c->network.endpoints.items[i].address6);
		forget(&c->network.endpoints.items[i].mac);
	}
	if (c->security.userns && str_starts(c->security.userns, "auto"))
		runtime_idmap_clear(&c->security.ids);
	renew_volumes(c);
}

/* A hostname that somebody chose was the other's; one label has 63 bytes at most. */
static void renew_host_name(struct container *c, const char *wanted)
{
	if (!c->process.hostname)
		return;
	if (!wanted)
		wanted = c->name;
	own_free char *name = mem_text_n(wanted, strlen(wanted) < 63 ? strlen(wanted) : 63);
	mem_replace(&c->process.hostname, name);
}

/* ---- its folder ---- */

/* What it is a clone of. */
struct origin {
	int folder; /* borrowed */
	char *name;
	struct runtime_idmap ids;
};

static void origin_clear(struct origin *origin)
{
	free(origin->name);
	runtime_idmap_clear(&origin->ids);
}

static int link_secrets(const struct container *c, int from_fd, int to_fd, struct err *e)
{
	if (c->secrets.count && mkdirat(to_fd, "secrets", 0700) < 0)
		return err_sys(e, "make the folder of secrets");
	for (size_t i = 0; i < c->secrets.count; i++) {
		own_free char *path = mem_format("secrets/%s", c->secrets.items[i].id);
		if (linkat(from_fd, path, to_fd, path, 0) < 0 && errno != EEXIST)
			return err_sys(e, "take secret %s", c->secrets.items[i].name);
	}
	return 0;
}

static int copy_hooks(int from_fd, int to_fd, struct err *e)
{
	static const struct copy_options all = { .all_attributes = true };

	if (faccessat(from_fd, "hooks", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "look for the folder of hooks");
	return copy_tree_at(from_fd, "hooks", to_fd, "hooks", &all, e);
}

static int fill_folder(struct engine *engine, struct container *c, const struct origin *from,
		       int folder_fd, const struct clone_options *o, struct err *e)
{
	int r = 0;

	own_fd int upper = c->storage.copied
				   ? engine_copied_clone(c, from->folder, &from->ids, folder_fd, e)
				   : engine_freeze_make_folders(engine, c, folder_fd, e);
	if (upper < 0)
		return upper;
	if (o->keep_identity && container_is_system(c))
		r = spec_system_mark(c, folder_fd, e);
	return r < 0 || o->keep_identity ? r
					 : engine_identity_renew(engine, c, from->folder, upper, e);
}

/* The record last, as in create.c. */
static int write_folder(struct engine *engine, struct container *c, const struct origin *from,
			int folder_fd, const struct clone_options *o, struct err *e)
{
	int r = record_take_name(engine, c, e);
	if (r < 0) {
		forget(&c->name); /* it is another's */
		return r;
	}
	renew_host_name(c, o->hostname);
	fault_point("clone.name");
	r = fill_folder(engine, c, from, folder_fd, o, e);
	if (r == 0)
		r = engine_require_mark(engine, c, e);
	if (r == 0)
		r = link_secrets(c, from->folder, folder_fd, e);
	if (r == 0)
		r = copy_hooks(from->folder, folder_fd, e);
	if (r == 0)
		r = record_commit(folder_fd, c, e);
	return r == 0 ? engine_volume_make(engine, c, e) : r;
}

static int write_record(struct engine *engine, struct container *c, const struct origin *from,
			const struct clone_options *o, struct err *e)
{
	int lock;

	int r = engine_userns_resolve(&lock, engine, c, e);
	if (r < 0)
		return r;
	own_fd int ids = lock;
	(void)ids;
	if (o->full)
		r = engine_freeze_flatten(engine, c, true, e);
	if (r < 0)
		return r;
	r = engine_quota_choose(engine, c, e);
	if (r < 0)
		return r;
	own_fd int folder = record_begin(engine, c->id, e);
	if (folder < 0)
		return folder;
	r = write_folder(engine, c, from, folder, o, e);
	if (r == 0)
		r = engine_hooks_clone(engine, c, from->name, e);
	if (r < 0)
		record_abandon(engine, c);
	return r;
}

/* ---- what it is made of ---- */

static int check(const struct container *c, const struct clone_options *o, struct err *e)
{
	if (c->pod.id && !o->moved) {
		err_set(e, ERR_UNSUPPORTED,
			"container %s is in a pod: what a pod shares cannot be cloned", c->name);
		return err_hint(e, "holm pod clone clones the pod with all its containers");
	}
	int r = o->name ? engine_name_check(o->name, e) : 0;
	return r < 0 ? err_add(e, "the clone") : 0;
}

/* Its files are copied as they are: they must not change meanwhile. */
static int check_copied(const struct container *c, bool live, struct err *e)
{
	if (!live)
		return 0;
	err_set(e, ERR_STATE, "the root of container %s is a copy of its image, and it runs",
		c->name);
	return err_hint(e, "holm stop %s: it is cloned while it is stopped", c->name);
}

/* The record that the clone's is made of, with all layers frozen. */
static int find_origin(struct engine *engine, struct engine_held *held,
		       const struct clone_options *o, struct err *e)
{
	own_clear(snapshot_clear) struct snapshot snapshot = { 0 };
	int64_t paused_ns;

	if (o->snapshot) {
		int r = snapshot_read(&snapshot, held->folder, o->snapshot, e);
		if (r < 0)
			return r;
		container_clear(&held->container);
		held->container = snapshot.container;
		snapshot.container = (struct container){ 0 };
		return 0;
	}
	int live = engine_freeze_is_live(&held->container, &held->state, e);
	if (live < 0)
		return live;
	if (held->container.storage.copied)
		return check_copied(&held->container, live, e);
	return live ? engine_freeze_live(engine, &held->container, &held->state, &paused_ns, e)
		    : engine_freeze_still(engine, &held->container, held->folder, e);
}

int engine_clone(struct engine *engine, const char *container, const struct clone_options *o,
		 struct container *ret, struct err *e)
{
	own_clear(engine_held_clear) struct engine_held held = ENGINE_HELD_NONE;
	struct container *c = &held.container;

	int r = engine_held_take(&held, engine, container, e);
	if (r == 0)
		r = check(c, o, e);
	if (r == 0)
		r = find_origin(engine, &held, o, e);
	if (r < 0)
		return r;
	own_clear(origin_clear) struct origin from = { .folder = held.folder,
						       .name = mem_text(c->name) };
	runtime_idmap_copy(&from.ids, &c->security.ids.uids, &c->security.ids.gids);
	renew(c, engine->store->root, o);
	r = write_record(engine, c, &from, o, e);
	if (r < 0)
		return r;
	engine_event_container(engine, c, "create", "clonedFrom", container, NULL);
	*ret = *c;
	*c = (struct container){ 0 };
	return 0;
}
