#include "runtime/number_list.h"

#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"

void runtime_number_list_add(struct runtime_number_list *to, size_t number)
{
	unsigned long *word = &to->bits[number / RUNTIME_NUMBER_LIST_WORD];
	unsigned long bit = 1UL << number % RUNTIME_NUMBER_LIST_WORD;

	to->count += !(*word & bit);
	*word |= bit;
}

void runtime_number_list_count(struct runtime_number_list *list)
{
	list->count = 0;
	for (size_t i = 0; i < COUNT_OF(list->bits); i++)
		list->count += (size_t)__builtin_popcountl(list->bits[i]);
}

/* "7" or "0-3"; part is written into. */
static int add_part(struct runtime_number_list *to, char *part, struct err *e)
{
	char *dash = strchr(part, '-');
	uint64_t first = 0, last = 0;

	if (dash)
		*dash = '\0';
	int r = number_parse_u64(&first, part, RUNTIME_NUMBER_LIST_MAX - 1, e);
	if (r == 0)
		r = number_parse_u64(&last, dash ? dash + 1 : part, RUNTIME_NUMBER_LIST_MAX - 1, e);
	if (r < 0)
		return r;
	if (last < first)
		return err_set(e, ERR_INVALID, "the range %s-%s runs backwards", part, dash + 1);
	for (uint64_t number = first; number <= last; number++)
		runtime_number_list_add(to, number);
	return 0;
}

int runtime_number_list_parse(struct runtime_number_list *ret, const char *text, const char *member,
			      struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	struct runtime_number_list list = { 0 };

	strv_split(&parts, text, ',');
	for (size_t i = 0; i < parts.count; i++)
		if (add_part(&list, parts.items[i], e) < 0)
			return err_add(e, "%s '%s'", member, text);
	*ret = list;
	return 0;
}

void runtime_number_list_format(struct str *to, const struct runtime_number_list *list)
{
	const char *comma = "";

	for (size_t i = 0; i < RUNTIME_NUMBER_LIST_MAX; i++) {
		size_t last = i;
		if (!runtime_number_list_has(list, i))
			continue;
		while (runtime_number_list_has(list, last + 1))
			last++;
		if (last == i)
			str_addf(to, "%s%zu", comma, i);
		else
			str_addf(to, "%s%zu-%zu", comma, i, last);
		comma = ",";
		i = last;
	}
}
