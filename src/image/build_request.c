#include "image/build_request.h"

#include <stddef.h>

#define FIELD(type, member) offsetof(struct type, member)

static const struct shape layer_shape = {
	sizeof(struct image_build_layer),
	(const struct shape_field[]){
		{ "folder", SHAPE_STRING, FIELD(image_build_layer, folder) },
		{ "diffId", SHAPE_STRING, FIELD(image_build_layer, diff_id) },
		{ "key", SHAPE_STRING, FIELD(image_build_layer, key) },
		{ "text", SHAPE_STRING, FIELD(image_build_layer, text) },
		{ "inImage", SHAPE_BOOL, FIELD(image_build_layer, in_image) },
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
