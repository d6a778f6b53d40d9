#include "engine/stream.h"

#include "base/err.h"
#include "base/own.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "image/command.h"
#include "storage/store.h"

void engine_stream_add_ids(struct strv *to, const struct oci_id_map *ids)
{
	const struct {
		const char *option;
		const struct oci_id_mappings *maps;
	} both[] = { { "--map-uid", &ids->uids }, { "--map-gid", &ids->gids } };

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < both[i].maps->count; k++) {
			const struct oci_id_mapping *m = &both[i].maps->items[k];
			strv_addf(to, "%s=%u:%u:%u", both[i].option, m->container_id, m->host_id,
				  m->size);
		}
}

static void begin(struct strv *to, struct engine *engine, const char *verb,
		  const struct engine_stream *stream)
{
	image_command_begin(to, verb, engine->store);
	engine_stream_add_ids(to, &stream->ids);
	if (stream->without_root)
		strv_add(to, "--without-root");
	strv_add(to, "--");
	strv_add(to, stream->entry);
}

int engine_stream_pack(struct engine *engine, const struct engine_stream *stream, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	begin(&arguments, engine, "pack", stream);
	strv_add(&arguments, stream->name);
	const struct image_command_files files = { stream->folder_fd, -1,
						   .output = stream->archive_fd };
	return image_command_run_on(&files, NULL, &arguments, IMAGE_SHOW_NOTHING, e);
}

int engine_stream_unpack(struct engine *engine, const struct engine_stream *stream, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	begin(&arguments, engine, "unpack", stream);
	const struct image_command_files files = { stream->folder_fd, -1,
						   .input = stream->archive_fd };
	return image_command_run_on(&files, NULL, &arguments, IMAGE_SHOW_NOTHING, e);
}
