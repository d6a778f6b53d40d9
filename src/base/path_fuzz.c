/* path_clean(): absolute, without empty, "." or ".." parts, and stable; path_join() gives one slash
 * between. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/strv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_parts(const char *clean)
{
	own_clear(strv_clear) struct strv parts = { 0 };

	assert(clean[0] == '/');
	if (!clean[1])
		return;
	strv_split(&parts, clean + 1, '/');
	for (size_t i = 0; i < parts.count; i++) {
		assert(*parts.items[i] && strcmp(parts.items[i], ".") != 0);
		assert(strcmp(parts.items[i], "..") != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_free char *path = mem_text_n((const char *)bytes, length);
	own_free char *clean = path_clean(path);
	own_free char *again = path_clean(clean);
	own_free char *joined = path_join("/a/", path);

	check_parts(clean);
	assert(strcmp(clean, again) == 0);
	assert(strncmp(joined, "/a/", 3) == 0 && joined[3] != '/');
	if (path_is_name(path))
		assert(!strchr(path, '/') && strlen(path) <= 255);
	return 0;
}
