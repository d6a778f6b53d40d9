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
		    !str_starts(pair, "name="))
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
	if (!strv_value(&to->pairs, "name") && str_equal(to->type, "registry"))
		return err_set(e, ERR_INVALID, "--output %s: it has no name", text);
	if (!to->to && str_equal(to->type, "local"))
		return err_set(e, ERR_INVALID, "--output %s: it has no dest", text);
	return 0;
}

int build_output_check(const struct strv *outputs, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < outputs->count; i++) {
		own_clear(output_clear) struct output output = { 0 };
		r = parse(&output, outputs->items[i], e);
		if (r == 0 && !str_equal(output.type, "local") &&
		    !str_equal(output.type, "image") && !str_equal(output.type, "registry") &&
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

static int write_folder(const struct build *build, const char *id, const char *path, struct err *e)
{
	const struct copy_options options = { .owners = COPY_OWNERS_KEEP, .merge = true };

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make folder %s", path);
	own_fd int to = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return err_sys(e, "open folder %s", path);
	own_fd int root = open_root(build, id, e);
	return root < 0 ? root : copy_tree_contents(root, to, false, &options, e);
}

static int write_tar(const struct build *build, const char *id, const char *path, struct err *e)
{
	bool file = path && strcmp(path, "-") != 0;
	own_fd int fd = file ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;

	if (file && fd < 0)
		return err_sys(e, "open %s", path);
	own_fd int root = open_root(build, id, e);
	const struct engine_stream stream = {
		.folder_fd = root,
		.entry = ".",
		.name = ".",
		.without_root = true,
		.archive_fd = file ? fd : 0,
	};
	return root < 0 ? root : engine_stream_pack(build->engine, &stream, e);
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

static int write_one(const struct build *build, const struct output *output, const char *id,
		     struct err *e)
{
	const struct store *store = build->engine->store;
	char *ids[] = { (char *)id };
	const struct strv by_id = { ids, 1 };
	const struct strv *names = build->o->tag.count ? &build->o->tag : &by_id;

	if (str_equal(output->type, "local"))
		return write_folder(build, id, output->to, e);
	if (str_equal(output->type, "tar"))
		return write_tar(build, id, output->to, e);
	if (str_equal(output->type, "oci"))
		return build_output_save(store, names, "oci-archive", output->to, e);
	if (str_equal(output->type, "registry"))
		return build_output_push(store, id, strv_value(&output->pairs, "name"), e);
	if (str_equal(output->type, "docker") && output->to)
		return build_output_save(store, names, "docker-archive", output->to, e);
	/* the image is in the store already, as by docker without dest */
	const char *name = strv_value(&output->pairs, "name");
	return name ? engine_images_tag(build->engine, id, name, e) : 0;
}

/* Who asked for files wants no image, unless it has a name from before. */
static int remove_image(const struct build *build, const char *id, struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	own_clear(strv_clear) struct strv done = { 0 };
	own_free char *name = NULL;

	int r = engine_image_find(build->engine, id, &image, &name, e);
	return r < 0 || name ? r : engine_images_remove(build->engine, id, false, &done, e);
}

int build_output_write(const struct build *build, const char *id, struct err *e)
{
	bool files = build->o->output.count && !build->o->tag.count;
	int r = 0;

	for (size_t i = 0; r == 0 && i < build->o->output.count; i++) {
		own_clear(output_clear) struct output output = { 0 };
		r = parse(&output, build->o->output.items[i], e);
		if (r == 0)
			r = write_one(build, &output, id, e);
		if (str_equal(output.type, "image") || str_equal(output.type, "registry") ||
		    (str_equal(output.type, "docker") && !output.to))
			files = false;
	}
	return r == 0 && files ? remove_image(build, id, e) : r;
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

/* ---- an index ---- */

int build_output_check_several(const struct strv *outputs, bool named, struct err *e)
{
	int r = build_output_check(outputs, e);

	for (size_t i = 0; r == 0 && i < outputs->count; i++) {
		own_clear(output_clear) struct output output = { 0 };
		r = parse(&output, outputs->items[i], e);
		if (r == 0 && str_equal(output.type, "registry") && !named)
			r = err_set(e, ERR_INVALID, "--output %s: it needs a --tag, too",
				    outputs->items[i]);
		if (r == 0 && !str_equal(output.type, "oci") && !str_equal(output.type, "registry"))
			r = err_set(
				e, ERR_UNSUPPORTED,
				"--output type=%s: of one platform; oci and registry take several",
				output.type);
	}
	return r;
}

int build_output_write_several(struct engine *engine, const struct build_options *o,
			       const struct strv *ids, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->output.count; i++) {
		own_clear(output_clear) struct output output = { 0 };
		r = parse(&output, o->output.items[i], e);
		if (r == 0 && str_equal(output.type, "oci"))
			r = build_output_save(engine->store, ids, "oci-archive", output.to, e);
		else if (r == 0)
			r = build_output_push(engine->store, o->tag.items[0],
					      strv_value(&output.pairs, "name"), e);
	}
	return r < 0 ? err_add(e, "--output") : 0;
}
