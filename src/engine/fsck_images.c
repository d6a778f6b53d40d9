/* Looking takes no lock that anybody waits for. Mending what was found is short, and takes all that
 * could start a container meanwhile: the layers' lock, and the lock of every container that does
 * not run. A layer that a running container stands on is left as it is. */
#include "engine/fsck_part.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/lower.h"
#include "engine/record.h"
#include "engine/whole.h"
#include "image/command.h"
#include "image/reference.h"
#include "oci/digest.h"
#include "storage/blob.h"
#include "storage/index.h"
#include "storage/layer.h"
#include "storage/store.h"

/* ---- the index ---- */

static int check_index(const struct fsck_run *run, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	const struct store *store = run->engine->store;
	struct err damage = { 0 };
	size_t count = 0;

	bool lost = storage_index_is_lost(store);
	if (lost)
		err_set(&damage, ERR_CORRUPT, "%s/images/index.json is missing", store->root);
	if (!lost && storage_index_read(&index, store, &damage) == 0)
		return 0;
	if (!run->check->repair) {
		fsck_say_found(run, damage.text);
		return 1;
	}
	int r = storage_index_rebuild(store, &count, e);
	if (r < 0)
		return r;
	own_free char *done = mem_format("written anew, with %zu images", count);
	fsck_say(run, ENGINE_FSCK_MENDED, damage.text, done);
	return 0;
}

/* ---- what holm-image finds ---- */

struct finding {
	char *text;
	char *name; /* "layer/sha256:HEX" or "blob/sha256:HEX" */
	bool mended;
};

struct findings {
	SHAPE_LIST_OF(struct finding) items;
};

static void findings_clear(struct findings *findings)
{
	for (size_t i = 0; i < findings->items.count; i++) {
		free(findings->items.items[i].text);
		free(findings->items.items[i].name);
	}
	free(findings->items.items);
	*findings = (struct findings){ 0 };
}

static void take_finding(void *arg, const struct image_progress *progress)
{
	struct findings *findings = arg;

	if (progress->kind != IMAGE_PROGRESS_FINDING)
		return;
	struct finding *finding = shape_list_add(&findings->items);
	finding->text = mem_text(progress->text);
	finding->name =
		mem_format("%s/%s", progress->is_layer ? "layer" : "blob", progress->digest);
	finding->mended = progress->state == IMAGE_STATE_DONE;
}

static int call(const struct fsck_run *run, const char *verb, const struct strv *operands,
		struct findings *ret, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	image_command_begin(&arguments, verb, run->engine->store);
	strv_add(&arguments, "--");
	strv_add_all(&arguments, operands);
	return image_command_run_each(take_finding, ret, &arguments, IMAGE_SHOW_PROGRESS, e);
}

static int look(const struct fsck_run *run, struct findings *ret, struct err *e)
{
	own_clear(strv_clear) struct strv how = { 0 };

	strv_add(&how, run->check->quick ? "quick" : "full");
	int r = call(run, "check", &how, ret, e);
	for (size_t i = 0; r == 0 && !run->check->repair && i < ret->items.count; i++)
		fsck_say_found(run, ret->items.items[i].text);
	return r;
}

/* ---- mending under locks ---- */

/* Layers of containers that run (or that somebody just starts), each with such a container's name;
 * and the locks of the others. */
struct held {
	struct strv layers; /* "HEX=NAME" */
	int *locks;
	size_t count;
	int layers_lock;
};

static void held_clear(struct held *held)
{
	for (size_t i = 0; i < held->count; i++)
		close(held->locks[i]);
	free(held->locks);
	strv_clear(&held->layers);
	if (held->layers_lock >= 0)
		close(held->layers_lock);
}

static void hold_layers(struct held *held, const struct strv *layers, const char *name)
{
	for (size_t i = 0; i < layers->count; i++)
		strv_addf(&held->layers, "%s=%s", layers->items[i], name);
}

static void hold_container(const struct fsck_run *run, struct held *held,
			   const struct engine_row *row)
{
	const struct container *c = &row->container;
	struct err busy;

	bool live = container_state_live(&row->state) || row->state.status == CONTAINER_RESTARTING;
	int lock = live ? -1 : record_lock(run->engine, c->id, false, &busy);
	if (lock >= 0) {
		held->locks[held->count++] = lock;
		return;
	}
	hold_layers(held, &c->image.layers, c->name);
	for (size_t i = 0; i < c->storage.mounts.count; i++)
		hold_layers(held, &c->storage.mounts.items[i].layers, c->name);
}

static int hold(const struct fsck_run *run, struct held *held, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options all = { .all = true, .quiet = true };

	held->layers_lock = store_lock_layers_exclusive(run->engine->store, true, e);
	if (held->layers_lock < 0)
		return held->layers_lock;
	int r = engine_list(run->engine, &all, &rows, e);
	if (r == 0)
		r = engine_rows_whole(&rows, e);
	if (r < 0)
		return r;
	held->locks = mem_new(rows.count + 1, sizeof(int));
	for (size_t i = 0; i < rows.count; i++)
		hold_container(run, held, &rows.items[i]);
	return 0;
}

