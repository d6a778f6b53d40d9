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

static const struct shape process_state_shape = {
	sizeof(struct oci_process_state),
	(const struct shape_field[]){
		{ "ociVersion", SHAPE_STRING, offsetof(struct oci_process_state, oci_version), NULL,
		  true },
		{ "fds", SHAPE_STRINGS, offsetof(struct oci_process_state, fds), NULL, true },
		{ "pid", SHAPE_INT, offsetof(struct oci_process_state, pid), NULL, true },
		{ "metadata", SHAPE_STRING, offsetof(struct oci_process_state, metadata) },
		{ "state", SHAPE_OBJECT, offsetof(struct oci_process_state, state),
		  &oci_state_shape, true },
		{ 0 },
	},
};

void oci_state_clear(struct oci_state *state)
{
	shape_clear(&oci_state_shape, state);
}

static char *write_text(const struct shape *shape, const void *from)
{
	own_json struct json_object *object = shape_write(shape, from);

	return mem_text(json_text(object));
}

char *oci_state_text(const struct oci_state *state)
{
	return write_text(&oci_state_shape, state);
}

char *oci_process_state_text(const struct oci_process_state *state)
{
	return write_text(&process_state_shape, state);
}
