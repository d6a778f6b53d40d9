#include "build/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "build/build.h"
#include "build/step.h"
#include "engine/engine.h"
#include "engine/image.h"
#include "engine/images.h"
#include "engine/stream.h"
#include "engine/tree.h"
#include "image/command.h"
#include "storage/store.h"

#define SPLIT "platform-split"

struct output {
	const char *type;
	const char *to; /* NULL: not said */
	struct strv pairs;
};

static void output_clear(struct output *output)
{
	strv_clear(&output->pairs);
}

static int parse(struct output *to, const char *text, struct err *e)
{
	static const char *const types[] = { "local", "tar", "oci", "docker", "image", "registry" };

	if (!strchr(text, '=')) {
		to->type = strcmp(text, "-") == 0 ? "tar" : "local";
		to->to = text;
		return 0;
	}
	strv_split(&to->pairs, text, ',');
	for (size_t i = 0; i < to->pairs.count; i++) {
		const char *pair = to->pairs.items[i];
		if (!str_starts(pair, "type=") && !str_starts(pair, "dest=") &&
		    !str_starts(pair, "name=") && !str_equal(pair, SPLIT "=true"))
			return err_set(e, ERR_INVALID, "--output %s: '%s' is not known", text,
				       pair);
	}
	const char *type = strv_value(&to->pairs, "type");
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (str_equal(type, types[i]))
			to->type = types[i];
	if (!to->type)
		return err_set(e, ERR_INVALID,
			       "--output %s: type is none of local, tar, oci, docker, image, "
			       "registry",
			       text);
	to->to = strv_value(&to->pairs, "dest");
	bool named = str_equal(to->type, "image") || str_equal(to->type, "registry");
	if (strv_value(&to->pairs, "name") && !named)
		return err_set(e, ERR_INVALID, "--output %s: only an image has a name", text);
	if (to->to && named)
		return err_set(e, ERR_INVALID, "--output %s: an image has no dest", text);
	if (!to->to && str_equal(to->type, "local"))
		return err_set(e, ERR_INVALID, "--output %s: it has no dest", text);
	return 0;
}

/* Does the store have it already? */
static bool is_stored(const struct output *output)
{
	return str_equal(output->type, "image") || str_equal(output->type, "registry") ||
	       (str_equal(output->type, "docker") && !output->to);
}

/* As docker has it: such an archive has one image of a name. */
static int check_several(const struct output *output, struct err *e)
{
	if (!str_equal(output->type, "docker") || !output->to)
		return 0;
	err_set(e, ERR_UNSUPPORTED, "--output type=docker,dest=: an archive of one platform");
	return err_hint(e, "type=oci takes several");
}

int build_output_check(const struct build *build, struct err *e)
{
	const struct strv *outputs = &build->o->output;
	int r = 0;

	for (size_t i = 0; r == 0 && i < outputs->count; i++) {
		own_clear(output_clear) struct output output = { 0 };
		r = parse(&output, outputs->items[i], e);
		if (r == 0 && str_equal(output.type, "registry") && !build->o->tag.count &&
		    !strv_value(&output.pairs, "name")) {
			err_set(e, ERR_INVALID, "--output type=registry: it has no name");
			r = err_hint(e, "--tag NAME, or type=registry,name=NAME");
		}
		if (r == 0 && build_targets_are_several(build))
			r = check_several(&output, e);
		if (r == 0 && !is_stored(&output) && !str_equal(output.type, "local") &&
		    (!output.to || strcmp(output.to, "-") == 0) && isatty(STDOUT_FILENO))
			r = err_set(e, ERR_INVALID, "the standard output is a terminal");
	}
	return r;
}

/* ---- files ---- */

static int open_root(const struct build *build, const char *id, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct container_image found = { 0 };
	const struct image_request request = { .name = id, .pull = ENGINE_PULL_NEVER };

	int r = engine_image_resolve(build->engine, &request, &found, &image, e);
	if (r == 0)
		r = engine_tree_open_image(build->engine, &found.layers, e);
	shape_clear(&container_image_shape, &found);
	return r;
}

static int copy_root(const struct build *build, const char *id, int to, struct err *e)
{
	const struct copy_options options = { .owners = COPY_OWNERS_KEEP, .merge = true };
	own_fd int root = open_root(build, id, e);

	return root < 0 ? root : copy_tree_contents(root, to, false, &options, e);
}

/* "linux_arm64": a folder for each platform, as BuildKit names them. */
static char *folder_of(const struct build *build, size_t target)
{
	const struct build_state *state = &build->states[build->targets.items[target].stage];
	const struct oci_image_config *config = &state->config;
	bool variant = !str_empty(config->variant);
	char *name = mem_format("%s_%s%s%s", config->os, config->architecture, variant ? "_" : "",
				variant ? config->variant : "");

	/* of a base image they are what its maker wrote: no path */
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '_';
	return name;
}

