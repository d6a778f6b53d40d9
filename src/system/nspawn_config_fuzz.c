/* Any .nspawn file: it is refused with a sentence, or each line has a section, a key, a value. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "system/nspawn_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_clear(system_nspawn_config_clear) struct nspawn_config config = { 0 };
	struct err e = { 0 };

	if (system_nspawn_config_parse(&config, (const char *)bytes, length, &e) < 0) {
		assert(e.text[0]);
		return 0;
	}
	for (size_t i = 0; i < config.lines.count; i++)
		assert(strchr(config.lines.items[i].key, '.') && config.lines.items[i].value &&
		       config.lines.items[i].number > 0);
	return 0;
}
