#include "engine/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "engine/freeze.h"
#include "engine/fsck.h"
#include "engine/image.h"
#include "engine/lower.h"
#include "engine/quota.h"
#include "engine/quota_disk.h"
#include "storage/index.h"
#include "storage/layer.h"
#include "storage/store.h"

/* ---- what is missing ---- */

static bool has(struct engine *engine, const struct container *c, const char *name)
{
	own_free char *path = mem_format("%s/%s", c->id, name);

	return faccessat(engine->containers_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* One that is written in place, or where a build says, has none of its own; on a disk both are in
 * that. */
static bool lacks_folder(struct engine *engine, const struct container *c, const char *name)
{
	const char *place = engine_quota_is_apart(c) ? QUOTA_DISK_FILE : name;

	return !c->image.in_place && !c->storage.upper && !has(engine, c, place);
}

const char *engine_whole_missing_layer(struct engine *engine, const struct container *c)
{
	for (size_t i = 0; i < c->image.layers.count; i++)
		if (!storage_layer_exists(engine->store, c->image.layers.items[i]))
			return c->image.layers.items[i];
	return NULL;
}

static char *missing_frozen(struct engine *engine, const struct container *c)
{
	own_clear(strv_clear) struct strv layers = { 0 };

	engine_lower_list_frozen(&layers, c);
	for (size_t i = 0; i < layers.count; i++)
		if (!storage_layer_exists(engine->store, layers.items[i]))
			return mem_text(layers.items[i]);
	return NULL;
}

void engine_whole_lacks_folders(struct strv *to, struct engine *engine, const struct container *c)
{
	if (lacks_folder(engine, c, "upper"))
		strv_add(to, "its upper folder, with all that it wrote, is missing");
	if (lacks_folder(engine, c, "work"))
		strv_add(to, "its work folder is missing");
}

void engine_whole_lacks(struct strv *to, struct engine *engine, const struct container *c)
{
	const char *layer = engine_whole_missing_layer(engine, c);
	own_free char *frozen = missing_frozen(engine, c);

	if (layer)
		strv_addf(to, "layer %.12s of its image is missing", layer);
	if (frozen)
		strv_addf(to, "layer %.12s, which was frozen of what it wrote, is missing", frozen);
	engine_whole_lacks_folders(to, engine, c);
	if (c->image.rootfs && access(c->image.rootfs, F_OK) < 0)
		strv_addf(to, "its root filesystem %s is not there", c->image.rootfs);
}

void engine_whole_judge(struct engine *engine, const struct container *c,
			struct container_state *state)
{
	own_clear(strv_clear) struct strv lacks = { 0 };

	if (state->status != CONTAINER_CREATED && state->status != CONTAINER_EXITED)
		return;
	/* it is just being started or removed */
	if (state->monitor_pid > 0)
		return;
	engine_whole_lacks(&lacks, engine, c);
	if (!lacks.count)
		return;
	state->status = CONTAINER_INCOMPLETE;
	snprintf(state->error, sizeof(state->error), "%s", lacks.items[0]);
}

/* ---- mending ---- */

static int mend_image(struct engine *engine, const struct container *c, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct container_image found = { 0 };
	const struct image_request request = { .name = c->image.id,
					       .pull = ENGINE_PULL_NEVER,
					       .quiet = true };
	const struct storage_entry entry = {
		.reference = c->image.reference,
		.digest = c->image.digest,
		.source = c->image.digest,
	};
	struct err unknown;

	int r = engine_image_resolve(engine, &request, &found, &image, &unknown);
	shape_clear(&container_image_shape, &found);
	if (r == 0 && !engine_whole_missing_layer(engine, c))
		return 0;
	r = engine_image_fetch_again(engine, &entry, c->platform, e);
	if (r < 0)
		return r;
	return engine_whole_missing_layer(engine, c)
		       ? err_set(e, ERR_CORRUPT, "what could be fetched is another image")
		       : 0;
}

static int refuse(const struct container *c, const char *what, struct err *e)
{
	err_set(e, ERR_CORRUPT, "container %s is incomplete: %s", c->name, what);
	return err_hint(e, ENGINE_FSCK_HINT);
}

static int mend_layers(struct engine *engine, const struct container *c, struct err *e)
{
	const char *layer = engine_whole_missing_layer(engine, c);
	own_free char *frozen = missing_frozen(engine, c);

	if (frozen) {
		err_set(e, ERR_CORRUPT,
			"container %s is incomplete: layer %.12s, which was frozen of what it "
			"wrote, is missing",
			c->name, frozen);
		return err_hint(e, "holm restore brings back a snapshot that has its layers");
	}
	if (!layer)
		return 0;
	log_warning("%s: layer %.12s of its image is missing: it is brought again", c->name, layer);
	int r = mend_image(engine, c, e);
	return r < 0 ? err_add(e, "container %s is incomplete: layer %.12s of its image is missing",
			       c->name, layer)
		     : 0;
}

int engine_whole_make_folders(struct engine *engine, const struct container *c, int folder_fd,
			      struct err *e)
{
	if (lacks_folder(engine, c, "upper")) {
		if (c->storage.copied)
			return refuse(c, "its upper folder, which was all of its root, is missing",
				      e);
		own_fd int upper = engine_freeze_make_folders(engine, c, folder_fd, e);
		return upper < 0 ? upper : 0;
	}
	if (lacks_folder(engine, c, "work") && mkdirat(folder_fd, "work", 0700) < 0)
		return err_sys(e, "make the container's work folder");
	return 0;
}

/* An empty upper folder in the place of a lost one is nothing that a start may decide, unless there
 * was nothing in it. */
int engine_whole_mend(struct engine *engine, const struct container *c, int folder_fd,
		      struct err *e)
{
	bool has_run = has(engine, c, "exit.json") || has(engine, c, "snapshots");

	if (lacks_folder(engine, c, "upper") && has_run)
		return refuse(c, "its upper folder, with all that it wrote, is missing", e);
	int r = mend_layers(engine, c, e);
	return r < 0 ? r : engine_whole_make_folders(engine, c, folder_fd, e);
}
