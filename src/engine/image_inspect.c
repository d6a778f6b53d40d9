#include "engine/engine.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/image.h"
#include "engine/inspect_part.h"
#include "engine/lists.h"
#include "image/reference.h"
#include "storage/index.h"
#include "storage/layer.h"

static void add_list_names(struct json_object *tags, struct engine *engine, const char *digest)
{
	own_clear(engine_lists_clear) struct engine_lists lists = { 0 };
	struct err ignored;

	engine_lists_read(engine, &lists, &ignored);
	for (size_t i = 0; i < lists.count; i++)
		if (engine_lists_name(&lists.items[i], digest))
			json_object_array_add(tags, json_object_new_string(image_reference_familiar(
							    lists.items[i].name)));
}

/* Every name that the index or a list has for this manifest, as people type it, and its digests. */
static void add_names(struct json_object *to, struct engine *engine,
		      const struct storage_index *index, const struct storage_image *image)
{
	struct json_object *tags = json_object_new_array(), *digests = json_object_new_array();

	for (size_t i = 0; i < index->entries.count; i++) {
		const struct storage_entry *entry = &index->entries.items[i];
		struct image_reference ref = { 0 };
		struct err ignored;
		if (!entry->reference || !str_equal(entry->digest, image->digest))
			continue;
		json_object_array_add(
			tags, json_object_new_string(image_reference_familiar(entry->reference)));
		if (!entry->source || image_reference_parse(&ref, entry->reference, &ignored) < 0)
			continue;
		own_free char *name = image_reference_name(&ref);
		own_free char *digest =
			mem_format("%s@%s", image_reference_familiar(name), entry->source);
		json_object_array_add(digests, json_object_new_string(digest));
		image_reference_clear(&ref);
	}
	add_list_names(tags, engine, image->digest);
	json_object_object_add(to, "RepoTags", tags);
	json_object_object_add(to, "RepoDigests", digests);
}

static void add_layers(struct json_object *to, struct engine *engine,
		       const struct oci_image_config *config)
{
	struct json_object *driver = json_object_new_object(), *data = json_object_new_object();
	struct json_object *rootfs = json_object_new_object();
	own_clear(strv_clear) struct strv lower = { 0 };

	for (size_t i = config->rootfs.diff_ids.count; i-- > 0;)
		strv_add_take(&lower,
			      storage_layer_path(engine->store, config->rootfs.diff_ids.items[i]));
	own_free char *joined = strv_join(&lower, ":");
	inspect_text(data, "LowerDir", joined);
	json_object_object_add(driver, "Data", data);
	inspect_text(driver, "Name", "overlay2");
	json_object_object_add(to, "GraphDriver", driver);
	inspect_text(rootfs, "Type", "layers");
	inspect_strings(rootfs, "Layers", &config->rootfs.diff_ids, false);
	json_object_object_add(to, "RootFS", rootfs);
}

/* What a container's Config has and an image's says nothing about. */
static void add_unsaid(struct json_object *to)
{
	static const struct inspect_unsaid rows[] = {
		{ "Hostname", INSPECT_TEXT },      { "Domainname", INSPECT_TEXT },
		{ "AttachStdin", INSPECT_FALSE },  { "AttachStdout", INSPECT_FALSE },
		{ "AttachStderr", INSPECT_FALSE }, { "Tty", INSPECT_FALSE },
		{ "OpenStdin", INSPECT_FALSE },    { "StdinOnce", INSPECT_FALSE },
		{ "Image", INSPECT_TEXT },         { "OnBuild", INSPECT_NULL },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (!json_object_object_get(to, rows[i].key))
			inspect_unsaid(to, &rows[i], 1);
}

/* Written by Docker up to 25. */
static struct json_object *container_config(void)
{
	static const struct inspect_unsaid rows[] = {
		{ "User", INSPECT_TEXT },       { "Env", INSPECT_NULL },
		{ "Cmd", INSPECT_NULL },        { "Volumes", INSPECT_NULL },
		{ "WorkingDir", INSPECT_TEXT }, { "Entrypoint", INSPECT_NULL },
		{ "Labels", INSPECT_NULL },
	};
	struct json_object *to = json_object_new_object();

	inspect_unsaid(to, rows, COUNT_OF(rows));
	add_unsaid(to);
	return to;
}

/* config.json's own spelling, with the members that Docker always writes. */
static struct json_object *config_object(const struct oci_image_process *process)
{
	struct json_object *to = shape_write(&oci_image_process_shape, process);

	if (!json_object_object_get(to, "User"))
		inspect_text(to, "User", "");
	if (!json_object_object_get(to, "WorkingDir"))
		inspect_text(to, "WorkingDir", "");
	inspect_strings(to, "Env", &process->env, false);
	inspect_strings(to, "Cmd", &process->cmd, true);
	inspect_strings(to, "Entrypoint", &process->entrypoint, true);
	inspect_map(to, "Labels", &process->labels);
	if (!json_object_object_get(to, "Volumes"))
		json_object_object_add(to, "Volumes", NULL);
	add_unsaid(to);
	return to;
}

/* As docker shows: what import and commit were given by --message. */
static const char *last_comment(const struct oci_image_config *config)
{
	size_t count = config->history.count;
	const char *comment = count ? config->history.items[count - 1].comment : NULL;

	return comment ? comment : "";
}

static int make(struct engine *engine, const struct storage_image *image,
		const struct storage_index *index, struct json_object **ret, struct err *e)
{
	uint64_t bytes;
	int r = storage_image_size(image, engine->store, &bytes, e);
	if (r < 0)
		return r;

	struct json_object *to = json_object_new_object();
	const struct oci_image_config *config = &image->config;
	inspect_text(to, "Id", image->manifest.config.digest);
	add_names(to, engine, index, image);
	inspect_text(to, "Parent", "");
	inspect_text(to, "Comment", last_comment(config));
	inspect_text(to, "Created", config->created);
	inspect_text(to, "DockerVersion", "");
	inspect_text(to, "Author", config->author);
	inspect_text(to, "Architecture", config->architecture);
	if (config->variant)
		inspect_text(to, "Variant", config->variant);
	inspect_text(to, "Os", config->os);
	inspect_number(to, "Size", (int64_t)bytes);
	inspect_number(to, "VirtualSize", (int64_t)bytes);
	inspect_text(to, "Container", "");
	json_object_object_add(to, "ContainerConfig", container_config());
	struct json_object *metadata = json_object_new_object();
	inspect_moment(metadata, "LastTagTime", 0);
	json_object_object_add(to, "Metadata", metadata);
	json_object_object_add(to, "Config", config_object(&config->config));
	add_layers(to, engine, config);
	inspect_text(to, "Digest", image->digest);
	*ret = to;
	return 0;
}

int engine_image_inspect(struct engine *engine, const char *name, struct json_object **ret,
			 struct err *e)
{
	return engine_image_inspect_for(engine, name, NULL, ret, e);
}

int engine_image_inspect_for(struct engine *engine, const char *name, const char *platform,
			     struct json_object **ret, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	own_clear(storage_image_clear) struct storage_image image = { 0 };

	int r = engine_image_find_for(engine, name, platform, &image, NULL, e);
	if (r == 0)
		r = storage_index_read(&index, engine->store, e);
	return r < 0 ? r : make(engine, &image, &index, ret, e);
}
