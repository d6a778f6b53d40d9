/* A Dockerfile: whatever it is, it is taken apart or refused, and so are its stages. */
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "build/file.h"
#include "build/stage.h"
#include "build/word.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char *get(const void *context, const char *name)
{
	(void)context;
	return name[0] == 'A' ? "value" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(build_file_clear) struct build_file file = { 0 };
	own_clear(build_stage_clear) struct build_stages stages = { 0 };
	const struct build_word_scope scope = { get, NULL, '\\' };
	size_t target;
	struct err e;

	if (build_file_parse(&file, "f", (const char *)bytes, length, &e) == 0)
		build_stage_plan(&stages, &target, &file, &scope, NULL, &e);
	return 0;
}
