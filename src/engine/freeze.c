/* The layer is made empty and named by the record first, then its folder and the upper one are
 * exchanged: before and after it the container has the same files, so a kill in between loses and
 * mixes nothing. */
#include "engine/freeze.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/copy_update.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/rename.h"
#include "engine/copied.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "engine/lower.h"
#include "engine/process.h"
#include "engine/quota.h"
#include "engine/record.h"
#include "engine/tree.h"
#include "engine/userns.h"
#include "monitor/client.h"
#include "monitor/reap.h"
#include "oci/id_map.h"
#include "runtime/overlay.h"
#include "storage/frozen.h"
#include "storage/squash.h"
#include "storage/store.h"

int engine_freeze_is_live(const struct container *c, const struct container_state *state,
			  struct err *e)
{
	if (state->status == CONTAINER_RESTARTING)
		return err_set(e, ERR_STATE, "container %s is restarting", c->name);
	return container_state_live(state);
}

/* So many frozen layers, and the next time they become one. */
enum { FREEZE_LAYERS_MAX = 64 };

static int is_empty(int folder_fd, struct err *e)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return err_sys(e, "read what the container wrote");
	for (struct dirent *entry; (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return 0;
	return 1;
}

/* With the ids that the container has now. */
static int make_layer(char ret[FROZEN_NAME_SIZE], struct engine *engine, const struct container *c,
		      int like_fd, struct err *e)
{
	const struct storage_frozen_facts facts = {
		.container = c->id,
		.uids = c->security.ids.uids,
		.gids = c->security.ids.gids,
	};

	return storage_frozen_make(ret, engine->store, like_fd, &facts, e);
}

/* ---- several layers as one ---- */

static void idmap_clear(struct runtime_idmap *ids)
{
	runtime_idmap_clear(ids);
}

static void shift_of(struct runtime_idmap *ret, const struct container_frozen *group,
		     const struct container *c)
{
	/* that came from elsewhere they are on the disk as in the container */
	if (group->ids.uids.count == 0)
		runtime_idmap_copy(ret, &c->security.ids.uids, &c->security.ids.gids);
	else
		runtime_idmap_shift(ret, &group->ids, &c->security.ids);
}

static int add_group(struct engine *engine, int to_fd, const struct container_frozen *group,
		     const struct container *c, bool copied, struct err *e)
{
	own_clear(idmap_clear) struct runtime_idmap shift = { 0 };

	shift_of(&shift, group, c);
	bool same = shift.uids.count == 0 && shift.gids.count == 0;
	const struct oci_id_map map = { shift.uids, shift.gids };
	const struct copy_options copy = {
		.all_attributes = true,
		.map = same ? NULL : oci_id_map_shift_owner,
		.context = &map,
	};
	const struct squash_options options = { copied || !same ? &copy : NULL };
	int r = 0;

	for (size_t i = 0; r == 0 && i < group->layers.count; i++) {
		own_fd int layer = storage_frozen_open(engine->store, group->layers.items[i], e);
		r = layer < 0 ? layer : storage_squash_add(to_fd, layer, &options, e);
	}
	return r;
}

static int merge(char ret_layer[FROZEN_NAME_SIZE], struct engine *engine, const struct container *c,
		 int upper_fd, bool copied, struct err *e)
{
	static const struct squash_options links = { 0 };

	int r = make_layer(ret_layer, engine, c, -1, e);
	if (r < 0)
		return r;
	own_fd int to = storage_frozen_open(engine->store, ret_layer, e);
	r = to < 0 ? to : 0;
	for (size_t i = 0; r == 0 && i < c->storage.frozen.count; i++)
		r = add_group(engine, to, &c->storage.frozen.items[i], c, copied, e);
	if (r == 0 && upper_fd >= 0)
		r = storage_squash_add(to, upper_fd, &links, e);
	if (r == 0 && copied && syncfs(to) < 0)
		r = err_sys(e, "sync the layer");
	if (r < 0)
		storage_frozen_remove(engine->store, ret_layer);
	return r < 0 ? err_add(e, "make one layer of what container %s wrote", c->name) : 0;
}

int engine_freeze_merge(char ret_layer[FROZEN_NAME_SIZE], struct engine *engine,
			const struct container *c, int upper_fd, struct err *e)
{
	return merge(ret_layer, engine, c, upper_fd, false, e);
}

int engine_freeze_flatten(struct engine *engine, struct container *c, bool copied, struct err *e)
{
	static const struct container none = { 0 };
	char layer[FROZEN_NAME_SIZE];

	if (engine_lower_count_frozen(c) == 0)
		return 0;
	int r = merge(layer, engine, c, -1, copied, e);
	if (r < 0)
		return r;
	engine_lower_replace(c, &none);
	engine_lower_push(c, layer);
	return 0;
}

/* More layers cost at each start, and the kernel takes RUNTIME_OVERLAY_LAYERS_MAX at most: those
 * that were frozen become one in time. */
static int make_room(struct engine *engine, struct container *c, struct err *e)
{
	size_t frozen = engine_lower_count_frozen(c);

	if (frozen >= FREEZE_LAYERS_MAX)
		return engine_freeze_flatten(engine, c, false, e);
	if (c->image.layers.count + frozen + 1 < RUNTIME_OVERLAY_LAYERS_MAX)
		return 0;
	return err_set(e, ERR_UNSUPPORTED,
		       "container %s stands on %zu layers, and the kernel takes no more", c->name,
		       c->image.layers.count + frozen);
}

/* ---- of one that does not run ---- */

/* overlayfs's index says to which upper folder it belongs, and that is another now. */
static void forget_upper(int place_fd)
{
	struct err ignored;

	fd_remove_tree_at(place_fd, "work/index", &ignored);
}

/* The upper folder that comes is counted as the one that goes was, by itself. */
static int count_from_here(struct engine *engine, const struct container *c, const char *layer,
			   struct err *e)
{
	own_fd int fs = storage_frozen_open(engine->store, layer, e);

	return fs < 0 ? fs : engine_quota_begin(c, fs, e);
}

static int name_and_exchange(struct engine *engine, struct container *c, int upper_fd,
			     int folder_fd, const char *layer, struct err *e)
{
	fault_point("freeze.layer");
	engine_lower_push(c, layer);
	int r = record_commit(folder_fd, c, e);
	if (r < 0)
		return r;
	fault_point("freeze.record");
	r = count_from_here(engine, c, layer, e);
	if (r == 0)
		r = storage_frozen_exchange(engine->store, layer, folder_fd, "upper", e);
	if (r < 0)
		return r;
	fault_point("freeze.exchange");
	forget_upper(folder_fd);
	engine_quota_forget(c, upper_fd);
	return engine_quota_settle(c, folder_fd, e);
}

/* What is on a filesystem of its own cannot be exchanged with a layer: it is copied, and then taken
 * away. In between it is there twice, which makes no difference to the container. */
static int copy_and_renew(struct engine *engine, struct container *c, int upper_fd, int folder_fd,
			  const char *layer, struct err *e)
{
	static const struct copy_options options = { .all_attributes = true, .opaque = true };

	own_fd int to = storage_frozen_open(engine->store, layer, e);
	int r = to < 0 ? to : copy_tree_contents(upper_fd, to, true, &options, e);
	if (r == 0 && syncfs(to) < 0)
		r = err_sys(e, "sync the layer");
	if (r < 0) {
		storage_frozen_remove(engine->store, layer);
		return err_add(e, "copy what container %s wrote", c->name);
	}
	fault_point("freeze.layer");
	engine_lower_push(c, layer);
	r = record_commit(folder_fd, c, e);
	fault_point("freeze.record");
	return r < 0 ? r : engine_freeze_renew_upper(engine, c, folder_fd, e);
}

int engine_freeze_still(struct engine *engine, struct container *c, int folder_fd, struct err *e)
{
	char layer[FROZEN_NAME_SIZE];

	/* of its last run something may still be mounted */
	own_free char *run_dir = engine_process_run_dir(engine, c->id);
	int settled = monitor_reap_settle(run_dir, e);
	if (settled < 0)
		return settled;
	own_fd int upper = engine_tree_open_upper(engine, c, e);
	if (upper < 0)
		return upper;
	int empty = is_empty(upper, e);
	if (empty != 0)
		return empty < 0 ? empty : 0;
	int r = make_room(engine, c, e);
	if (r == 0)
		r = make_layer(layer, engine, c, upper, e);
	if (r < 0)
		return r;
	/* on failure the record may name it: it is collected, should it not */
	return engine_quota_is_apart(c) ? copy_and_renew(engine, c, upper, folder_fd, layer, e)
					: name_and_exchange(engine, c, upper, folder_fd, layer, e);
}

/* ---- of one that runs ---- */

struct freeze_capture {
	int from_fd;
	int to_fd;
	bool updates; /* most of it has been copied while the container ran */
	struct copy_update update;
};

#define CAPTURE_NONE                                                                               \
	(struct freeze_capture)                                                                    \
	{                                                                                          \
		.from_fd = -1, .to_fd = -1                                                         \
	}

static void capture_clear(struct freeze_capture *capture)
{
	copy_update_clear(&capture->update);
	if (capture->from_fd >= 0)
		close(capture->from_fd);
	if (capture->to_fd >= 0)
		close(capture->to_fd);
}

static int empty_folder(int folder_fd, struct err *e)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir)
		return err_sys(e, "read the layer");
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = fd_remove_tree_at(folder_fd, entry->d_name, e);
	return r;
}

