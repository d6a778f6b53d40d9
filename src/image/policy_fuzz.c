/* Any bytes as policy.json: refused with a sentence, or there are requirements for every image, and
 * every one of them knows what it takes. */
#include <assert.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "image/policy.h"
#include "image/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void ask(const struct image_policy *policy, const char *name)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	own_clear(strv_clear) struct strv scopes = { 0 };
	struct err e = { 0 };

	assert(image_reference_parse(&ref, name, &e) == 0);
	image_policy_scopes(&scopes, &ref);
	const struct image_policy_requirements *required =
		image_policy_find(policy, "docker", &scopes);
	assert(required && required->items.count > 0);
	for (size_t i = 0; i < required->items.count; i++)
		image_policy_matches(&required->items.items[i], &ref, "example.com/a/b:1");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own(image_policy_free) struct image_policy *policy = NULL;
	struct err e = { 0 };

	if (image_policy_parse(&policy, (const char *)bytes, length, "fuzz", &e) < 0) {
		assert(*e.text && !policy);
		return 0;
	}
	ask(policy, "busybox");
	ask(policy, "registry.example.com:5000/a/b:1");
	return 0;
}
