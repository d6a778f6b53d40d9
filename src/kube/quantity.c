#include "kube/quantity.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static const struct {
	const char *suffix;
	double factor;
} units[] = {
	{ "", 1 },        { "n", 1e-9 },    { "u", 1e-6 },    { "m", 1e-3 },
	{ "k", 1e3 },     { "M", 1e6 },     { "G", 1e9 },     { "T", 1e12 },
	{ "P", 1e15 },    { "E", 1e18 },    { "Ki", 0x1p10 }, { "Mi", 0x1p20 },
	{ "Gi", 0x1p30 }, { "Ti", 0x1p40 }, { "Pi", 0x1p50 }, { "Ei", 0x1p60 },
};

/* Digits, perhaps with a point among them, and an exponent: without what else strtod(3) takes. */
static size_t number_length(const char *text)
{
	static const char digits[] = "0123456789";
	size_t length = strspn(text, digits);

	if (text[length] == '.')
		length += 1 + strspn(text + length + 1, digits);
	if (text[length] != 'e' && text[length] != 'E')
		return length;
	size_t sign = text[length + 1] == '+' || text[length + 1] == '-';
	size_t power = strspn(text + length + 1 + sign, digits);
	return power ? length + 1 + sign + power : length;
}

int kube_quantity_parse(double *ret, const char *text, struct err *e)
{
	size_t length = number_length(text);

	for (size_t i = 0; strpbrk(text, "0123456789") && i < COUNT_OF(units); i++) {
		if (strcmp(text + length, units[i].suffix) != 0)
			continue;
		double number = strtod(text, NULL) * units[i].factor;
		if (!(number <= 0x1p62))
			break;
		*ret = number;
		return 0;
	}
	return err_set(e, ERR_INVALID, "'%s' is no quantity such as 500m, 2 or 64Mi", text);
}
