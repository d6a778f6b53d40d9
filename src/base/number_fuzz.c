/* Any text: each parser refuses it with a sentence and leaves its result alone, or gives a number
 * in its range. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { UNTOUCHED = -77 };

static void check(int (*parse)(int64_t *, const char *, struct err *), const char *text)
{
	struct err e = { 0 };
	int64_t value = UNTOUCHED;
	int r = parse(&value, text, &e);

	if (r < 0)
		assert(value == UNTOUCHED && e.kind == ERR_INVALID && e.text[0]);
	else
		assert(r == 0 && value >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_free char *text = mem_text_n((const char *)bytes, length);
	struct err e = { 0 };
	int64_t value;
	uint64_t u64;
	uint32_t id = 0;

	check(number_parse_bytes, text);
	check(number_parse_duration_ns, text);
	check(number_parse_nanocpus, text);

	if (number_parse_i64(&value, text, -5, 1000, &e) == 0)
		assert(value >= -5 && value <= 1000);
	if (number_parse_id(&id, text, &e) == 0) {
		assert(id != UINT32_MAX);
		assert(number_parse_u64(&u64, text, UINT64_MAX, &e) == 0 && u64 == id);
	}
	if (length >= sizeof(u64)) {
		char to[16];
		memcpy(&u64, bytes, sizeof(u64));
		number_format_bytes(to, u64);
		assert(strlen(to) >= 2 && !strchr(to, 'e'));
	}
	return 0;
}