/* Files come and go meanwhile: if it does not succeed, all of it is for the pause. */
static int capture_ahead(struct freeze_capture *both, struct err *e)
{
	struct err moved;

	both->update.options = (struct copy_options){ .all_attributes = true, .opaque = true };
	if (!copy_update_works(both->from_fd))
		return 0;
	both->updates = copy_update_begin(&both->update, both->from_fd, both->to_fd, &moved) == 0;
	return both->updates ? 0 : empty_folder(both->to_fd, e);
}

static int capture(struct freeze_capture *both, struct err *e)
{
	int r = both->updates ? copy_update_finish(&both->update, both->from_fd, both->to_fd, e)
			      : 1;

	if (r <= 0)
		return r;
	r = empty_folder(both->to_fd, e);
	return r < 0 ? r
		     : copy_tree_contents(both->from_fd, both->to_fd, true, &both->update.options,
					  e);
}

/* The pause is the connection's: it ends with this program, however that ends. Who lets the
 * container go on meanwhile makes the copy worthless. */
static int copy_held(struct engine *engine, const struct container *c, struct freeze_capture *both,
		     int64_t *ret_paused_ns, struct err *e)
{
	own_monitor_client struct monitor_client client = MONITOR_CLIENT_NONE;
	struct container_state state;
	struct err gone;

	int r = engine_process_connect(engine, c->id, &client, e);
	int64_t began_ns = moment_monotonic_ns();
	if (r == 0)
		r = monitor_client_hold(&client, e);
	if (r < 0)
		return err_add(e, "pause the container");
	r = capture(both, e);
	bool goes_on = r == 0 && engine_state_read(engine, c->id, &state, &gone) == 0 &&
		       state.status == CONTAINER_RUNNING;
	monitor_client_release(&client, &gone); /* it may have ended */
	*ret_paused_ns = moment_monotonic_ns() - began_ns;
	return goes_on ? err_set(e, ERR_STATE, "somebody unpaused it meanwhile") : r;
}

