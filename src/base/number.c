#include "base/number.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"

int number_parse_u64(uint64_t *ret, const char *text, uint64_t max, struct err *e)
{
	uint64_t value = 0;

	if (!*text)
		return err_set(e, ERR_INVALID, "'' is not a number");
	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9')
			return err_set(e, ERR_INVALID, "'%s' is not a whole number", text);
		uint64_t digit = (uint64_t)(*c - '0');
		if (value > (UINT64_MAX - digit) / 10 || value * 10 + digit > max)
			return err_set(e, ERR_INVALID, "'%s' is more than %llu", text,
				       (unsigned long long)max);
		value = value * 10 + digit;
	}
	*ret = value;
	return 0;
}

int number_parse_i64(int64_t *ret, const char *text, int64_t min, int64_t max, struct err *e)
{
	bool negative = *text == '-';
	uint64_t value;
	int r = number_parse_u64(&value, text + negative,
				 negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX, e);
	if (r < 0)
		return r;

	int64_t number = negative ? (int64_t)(0 - value) : (int64_t)value;
	if (number < min || number > max)
		return err_set(e, ERR_INVALID, "'%s' is not between %lld and %lld", text,
			       (long long)min, (long long)max);
	*ret = number;
	return 0;
}

int number_parse_id(uint32_t *ret, const char *text, struct err *e)
{
	uint64_t value;
	int r = number_parse_u64(&value, text, UINT32_MAX - 1, e);
	if (r < 0)
		return r;
	*ret = (uint32_t)value;
	return 0;
}

/* Reads digits[.digits] as value * scale, exactly; *end is what follows. Fractions finer than
 * scale are refused by `exact`, cut otherwise. */
static int parse_scaled(uint64_t *ret, const char *text, const char **end, uint64_t scale,
			bool exact)
{
	unsigned __int128 whole = 0;
	uint64_t fraction = 0, weight = scale;
	const char *c = text;

	if (!isdigit((unsigned char)c[c[0] == '.']))
		return -1;
	for (; isdigit((unsigned char)*c); c++) {
		whole = whole * 10 + (unsigned)(*c - '0');
		if (whole > UINT64_MAX)
			return -1;
	}
	if (*c == '.') {
		c++;
		if (!isdigit((unsigned char)*c))
			return -1;
		/* weight * digit / 10 keeps powers of 1024 right to the last digit that matters */
		unsigned __int128 numerator = 0, denominator = 1;
		for (int digits = 0; isdigit((unsigned char)*c); c++, digits++) {
			if (digits >= 18 && (exact && *c != '0'))
				return -1;
			if (digits >= 18)
				continue;
			numerator = numerator * 10 + (unsigned)(*c - '0');
			denominator *= 10;
		}
		if (exact && numerator * weight % denominator)
			return -1;
		fraction = (uint64_t)(numerator * weight / denominator);
	}
	unsigned __int128 value = whole * scale + fraction;
	if (value > INT64_MAX)
		return -1;
	*ret = (uint64_t)value;
	*end = c;
	return 0;
}

static int unit_of(const char *suffix, uint64_t *scale)
{
	static const char units[] = "kmgtp";

	*scale = 1;
	if (!*suffix || strcasecmp(suffix, "b") == 0)
		return 0;
	const char *unit = strchr(units, tolower((unsigned char)*suffix));
	if (!unit)
		return -1;
	const char *rest = suffix + 1;
	if (*rest && strcasecmp(rest, "b") != 0 && strcasecmp(rest, "ib") != 0)
		return -1;
	*scale = 1ULL << (10 * (unit - units + 1));
	return 0;
}

int number_parse_bytes(int64_t *ret, const char *text, struct err *e)
{
	uint64_t scale, value;
	const char *end, *unit = text + strspn(text, "0123456789.");

	if (unit_of(unit, &scale) < 0 || parse_scaled(&value, text, &end, scale, false) < 0 ||
	    end != unit)
		return err_set(e, ERR_INVALID, "'%s' is not a size like 512m or 1.5g", text);
	*ret = (int64_t)value;
	return 0;
}

int number_parse_duration_ns(int64_t *ret, const char *text, struct err *e)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = { { "ns", 1 },           { "us", 1000 },      { "\xc2\xb5s", 1000 },
		      { "ms", 1000000 },     { "s", 1000000000 }, { "m", 60000000000 },
		      { "h", 3600000000000 } };
	uint64_t total = 0;
	const char *at = text;

	do {
		uint64_t scale = 0, part;
		const char *end, *unit = at + strspn(at, "0123456789.");
		size_t length = strcspn(unit, "0123456789.");
		for (size_t i = 0; i < COUNT_OF(units); i++)
			if (strlen(units[i].name) == length &&
			    !strncmp(unit, units[i].name, length))
				scale = units[i].ns;
		if (!length && at == text)
			scale = 1000000000;
		if (!scale || parse_scaled(&part, at, &end, scale, false) < 0 || end != unit ||
		    __builtin_add_overflow(total, part, &total) || total > INT64_MAX)
			return err_set(e, ERR_INVALID,
				       "'%s' is not a time like 30s, 1m30s or 500ms", text);
		at = unit + length;
	} while (*at);
	*ret = (int64_t)total;
	return 0;
}

int number_parse_nanocpus(int64_t *ret, const char *text, struct err *e)
{
	uint64_t value;
	const char *end;

	if (parse_scaled(&value, text, &end, 1000000000, true) < 0 || *end)
		return err_set(e, ERR_INVALID, "'%s' is not a number of CPUs like 2 or 0.5", text);
	*ret = (int64_t)value;
	return 0;
}

void number_format_bytes(char to[16], uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes;
	size_t unit = 0;

	/* 999.5 would be printed as 1e+03 */
	while (value >= 999.5 && unit + 1 < COUNT_OF(units)) {
		value /= 1000.0;
		unit++;
	}
	snprintf(to, 16, "%.3g%s", value, units[unit]);
}

void number_format_binary(char to[16], uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1023.95 && unit + 1 < COUNT_OF(units)) {
		value /= 1024.0;
		unit++;
	}
	snprintf(to, 16, "%.4g%s", value, units[unit]);
}

int number_hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}