/* The running container that stands on this layer; NULL: none. */
static const char *holder_of(const struct held *held, const char *name)
{
	const char *digest = strchr(name, '/') + 1;

	return str_starts(name, "layer/") ? strv_value(&held->layers, oci_digest_hex(digest))
					  : NULL;
}

static void say_held(const struct fsck_run *run, const struct finding *finding, const char *holder)
{
	own_free char *why = mem_format(
		"the running container %s stands on it: stop it, and check again", holder);

	fsck_say(run, ENGINE_FSCK_LEFT, finding->text, why);
}

/* What could not be mended for want of a blob stays in *findings, for when that was fetched. */
static int mend(const struct fsck_run *run, struct findings *findings, struct err *e)
{
	own_clear(held_clear) struct held held = { .layers_lock = -1 };
	own_clear(strv_clear) struct strv operands = { 0 };
	own_clear(findings_clear) struct findings again = { 0 };

	int r = hold(run, &held, e);
	for (size_t i = 0; r == 0 && i < findings->items.count; i++) {
		const char *holder = holder_of(&held, findings->items.items[i].name);
		if (holder)
			say_held(run, &findings->items.items[i], holder);
		else
			strv_add(&operands, findings->items.items[i].name);
	}
	findings_clear(findings);
	if (r == 0 && operands.count)
		r = call(run, "mend", &operands, &again, e);
	for (size_t i = 0; r == 0 && i < again.items.count; i++) {
		struct finding *from = &again.items.items[i];
		bool layer = str_starts(from->name, "layer/");
		if (from->mended) {
			fsck_say(run, ENGINE_FSCK_MENDED, from->text,
				 layer ? "unpacked again" : "removed");
			continue;
		}
		struct finding *to = shape_list_add(&findings->items);
		to->text = take_ptr(&from->text);
		to->name = take_ptr(&from->name);
	}
	return r;
}

/* ---- is each image whole? ---- */

struct lack {
	char *text; /* NULL: it is whole */
	bool runs;  /* it lacks no more than packed layers: containers can be made of it */
	char *platform;
};

static void lack_clear(struct lack *lack)
{
	free(lack->text);
	free(lack->platform);
	*lack = (struct lack){ 0 };
}

static const char *name_of(const struct storage_entry *entry)
{
	return entry->reference ? image_reference_familiar(entry->reference) : entry->digest;
}

static bool layer_is_whole(const struct store *store, const char *diff_id)
{
	own_clear(layer_facts_clear) struct layer_facts facts = { 0 };
	struct err e;

	return storage_layer_exists(store, diff_id) &&
	       storage_layer_facts(store, diff_id, &facts, &e) == 0;
}

static void judge(const struct fsck_run *run, const struct storage_entry *entry, struct lack *to)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	const struct store *store = run->engine->store;
	const char *name = name_of(entry);
	struct err e;

	if (storage_image_read(&image, store, entry->digest, &e) < 0) {
		to->text = mem_format("image %s: %s", name, e.text);
		return;
	}
	to->platform = image.config.os && image.config.architecture
			       ? mem_format("%s/%s%s%s", image.config.os, image.config.architecture,
					    image.config.variant ? "/" : "",
					    image.config.variant ? image.config.variant : "")
			       : NULL;
	for (size_t i = 0; i < image.config.rootfs.diff_ids.count; i++) {
		const char *diff_id = image.config.rootfs.diff_ids.items[i];
		if (layer_is_whole(store, diff_id) || storage_image_layer_waits(&image, store, i))
			continue;
		to->text = mem_format("image %s lacks layer %.12s", name, oci_digest_hex(diff_id));
		return;
	}
	to->runs = true;
	for (size_t i = 0; i < image.manifest.layers.count; i++) {
		const struct oci_descriptor *layer = &image.manifest.layers.items[i];
		if (storage_blob_exists(store, layer->digest, layer->size))
			continue;
		to->text = mem_format("image %s lacks blob %.19s", name, layer->digest);
		return;
	}
}

static void give_up(const struct fsck_run *run, const struct storage_entry *entry,
		    const struct lack *lack, const char *why)
{
	struct err e;

	if (lack->runs) {
		own_free char *text = mem_format("%s: it runs, and can be neither saved nor "
						 "pushed",
						 why);
		fsck_say(run, ENGINE_FSCK_LEFT, lack->text, text);
		return;
	}
	own_free char *text = mem_format("%s: removed", why);
	if (storage_index_remove(run->engine->store, entry->digest, &e) < 0)
		fsck_say(run, ENGINE_FSCK_LEFT, lack->text, e.text);
	else
		fsck_say(run, ENGINE_FSCK_MENDED, lack->text, text);
}

