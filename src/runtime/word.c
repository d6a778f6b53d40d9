#include "runtime/word.h"

#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"

int runtime_word_find(uint64_t *ret, const struct runtime_word *table, const char *text,
		      const char *member, struct err *e)
{
	for (; table->word; table++)
		if (str_equal(table->word, text)) {
			*ret = table->value;
			return 0;
		}
	if (str_empty(text))
		return err_set(e, ERR_INVALID, "%s is missing", member);
	return err_set(e, ERR_INVALID, "%s '%s' is unknown", member, text);
}

int runtime_word_flags(uint64_t *ret, const struct runtime_word *table, const struct strv *flags,
		       const char *member, struct err *e)
{
	uint64_t all = 0;

	for (size_t i = 0; i < flags->count; i++) {
		uint64_t one = 0;
		int r = runtime_word_find(&one, table, flags->items[i], member, e);
		if (r < 0)
			return r;
		all |= one;
	}
	*ret = all;
	return 0;
}
