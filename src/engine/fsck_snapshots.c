/* A snapshot whose file is damaged, or that lacks a layer, can be restored no more. While one
 * cannot be read nothing is collected, since what it needs is not known: a repair puts it aside. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/fsck_part.h"
#include "engine/lower.h"
#include "engine/record.h"
#include "engine/snapshot_file.h"
#include "storage/layer.h"
#include "storage/store.h"

static void put_aside(const struct fsck_run *run, const struct container *c, const char *file,
		      const char *damage)
{
	own_free char *from = mem_format("containers/%s/snapshots/%s", c->id, file);
	own_free char *to = mem_format("%.12s-snapshot-%s", c->id, file);
	struct err e;

	own_fd int lock = record_lock(run->engine, c->id, false, &e);
	if (lock < 0)
		fsck_say(run, ENGINE_FSCK_LEFT, damage, e.text);
	else
		fsck_put_aside(run, from, to, damage, "");
}

/* NULL: it has all of them. */
static char *missing_layer(const struct store *store, const struct container *c)
{
	own_clear(strv_clear) struct strv layers = { 0 };

	engine_lower_list_frozen(&layers, c);
	for (size_t i = 0; i < layers.count; i++)
		if (!storage_layer_exists(store, layers.items[i]))
			return mem_text(layers.items[i]);
	return NULL;
}

static void check_snapshot(const struct fsck_run *run, const struct container *c, int folder_fd,
			   const char *file)
{
	own_clear(snapshot_clear) struct snapshot snapshot = { 0 };
	own_free char *name = mem_text_n(file, strlen(file) - strlen(".json"));
	own_free char *damage = NULL;
	struct err e;

	int r = snapshot_read(&snapshot, folder_fd, name, &e);
	if (r < 0 && e.kind == ERR_NOT_FOUND)
		return;
	own_free char *layer =
		r < 0 ? NULL : missing_layer(run->engine->store, &snapshot.container);
	if (r < 0)
		damage = mem_format("container %s: %s", c->name, e.text);
	else if (layer)
		damage = mem_format("container %s: snapshot %s lacks layer %.12s", c->name, name,
				    layer);
	if (damage && run->check->repair)
		put_aside(run, c, file, damage);
	else if (damage)
		fsck_say_found(run, damage);
}

static int check_container(const struct fsck_run *run, const struct container *c, struct err *e)
{
	own_clear(strv_clear) struct strv files = { 0 };

	own_fd int folder = record_open(run->engine, c->id, e);
	if (folder < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : folder;
	if (faccessat(folder, "snapshots", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	int r = fsck_list_names(folder, "snapshots", &files, e);
	for (size_t i = 0; r == 0 && i < files.count; i++)
		if (files.items[i][0] != '.' && str_ends(files.items[i], ".json"))
			check_snapshot(run, c, folder, files.items[i]);
	return r;
}

int fsck_snapshots(const struct fsck_run *run, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options all = { .all = true };

	int r = engine_list(run->engine, &all, &rows, e);
	for (size_t i = 0; r == 0 && i < rows.count; i++)
		r = check_container(run, &rows.items[i].container, e);
	return r;
}
