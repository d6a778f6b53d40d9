#include "engine/span.h"

#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

#define SECOND INT64_C(1000000000)
#define MOST   (INT64_C(100) * 365 * 24 * 3600)

static const struct {
	char letter;
	int64_t seconds;
} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };

static int64_t seconds_of(char letter)
{
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (units[i].letter == letter)
			return units[i].seconds;
	return 0;
}

/* One number with its unit; NULL: that is none, or too much. */
static const char *read_part(int64_t *sum, const char *text)
{
	int64_t number = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		number = number * 10 + (*p - '0');
		if (number > MOST)
			return NULL;
	}
	int64_t unit = p == text ? 0 : seconds_of(*p);
	if (!unit || number > MOST / unit)
		return NULL;
	*sum += number * unit;
	return *sum > MOST ? NULL : p + 1;
}

int engine_span_parse(int64_t *ret, const char *text, struct err *e)
{
	int64_t sum = 0;
	const char *p = text;

	do
		p = read_part(&sum, p);
	while (p && *p);
	if (!p || sum == 0)
		return err_set(e, ERR_INVALID, "'%s' is no span of time as 12h, 7d or 2w", text);
	*ret = sum * SECOND;
	return 0;
}
