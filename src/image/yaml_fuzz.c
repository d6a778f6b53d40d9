/* Any bytes: refused with a sentence, or a tree that can be written as JSON. */
#include <assert.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "image/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_json struct json_object *object = NULL;
	struct err e = { 0 };

	if (image_yaml_parse(&object, (const char *)bytes, length, "fuzz", &e) < 0)
		assert(*e.text && !object);
	else
		assert(*json_text(object) == '{');
	return 0;
}