static int copy_paused(struct engine *engine, const struct container *c,
		       const struct container_state *state, struct freeze_capture *both,
		       int64_t *ret_paused_ns, struct err *e)
{
	*ret_paused_ns = 0;
	int r = capture_ahead(both, e);
	if (r < 0)
		return r;
	/* somebody else's pause stays */
	r = state->status == CONTAINER_PAUSED ? capture(both, e)
					      : copy_held(engine, c, both, ret_paused_ns, e);
	/* its bytes before its name: a layer that is named is a promise */
	if (r == 0 && syncfs(both->to_fd) < 0)
		r = err_sys(e, "sync the layer");
	return r;
}

/* From its upper folder into a layer that is made. */
static int capture_open(struct freeze_capture *both, char ret_layer[FROZEN_NAME_SIZE],
			struct engine *engine, struct container *c, struct err *e)
{
	both->from_fd = engine_tree_open_upper(engine, c, e);
	if (both->from_fd < 0)
		return both->from_fd;
	int r = make_room(engine, c, e);
	if (r == 0)
		r = make_layer(ret_layer, engine, c, both->from_fd, e);
	if (r < 0)
		return r;
	both->to_fd = storage_frozen_open(engine->store, ret_layer, e);
	if (both->to_fd < 0)
		storage_frozen_remove(engine->store, ret_layer);
	return both->to_fd < 0 ? both->to_fd : 0;
}

/* r: how the copy went. */
static int capture_end(int r, struct engine *engine, struct container *c, const char *layer,
		       struct err *e)
{
	if (r < 0) {
		storage_frozen_remove(engine->store, layer);
		return err_add(e, "copy what container %s wrote", c->name);
	}
	engine_lower_push(c, layer);
	return 0;
}

