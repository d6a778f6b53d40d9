/* Words with variables: bounded in length and in time. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/strv.h"
#include "build/mount.h"
#include "build/word.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char *get(const void *context, const char *name)
{
	(void)context;
	return name[0] == 'A' ? "some/value.with words" : name[0] == 'B' ? "" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_free char *text = mem_text_n((const char *)bytes, length);
	const struct build_word_scope scope = { get, NULL, '\\' };
	own_clear(strv_clear) struct strv words = { 0 };
	own_clear(build_mount_clear) struct build_mount mount = { 0 };
	char *word;
	struct err e;

	if (build_word_expand(&word, text, &scope, &e) == 0)
		free(word);
	if (build_word_expand_text(&word, text, &scope, &e) == 0)
		free(word);
	build_word_split(&words, text, &scope, &e);
	build_mount_parse(&mount, text, &e);
	return 0;
}