static int mend_image(const struct fsck_run *run, const struct storage_entry *entry,
		      const struct lack *lack, struct findings *rest, struct err *e)
{
	own_clear(lack_clear) struct lack after = { 0 };
	struct err why;

	int r = engine_image_fetch_again(run->engine, entry, lack->platform, &why);
	if (r == 0 && rest->items.count && mend(run, rest, e) < 0)
		return -e->number;
	if (r < 0) {
		give_up(run, entry, lack, why.text);
		return 0;
	}
	judge(run, entry, &after);
	if (after.text)
		give_up(run, entry, &after, "what could be fetched is another image");
	else
		fsck_say(run, ENGINE_FSCK_MENDED, lack->text, "fetched again");
	return 0;
}

static int check_wholeness(const struct fsck_run *run, struct findings *rest, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	own_clear(strv_clear) struct strv seen = { 0 };

	int r = storage_index_read(&index, run->engine->store, e);
	for (size_t i = 0; r == 0 && i < index.entries.count; i++) {
		const struct storage_entry *entry = &index.entries.items[i];
		own_clear(lack_clear) struct lack lack = { 0 };
		if (strv_contains(&seen, entry->digest))
			continue;
		strv_add(&seen, entry->digest);
		judge(run, entry, &lack);
		if (lack.text && run->check->repair)
			r = mend_image(run, entry, &lack, rest, e);
		else if (lack.text)
			fsck_say_found(run, lack.text);
	}
	/* a layer of an image that is gone goes with the garbage */
	for (size_t i = 0; r == 0 && run->check->repair && i < rest->items.count; i++) {
		const char *diff_id = strchr(rest->items.items[i].name, '/') + 1;
		if (storage_layer_exists(run->engine->store, diff_id))
			fsck_say(run, ENGINE_FSCK_LEFT, rest->items.items[i].text,
				 "its blob is not there to unpack it from");
	}
	return r;
}

/* ---- has each container its layers? ---- */

/* Its image may have no name any more: by the name and the digest that the container remembers. */
static int fetch_for(const struct fsck_run *run, const struct container *c, struct err *e)
{
	const struct storage_entry entry = {
		.reference = c->image.reference,
		.digest = c->image.digest,
		.source = c->image.digest,
	};

	return engine_image_fetch_again(run->engine, &entry, NULL, e);
}

/* Nothing brings back what a container wrote. */
static bool check_frozen(const struct fsck_run *run, const struct container *c)
{
	own_clear(strv_clear) struct strv layers = { 0 };

	engine_lower_list_frozen(&layers, c);
	for (size_t i = 0; i < layers.count; i++) {
		if (storage_layer_exists(run->engine->store, layers.items[i]))
			continue;
		own_free char *damage =
			mem_format("container %s lacks layer %.12s, which was frozen of what it "
				   "wrote",
				   c->name, layers.items[i]);
		if (run->check->repair)
			fsck_say(run, ENGINE_FSCK_LEFT, damage,
				 "it cannot start; holm restore brings back a snapshot that has "
				 "its layers");
		else
			fsck_say_found(run, damage);
		return false;
	}
	return true;
}

static void check_layers_of(const struct fsck_run *run, const struct container *c)
{
	const char *hex = engine_whole_missing_layer(run->engine, c);
	struct err e;

	if (!check_frozen(run, c) || !hex)
		return;
	own_free char *damage = mem_format("container %s lacks layer %.12s", c->name, hex);
	if (!run->check->repair) {
		fsck_say_found(run, damage);
		return;
	}
	int r = fetch_for(run, c, &e);
	if (r == 0 && !engine_whole_missing_layer(run->engine, c)) {
		fsck_say(run, ENGINE_FSCK_MENDED, damage, "fetched again");
		return;
	}
	own_free char *why =
		mem_format("it cannot start, what it wrote is in %s/containers/%s/upper",
			   run->engine->store->root, c->id);
	fsck_say(run, ENGINE_FSCK_LEFT, damage, why);
}

static int check_container_layers(const struct fsck_run *run, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options all = { .all = true, .quiet = true };

	int r = engine_list(run->engine, &all, &rows, e);
	for (size_t i = 0; r == 0 && i < rows.count; i++)
		check_layers_of(run, &rows.items[i].container);
	return r;
}

int fsck_images(const struct fsck_run *run, struct err *e)
{
	own_clear(findings_clear) struct findings findings = { 0 };

	int r = check_index(run, e);
	if (r != 0)
		return r < 0 ? r : 0; /* without an index there is nothing to go by */
	r = look(run, &findings, e);
	if (r == 0 && run->check->repair && findings.items.count)
		r = mend(run, &findings, e);
	if (r == 0)
		r = check_wholeness(run, &findings, e);
	return r < 0 ? r : check_container_layers(run, e);
}