static int open_new_folder(int dir, const char *path, struct err *e)
{
	if (mkdirat(dir, path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make folder %s", path);
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open folder %s", path) : fd;
}

static int write_roots(const struct build *build, const struct strv *ids, bool split, int to,
		       struct err *e)
{
	int r = 0;

	if (!split)
		return copy_root(build, ids->items[0], to, e);
	for (size_t i = 0; r == 0 && i < ids->count; i++) {
		own_free char *name = folder_of(build, i);
		own_fd int folder = open_new_folder(to, name, e);
		r = folder < 0 ? folder : copy_root(build, ids->items[i], folder, e);
	}
	return r;
}

static int pack(const struct build *build, int root, const char *path, struct err *e)
{
	bool file = path && strcmp(path, "-") != 0;
	own_fd int fd = file ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
	const struct engine_stream stream = {
		.folder_fd = root,
		.entry = ".",
		.name = ".",
		.without_root = true,
		.archive_fd = file ? fd : 0,
	};

	if (file && fd < 0)
		return err_sys(e, "open %s", path);
	return engine_stream_pack(build->engine, &stream, e);
}

/* Of several they are put together in the store first. */
static int write_tar(struct build *build, const struct strv *ids, bool split, const char *path,
		     struct err *e)
{
	size_t folder;

	if (!split) {
		own_fd int root = open_root(build, ids->items[0], e);
		return root < 0 ? root : pack(build, root, path, e);
	}
	int r = build_step_folder(build, &folder, e);
	if (r < 0)
		return r;
	int fd = build->folders.items[folder].fs_fd;
	r = write_roots(build, ids, split, fd, e);
	return r < 0 ? r : pack(build, fd, path, e);
}

static int write_files(struct build *build, const struct strv *ids, const struct output *output,
		       struct err *e)
{
	bool split = build_targets_are_several(build) || strv_value(&output->pairs, SPLIT);

	if (str_equal(output->type, "tar"))
		return write_tar(build, ids, split, output->to, e);
	own_fd int to = open_new_folder(AT_FDCWD, output->to, e);
	return to < 0 ? to : write_roots(build, ids, split, to, e);
}

/* ---- archives ---- */

int build_output_save(const struct store *store, const struct strv *names, const char *format,
		      const char *to, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	image_command_begin(&arguments, "save", store);
	strv_add(&arguments, "--");
	strv_add(&arguments, format);
	strv_add(&arguments, to ? to : "-");
	strv_add_all(&arguments, names);
	return image_command_run(NULL, &arguments, IMAGE_SHOW_NOTHING, e);
}

int build_output_push(const struct store *store, const char *from, const char *to, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	image_command_begin(&arguments, "push", store);
	strv_add(&arguments, "--");
	strv_add(&arguments, from);
	strv_add(&arguments, to);
	return image_command_run(NULL, &arguments, IMAGE_SHOW_NOTHING, e);
}

/* To its name, or else to all of --tag. Of several platforms the index has these names already
 * (build_output_names()). */
static int push(const struct build *build, const char *id, const char *name, struct err *e)
{
	char *names[] = { (char *)name };
	const struct strv one = { names, 1 };
	const struct strv *to = name ? &one : &build->o->tag;
	int r = 0;

	for (size_t i = 0; r == 0 && i < to->count; i++)
		r = build_output_push(build->engine->store,
				      build_targets_are_several(build) ? to->items[i] : id,
				      to->items[i], e);
	return r;
}

static int write_stored(const struct build *build, const struct strv *ids,
			const struct output *output, struct err *e)
{
	const char *name = strv_value(&output->pairs, "name");
	bool several = build_targets_are_several(build);

	if (str_equal(output->type, "registry"))
		return push(build, ids->items[0], name, e);
	return name && !several ? engine_images_tag(build->engine, ids->items[0], name, e) : 0;
}

static int write_one(struct build *build, const struct strv *ids, const struct output *output,
		     struct err *e)
{
	bool named = build->o->tag.count && !build_targets_are_several(build);
	const struct strv *names = named ? &build->o->tag : ids;

	if (is_stored(output))
		return write_stored(build, ids, output, e);
	if (str_equal(output->type, "local") || str_equal(output->type, "tar"))
		return write_files(build, ids, output, e);
	return build_output_save(build->engine->store, names,
				 str_equal(output->type, "oci") ? "oci-archive" : "docker-archive",
				 output->to, e);
}

/* Who asked for files wants no image, unless it has a name from before. */
static int remove_image(const struct build *build, const char *id, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	own_clear(strv_clear) struct strv done = { 0 };
	const struct engine_images_removal plain = { 0 };
	own_free char *name = NULL;

	int r = engine_image_find(build->engine, id, &image, &name, e);
	return r < 0 || name ? r : engine_images_remove(build->engine, id, &plain, &done, e);
}

int build_output_write(struct build *build, const struct strv *ids, struct err *e)
{
	const struct strv *outputs = &build->o->output;
	bool files = outputs->count && !build->o->tag.count;
	int r = 0;

	for (size_t i = 0; r == 0 && i < outputs->count; i++) {
		own_clear(output_clear) struct output output = { 0 };
		r = parse(&output, outputs->items[i], e);
		if (r == 0)
			r = write_one(build, ids, &output, e);
		files = files && r == 0 && !is_stored(&output);
	}
	for (size_t i = 0; r == 0 && files && i < ids->count; i++)
		r = remove_image(build, ids->items[i], e);
	return r;
}

void build_output_names(struct strv *to, const struct build_options *o)
{
	struct err checked;

	for (size_t i = 0; i < o->output.count; i++) {
		own_clear(output_clear) struct output output = { 0 };
		const char *name = parse(&output, o->output.items[i], &checked) == 0
					   ? strv_value(&output.pairs, "name")
					   : NULL;
		if (name)
			strv_add(to, name);
	}
}

int build_output_metadata(const struct build_options *o, const char *id, const char *path,
			  struct err *e)
{
	own_json struct json_object *object = json_object_new_object();
	own_free char *names = strv_join(&o->tag, ",");

	json_object_object_add(object, "containerimage.config.digest", json_object_new_string(id));
	if (*names)
		json_object_object_add(object, "image.name", json_object_new_string(names));
	return json_write_at(AT_FDCWD, path, object, e) < 0 ? err_add(e, "--metadata-file") : 0;
}
