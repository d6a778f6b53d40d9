/* What the image says is composed here: the parent's config with what the container was started
 * with, then --change, then a line of history. holm-image adds the layer, whose digest comes out of
 * packing it. */
#include "engine/commit.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/freeze.h"
#include "engine/lower.h"
#include "engine/process.h"
#include "engine/stream.h"
#include "engine/tree.h"
#include "image/command.h"
#include "oci/image.h"
#include "oci/instruction.h"
#include "storage/image.h"
#include "storage/store.h"

struct commit {
	struct engine *engine;
	const struct commit_options *options;
	struct engine_tree tree; /* its root only of a container that has no layers */
	struct storage_image parent;
	char *reference;               /* in full, or NULL */
	int config_fd;                 /* the new image's config, without the layer */
	char merged[FROZEN_NAME_SIZE]; /* "": what it wrote lies in its upper folder alone */
	int layers;                    /* locked while there is a merged one */
};

static void commit_clear(struct commit *commit)
{
	engine_tree_close(&commit->tree);
	storage_image_clear(&commit->parent);
	free(commit->reference);
	own_fd_call(&commit->config_fd);
	if (*commit->merged)
		storage_frozen_remove(commit->engine->store, commit->merged);
	own_fd_call(&commit->layers);
}

/* ---- what the image says ---- */

static void replace(struct strv *to, const struct strv *by)
{
	strv_clear(to);
	strv_add_all(to, by);
}

/* As docker's commit: what the container was started with is what those of the image start with. */
static void take_process(struct oci_image_process *to, const struct container *c)
{
	const struct container_process *p = &c->process;

	replace(&to->env, &p->env);
	replace(&to->entrypoint, &p->entrypoint);
	replace(&to->cmd, &p->command);
	mem_replace(&to->working_dir, p->workdir);
	mem_replace(&to->user, p->user);
	mem_replace(&to->stop_signal, p->stop_signal);
	for (size_t i = 0; i < c->labels.count; i++)
		shape_map_set(&to->labels, c->labels.items[i].key, c->labels.items[i].value);
}

static int apply_changes(struct oci_image_process *to, const struct strv *changes, struct err *e)
{
	for (size_t i = 0; i < changes->count; i++)
		if (oci_instruction_apply(to, changes->items[i], e) < 0)
			return err_add(e, "--change");
	return 0;
}

static void take_platform(struct oci_image_config *to)
{
	struct oci_platform host = { 0 };

	if (to->architecture)
		return;
	oci_platform_host(&host);
	mem_replace(&to->architecture, host.architecture);
	mem_replace(&to->variant, host.variant);
	mem_replace(&to->os, host.os);
	oci_platform_clear(&host);
}

static int compose(struct commit *commit, struct err *e)
{
	struct oci_image_config *config = &commit->parent.config;
	const struct container *c = &commit->tree.container;
	char now[MOMENT_TEXT_SIZE];

	take_process(&config->config, c);
	int r = apply_changes(&config->config, &commit->options->change, e);
	if (r < 0)
		return r;
	moment_format(now, moment_now_ns());
	take_platform(config);
	mem_replace(&config->created, now);
	mem_replace(&config->author, commit->options->author);
	mem_replace(&config->rootfs.type, "layers");
	struct oci_image_history *history = shape_list_add(&config->history);
	*history = (struct oci_image_history){
		.created = mem_text(now),
		.created_by = strv_join(&c->process.command, " "),
		.author = mem_text(commit->options->author),
		.comment = mem_text(commit->options->message),
	};
	return 0;
}

static int write_config(struct commit *commit, struct err *e)
{
	own_json struct json_object *object =
		shape_write(&oci_image_config_shape, &commit->parent.config);
	const char *text = json_text(object);

	commit->config_fd = memfd_create("image-config", MFD_CLOEXEC);
	if (commit->config_fd < 0)
		return err_sys(e, "make a file in memory");
	int r = fd_write_all(commit->config_fd, text, strlen(text));
	if (r < 0)
		return err_number(e, -r, "write the image's config");
	return lseek(commit->config_fd, 0, SEEK_SET) < 0 ? err_sys(e, "rewind") : 0;
}

static int read_name(struct commit *commit, const char *name, struct err *e)
{
	own_clear(image_reference_clear) struct image_reference reference = { 0 };

	if (str_empty(name))
		return 0;
	int r = image_reference_parse(&reference, name, e);
	if (r < 0)
		return r;
	if (reference.digest)
		return err_set(e, ERR_INVALID, "'%s': a name cannot be made from a digest", name);
	commit->reference = image_reference_format(&reference);
	return 0;
}

/* ---- the layer ---- */

/* Is the layer all files, and the only one? A container of a folder has no others, and of a copy
 * nobody knows what is the image's. */
static bool is_whole(const struct commit *commit)
{
	const struct container *c = &commit->tree.container;

	return c->image.rootfs || c->storage.copied || commit->options->squash;
}

