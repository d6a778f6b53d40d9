/* Any bytes as a config.json: refused with a sentence, or read; what was read and written reads
 * again to the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "oci/runtime_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	own_clear(oci_spec_clear) struct oci_spec again = { 0 };
	own_json struct json_object *object = NULL;
	struct err e = { 0 };

	if (json_parse(&object, (const char *)bytes, length, "config.json", &e) < 0 ||
	    shape_read(&oci_spec_shape, object, &spec, &e) < 0) {
		assert(e.text[0]);
		return 0;
	}
	own_json struct json_object *first = shape_write(&oci_spec_shape, &spec);
	assert(shape_read(&oci_spec_shape, first, &again, &e) == 0);
	own_json struct json_object *second = shape_write(&oci_spec_shape, &again);
	assert(strcmp(json_text(first), json_text(second)) == 0);
	return 0;
}
