/* Any configuration: it is refused with a sentence, or its lines have keys of LXC's. Includes are
 * taken out first: the fuzzer shall read no files. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "system/lxc_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_free char *text = mem_new(length + 1, 1);
	own_clear(system_lxc_config_clear) struct lxc_config config = { 0 };
	struct err e = { 0 };
	char *at;

	memcpy(text, bytes, length);
	while ((at = memmem(text, length, "include", 7)))
		*at = '#';
	if (system_lxc_config_add(&config, "config", text, length, 0, &e) < 0) {
		assert(e.text[0]);
		return 0;
	}
	for (size_t i = 0; i < config.lines.count; i++) {
		const struct lxc_line *line = &config.lines.items[i];
		assert(str_starts(line->key, "lxc.") && line->number > 0 && line->value);
		assert(system_lxc_config_get(&config, line->key));
	}
	return 0;
}