/* What lies in several layers is merged, and goes again with the commit. */
static int open_layer(struct commit *commit, struct err *e)
{
	const struct container *c = &commit->tree.container;

	if (is_whole(commit))
		return dup(commit->tree.root_fd);
	own_fd int upper = engine_tree_open_upper(commit->engine, c, e);
	if (upper < 0 || engine_lower_count_frozen(c) == 0)
		return take_fd(&upper);
	commit->layers = store_lock_layers_shared(commit->engine->store, e);
	if (commit->layers < 0)
		return commit->layers;
	int r = engine_freeze_merge(commit->merged, commit->engine, c, upper, e);
	if (r < 0)
		*commit->merged = '\0';
	return r < 0 ? r : storage_frozen_open(commit->engine->store, commit->merged, e);
}

static void tell(const struct commit *commit, const char *id)
{
	const char *comment = commit->options->message;
	const char *name = commit->reference ? image_reference_familiar(commit->reference) : "";

	if (commit->reference)
		engine_event_image(commit->engine, "tag", id, commit->reference);
	engine_event_container(commit->engine, &commit->tree.container, "commit", "comment",
			       comment ? comment : "", "imageID", id, "imageRef", name, NULL);
}

static int add_layer(struct commit *commit, char *ret_id, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	const struct oci_id_map ids = engine_tree_ids(&commit->tree.container);
	const struct container_image *image = &commit->tree.container.image;
	struct image_progress done = { 0 };

	own_fd int layer = open_layer(commit, e);
	if (layer < 0)
		return layer;
	image_command_begin(&arguments, "commit", commit->engine->store);
	engine_stream_add_ids(&arguments, &ids);
	for (size_t i = 0; !is_whole(commit) && engine_tree_own_places[i]; i++)
		strv_addf(&arguments, "--leave-out=%s", engine_tree_own_places[i]);
	if (str_equal(commit->options->format, "docker"))
		strv_add(&arguments, "--docker-types");
	strv_add(&arguments, "--");
	strv_add(&arguments, commit->tree.container.id);
	strv_add(&arguments, is_whole(commit) ? "" : image->digest);
	if (commit->reference)
		strv_add(&arguments, commit->reference);
	const struct image_command_files files = { layer, commit->config_fd };
	int r = image_command_run_on(&files, &done, &arguments, IMAGE_SHOW_NOTHING, e);
	if (r < 0)
		return r;
	memcpy(ret_id, done.digest, sizeof(done.digest));
	tell(commit, ret_id);
	return 0;
}

/* The pause is the connection's: it ends with this program, however that ends. */
static int add_layer_paused(struct commit *commit, char *ret_id, struct err *e)
{
	own_monitor_client struct monitor_client client = MONITOR_CLIENT_NONE;
	struct err gone;

	int r = engine_process_connect(commit->engine, commit->tree.container.id, &client, e);
	if (r == 0)
		r = monitor_client_hold(&client, e);
	if (r < 0)
		return err_add(e, "pause the container");
	r = add_layer(commit, ret_id, e);
	monitor_client_release(&client, &gone); /* it may have ended */
	return r;
}

/* The whole root where that is what is packed. */
static int open_tree_of(struct commit *commit, const char *container, struct err *e)
{
	int r = engine_tree_open(commit->engine, container, ENGINE_TREE_CLOSED, &commit->tree, e);

	if (r < 0 || !is_whole(commit))
		return r;
	engine_tree_close(&commit->tree);
	return engine_tree_open(commit->engine, container, ENGINE_TREE_ALONE, &commit->tree, e);
}

static int prepare(struct commit *commit, const char *container, const char *name, struct err *e)
{
	int r = read_name(commit, name, e);
	if (r == 0)
		r = open_tree_of(commit, container, e);
	if (r < 0)
		return r;
	const struct container_image *image = &commit->tree.container.image;
	if (!image->rootfs)
		r = storage_image_read(&commit->parent, commit->engine->store, image->digest, e);
	if (r == 0 && is_whole(commit))
		oci_image_config_forget_layers(&commit->parent.config);
	if (r == 0)
		r = compose(commit, e);
	return r < 0 ? r : write_config(commit, e);
}

int engine_commit(struct engine *engine, const char *container, const char *name,
		  const struct commit_options *options, char ret_id[IMAGE_DIGEST_SIZE],
		  struct err *e)
{
	own_clear(commit_clear) struct commit commit = {
		.engine = engine,
		.options = options,
		.tree = ENGINE_TREE_NONE,
		.config_fd = -1,
		.layers = -1,
	};

	int r = prepare(&commit, container, name, e);
	if (r < 0)
		return r;
	bool pause = (options->pause || !options->pause_given) &&
		     commit.tree.state.status == CONTAINER_RUNNING;
	return pause ? add_layer_paused(&commit, ret_id, e) : add_layer(&commit, ret_id, e);
}
