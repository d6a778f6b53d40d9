/* Any bytes: refused with a sentence, or a tree that can be written as JSON; as registries.conf
 * refused, or every name has its places. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "image/registries.h"
#include "image/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void resolve(const struct image_registries *registries, const char *name)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	own_clear(image_registries_clear_references) struct image_references list = { 0 };
	struct err e = { 0 };

	assert(image_reference_parse(&ref, name, &e) == 0);
	if (image_registries_expand(registries, &ref, &list, &e) < 0)
		return;
	assert(list.items.count > 0);
	for (size_t i = 0; i < list.items.count; i++) {
		own_clear(image_registries_clear_endpoints) struct image_endpoints places = { 0 };
		if (image_registries_endpoints(registries, &list.items.items[i], &places, &e) < 0)
			continue;
		assert(places.items.count > 0);
		for (size_t j = 0; j < places.items.count; j++)
			assert(*places.items.items[j].host &&
			       !strpbrk(places.items.items[j].host, "/@ \r\n"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_json struct json_object *object = NULL;
	own(image_registries_free) struct image_registries *registries = image_registries_new();
	const char *text = (const char *)bytes;
	struct err e = { 0 };

	if (image_toml_parse(&object, text, length, "fuzz", &e) < 0) {
		assert(e.text[0] && !object);
		return 0;
	}
	assert(json_text(object));
	if (image_registries_add(registries, text, length, "fuzz", &e) < 0)
		return 0;
	resolve(registries, "app");
	resolve(registries, "example.com/foo/x:1");
	resolve(registries, "a.wild.example/x");
	return 0;
}
