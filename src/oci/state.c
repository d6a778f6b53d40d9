#include "oci/state.h"

#include <stddef.h>

#include "base/mem.h"

const struct shape oci_state_shape = {
	sizeof(struct oci_state),
	(const struct shape_field[]){
		{ "ociVersion", SHAPE_STRING, offsetof(struct oci_state, oci_version), NULL, true },
		{ "id", SHAPE_STRING, offsetof(struct oci_state, id), NULL, true },
		{ "status", SHAPE_STRING, offsetof(struct oci_state, status), NULL, true },
		{ "pid", SHAPE_INT, offsetof(struct oci_state, pid), NULL, true },
		{ "bundle", SHAPE_STRING, offsetof(struct oci_state, bundle), NULL, true },
		{ "annotations", SHAPE_MAP, offsetof(struct oci_state, annotations) },
		{ 0 },
	},
};

void oci_state_clear(struct oci_state *state)
{
	shape_clear(&oci_state_shape, state);
}

char *oci_state_text(const struct oci_state *state)
{
	own_json struct json_object *object = shape_write(&oci_state_shape, state);

	return mem_text(json_text(object));
}
