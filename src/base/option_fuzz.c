/* Command lines: the words lie between newlines, and go through a table with every type. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/option.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct sample {
	bool flag;
	bool toggle;
	bool toggle_given;
	char *text;
	char *choice;
	struct strv list;
	int64_t number;
	int64_t count;
};

#define OPTIONS struct sample
static const struct option table[] = {
	OPTION_HEADING("All"),
	{ "flag", 'f', OPTION_FLAG(flag), NULL, "flag" },
	{ "toggle", 't', OPTION_TOGGLE(toggle), NULL, "toggle" },
	{ "text", 'x', OPTION_STRING(text), "TEXT", "text" },
	{ "choice", 'c', OPTION_STRING(choice), "WORD", "one of three", "one|two|three" },
	{ "list", 'l', OPTION_STRINGS(list), "TEXT", "texts" },
	{ "number", 'n', OPTION_INT(number), "N", "number" },
	{ "count", 0, OPTION_COUNT(count), "N", "count" },
	{ 0 },
};
#undef OPTIONS

static void parse(const struct strv *words, enum option_mode mode)
{
	struct sample sample = { 0 };
	struct option_line line = { 0 };
	struct err e;

	option_parse(table, mode, words->items, words->count, &sample, &line, &e);
	option_clear(table, &sample);
	strv_clear(&line.args);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	own_free char *text = mem_text_n((const char *)bytes, strnlen((const char *)bytes, length));
	own_clear(strv_clear) struct strv words = { 0 };

	strv_split(&words, text, '\n');
	parse(&words, OPTION_FIRST);
	parse(&words, OPTION_ANYWHERE);
	return 0;
}
