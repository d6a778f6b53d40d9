#include "engine/config_file.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(strv_clear) struct strv env = { 0 };
	own_clear(shape_map_clear) struct shape_map labels = { 0 };
	char *environment[] = { "A=1", NULL };
	struct err e;

	config_env_text(&env, (const char *)bytes, length, environment, &e);
	for (size_t i = 0; i < env.count; i++)
		assert(strchr(env.items[i], '=') > env.items[i]);
	config_label_text(&labels, (const char *)bytes, length, &e);
	return 0;
}
