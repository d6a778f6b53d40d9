#include "image/build_request.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/own.h"
#include "base/strv.h"
#include "image/command.h"
#include "storage/store.h"

#define FIELD(type, member) offsetof(struct type, member)

static const struct shape layer_shape = {
	sizeof(struct image_build_layer),
	(const struct shape_field[]){
		{ "folder", SHAPE_STRING, FIELD(image_build_layer, folder) },
		{ "diffId", SHAPE_STRING, FIELD(image_build_layer, diff_id) },
		{ "key", SHAPE_STRING, FIELD(image_build_layer, key) },
		{ "portable", SHAPE_STRING, FIELD(image_build_layer, portable) },
		{ "text", SHAPE_STRING, FIELD(image_build_layer, text) },
		{ "inImage", SHAPE_BOOL, FIELD(image_build_layer, in_image) },
		{ "imported", SHAPE_BOOL, FIELD(image_build_layer, imported) },
		{ "size", SHAPE_UINT, FIELD(image_build_layer, size) },
		{ "entries", SHAPE_UINT, FIELD(image_build_layer, entries) },
		{ 0 },
	},
};

const struct shape image_build_request_shape = {
	sizeof(struct image_build_request),
	(const struct shape_field[]){
		{ "parent", SHAPE_STRING, FIELD(image_build_request, parent) },
		{ "image", SHAPE_BOOL, FIELD(image_build_request, image) },
		{ "annotate", SHAPE_BOOL, FIELD(image_build_request, annotate) },
		{ "unlisted", SHAPE_BOOL, FIELD(image_build_request, unlisted) },
		{ "config", SHAPE_OBJECT, FIELD(image_build_request, config),
		  &oci_image_config_shape },
		{ "layers", SHAPE_LIST, FIELD(image_build_request, layers), &layer_shape },
		{ "references", SHAPE_STRINGS, FIELD(image_build_request, references) },
		{ "annotations", SHAPE_MAP, FIELD(image_build_request, annotations) },
		{ 0 },
	},
};

const struct shape image_build_record_shape = {
	sizeof(struct image_build_record),
	(const struct shape_field[]){
		{ "layers", SHAPE_STRINGS, FIELD(image_build_record, layers) },
		{ "size", SHAPE_UINT, FIELD(image_build_record, size) },
		{ "text", SHAPE_STRING, FIELD(image_build_record, text) },
		{ "created", SHAPE_STRING, FIELD(image_build_record, created) },
		{ 0 },
	},
};

static int write_request(const struct image_build_request *request, struct err *e)
{
	own_json struct json_object *object = shape_write(&image_build_request_shape, request);
	const char *text = json_text(object);

	own_fd int fd = memfd_create("build", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "make a file in memory");
	int r = fd_write_all(fd, text, strlen(text));
	if (r < 0)
		return err_number(e, -r, "write the request");
	return lseek(fd, 0, SEEK_SET) < 0 ? err_sys(e, "rewind") : take_fd(&fd);
}

int image_build_ask(const struct image_build_request *request, const struct store *store,
		    struct image_progress *ret, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	own_fd int fd = write_request(request, e);
	if (fd < 0)
		return fd;
	image_command_begin(&arguments, "build", store);
	const struct image_command_files files = { -1, fd };
	return image_command_run_on(&files, ret, &arguments, IMAGE_SHOW_NOTHING, e);
}
