#include "engine/tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "engine/copied.h"
#include "engine/engine.h"
#include "engine/lower.h"
#include "engine/quota.h"
#include "engine/record.h"
#include "engine/shifted.h"
#include "engine/spec.h"
#include "engine/volume.h"
#include "oci/id_map.h"
#include "runtime/mount_other.h"
#include "runtime/overlay.h"
#include "runtime/user_namespace.h"
#include "runtime/view.h"
#include "storage/layer.h"
#include "storage/store.h"

struct oci_id_map engine_tree_ids(const struct container *c)
{
	return (struct oci_id_map){ c->security.ids.uids, c->security.ids.gids };
}

/* A clone of the mounts that its first process sees; of that process nothing else is used. */
static int open_live(enum engine_tree_mounts mounts, struct engine_tree *to, struct err *e)
{
	own_free char *owner =
		mem_format("%d:%llu", (int)to->state.pid, (unsigned long long)to->state.pid_start);

	if (mounts == ENGINE_TREE_CLOSED)
		return 0;
	to->root_fd = runtime_mount_other_open_in_parent(owner, "/",
							 mounts == ENGINE_TREE_WITH_MOUNTS, e);
	return to->root_fd < 0 ? to->root_fd : 0;
}

/* As at a start, but for what begins empty. Before the first there are no files of its network. */
static int open_view(struct engine *engine, enum engine_tree_mounts mounts, struct engine_tree *to,
		     struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	own_clear(spec_context_clear) struct spec_context context = { .store = engine->store };
	const struct container *c = &to->container;
	own_free char *folder = mem_format("%s/containers/%s", engine->store->root, c->id);
	struct container bare = *c;

	if (mounts == ENGINE_TREE_ALONE)
		bare.storage.mounts.count = 0;
	else if (faccessat(to->lock, "hosts", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		context.files = mem_text(folder);
	int r = engine_volume_make(engine, &bare, e);
	if (r == 0)
		r = engine_shifted_make(engine, c, false, e);
	if (r == 0)
		r = engine_quota_settle(c, to->lock, e);
	if (r < 0)
		return r;
	engine_spec_make_tree(&spec, &bare, &context);
	to->root_fd = runtime_view_open_in_parent(&spec, folder, e);
	return to->root_fd < 0 ? to->root_fd : 0;
}

static int open_still(struct engine *engine, const char *id, enum engine_tree_mounts mounts,
		      struct engine_tree *to, struct err *e)
{
	to->lock = record_lock(engine, id, true, e);
	if (to->lock < 0)
		return to->lock;
	int r = engine_state_read_locked(engine, id, to->lock, &to->state, e);
	if (r == 0)
		r = record_read(engine, id, &to->container, e);
	if (r < 0)
		return r;
	if (container_state_live(&to->state)) {
		close(take_fd(&to->lock));
		return open_live(mounts, to, e);
	}
	return mounts == ENGINE_TREE_CLOSED ? 0 : open_view(engine, mounts, to, e);
}

int engine_tree_open(struct engine *engine, const char *name, enum engine_tree_mounts mounts,
		     struct engine_tree *ret, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	int r = engine_find(engine, name, id, e);
	if (r == 0)
		r = engine_state_read(engine, id, &ret->state, e);
	if (r < 0)
		return r;
	if (ret->state.status == CONTAINER_RESTARTING)
		return err_set(e, ERR_STATE, "container %s is restarting", name);
	if (!container_state_live(&ret->state))
		return open_still(engine, id, mounts, ret, e);
	r = record_read(engine, id, &ret->container, e);
	return r < 0 ? r : open_live(mounts, ret, e);
}

int engine_tree_open_still(struct engine *engine, const struct container *c, struct err *e)
{
	own_fd int folder = record_open(engine, c->id, e);
	struct engine_tree tree = { .container = *c, .root_fd = -1, .lock = folder };

	if (folder < 0)
		return folder;
	int r = open_view(engine, ENGINE_TREE_ALONE, &tree, e);
	return r < 0 ? r : tree.root_fd;
}

/* ---- its parts ---- */

const char *const engine_tree_own_places[] = {
	"etc/hosts", "run/secrets", "etc/hostname", "etc/resolv.conf", "dev", "proc", "sys", NULL,
};

int engine_tree_open_layers(struct engine *engine, const struct container *c, bool image_only,
			    struct err *e)
{
	const struct runtime_idmap *ids = &c->security.ids;
	own_clear(runtime_overlay_clear) struct runtime_overlay overlay = { 0 };
	struct runtime_user_namespace user = RUNTIME_USER_NAMESPACE_INIT;

	runtime_idmap_copy(&user.ids, &ids->uids, &ids->gids);
	overlay.user = ids->uids.count ? &user : NULL;
	int fd = engine_shifted_make(engine, c, image_only, e);
	if (fd == 0) {
		engine_lower_add(&overlay, engine->store, c, image_only);
		fd = runtime_overlay_mount_in_parent(&overlay, engine->store->root, e);
	}
	runtime_user_namespace_clear(&user);
	return fd;
}

int engine_tree_open_image(struct engine *engine, const struct strv *layers, struct err *e)
{
	own_clear(runtime_overlay_clear) struct runtime_overlay overlay = { 0 };

	for (size_t i = layers->count; i-- > 0;)
		strv_add_take(&overlay.lower, storage_layer_path(engine->store, layers->items[i]));
	return runtime_overlay_mount_in_parent(&overlay, engine->store->root, e);
}

int engine_tree_open_upper(struct engine *engine, const struct container *c, struct err *e)
{
	int r = engine_copied_check(c, e);
	if (r < 0)
		return r;
	own_fd int folder = record_open(engine, c->id, e);
	own_fd int place = folder < 0 ? -1 : engine_quota_open(c, folder, false, e);
	if (place < 0)
		return folder < 0 ? folder : place;
	int fd = openat(place, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open what container %s wrote", c->name) : fd;
}

void engine_tree_close(struct engine_tree *tree)
{
	container_clear(&tree->container);
	own_fd_call(&tree->root_fd);
	own_fd_call(&tree->lock);
	*tree = (struct engine_tree)ENGINE_TREE_NONE;
}

int engine_tree_check(struct engine *engine, const struct engine_tree *tree, struct err *e)
{
	if (faccessat(engine->containers_fd, tree->container.id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return err_set(e, ERR_STATE, "container %s was removed meanwhile", tree->container.name);
}