int engine_freeze_begin(struct freeze_capture **ret, char ret_layer[FROZEN_NAME_SIZE],
			struct engine *engine, struct container *c, struct err *e)
{
	struct freeze_capture *both = mem_new_struct(struct freeze_capture);

	*both = CAPTURE_NONE;
	int r = capture_open(both, ret_layer, engine, c, e);
	if (r == 0)
		r = capture_end(capture_ahead(both, e), engine, c, ret_layer, e);
	if (r < 0)
		engine_freeze_end(both);
	else
		*ret = both;
	return r;
}

int engine_freeze_finish(struct freeze_capture *both, struct err *e)
{
	return capture(both, e);
}

void engine_freeze_end(struct freeze_capture *both)
{
	if (!both)
		return;
	capture_clear(both);
	free(both);
}

int engine_freeze_live(struct engine *engine, struct container *c,
		       const struct container_state *state, int64_t *ret_paused_ns, struct err *e)
{
	own_clear(capture_clear) struct freeze_capture both = CAPTURE_NONE;
	char layer[FROZEN_NAME_SIZE];

	int r = capture_open(&both, layer, engine, c, e);
	if (r < 0)
		return r;
	r = copy_paused(engine, c, state, &both, ret_paused_ns, e);
	return capture_end(r, engine, c, layer, e);
}

/* ---- an upper folder ---- */

/* Owner, mode and attributes that the container's root has by the topmost of the frozen layers, if
 * there are any. */
static int make_like_root(struct engine *engine, const struct container *c, int upper_fd,
			  struct err *e)
{
	own_clear(idmap_clear) struct runtime_idmap shift = { 0 };

	if (engine_lower_count_frozen(c) == 0)
		return 0;
	const struct container_frozen *top = &c->storage.frozen.items[c->storage.frozen.count - 1];
	shift_of(&shift, top, c);
	const struct oci_id_map map = { shift.uids, shift.gids };
	const struct copy_options copy = {
		.all_attributes = true,
		.map = oci_id_map_shift_owner,
		.context = &map,
	};
	own_fd int layer =
		storage_frozen_open(engine->store, top->layers.items[top->layers.count - 1], e);
	return layer < 0 ? layer : copy_attributes_of(layer, upper_fd, &copy, e);
}

/* The caller's, whoever the container's ids make of the caller, is its root's. */
static int make_upper(struct engine *engine, const struct container *c, int place_fd,
		      const char *name, struct err *e)
{
	if (mkdirat(place_fd, name, 0755) < 0)
		return err_sys(e, "make the container's upper folder");
	own_fd int fd = openat(place_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open the upper folder");
	int r = engine_userns_give(c, fd, e);
	if (r == 0)
		r = make_like_root(engine, c, fd, e);
	if (r == 0)
		r = engine_quota_begin(c, fd, e);
	return r < 0 ? err_add(e, "the upper folder") : take_fd(&fd);
}

int engine_freeze_make_folders(struct engine *engine, const struct container *c, int folder_fd,
			       struct err *e)
{
	own_fd int place = engine_quota_open(c, folder_fd, true, e);
	own_fd int upper = place < 0 ? -1 : make_upper(engine, c, place, "upper", e);

	if (upper < 0)
		return place < 0 ? place : upper;
	if (mkdirat(place, "work", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the container's work folder");
	int r = engine_quota_settle(c, folder_fd, e);
	return r < 0 ? r : take_fd(&upper);
}

int engine_freeze_renew_upper(struct engine *engine, const struct container *c, int folder_fd,
			      struct err *e)
{
	static const char fresh[] = "fresh";

	int r = engine_copied_check(c, e);
	if (r < 0)
		return r;
	own_fd int place = engine_quota_open(c, folder_fd, false, e);
	if (place < 0)
		return place;
	/* of one that was killed here */
	r = fd_remove_tree_at(place, fresh, e);
	own_fd int fd = r < 0 ? -1 : make_upper(engine, c, place, fresh, e);
	if (fd < 0)
		return r < 0 ? r : fd;
	r = rename_exchange_at(place, fresh, place, "upper", e);
	if (r < 0)
		return r;
	forget_upper(place);
	own_fd int old = openat(place, fresh, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	engine_quota_forget(c, old);
	r = fd_remove_tree_at(place, fresh, e);
	return r < 0 ? r : engine_quota_settle(c, folder_fd, e);
}
