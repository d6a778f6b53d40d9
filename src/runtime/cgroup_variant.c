#include "runtime/cgroup_variant.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "wire/dbus_message.h"

/* Longer than any property of systemd needs. */
enum { TEXT_BYTES_MAX = 65536 };

#define USEC_PER_SEC 1000000

struct number_type {
	const char *word;
	char code;
	size_t size;
	bool is_signed;
	uint64_t max; /* of the positive ones */
};

static const struct number_type number_types[] = {
	{ "byte", 'y', 1, false, UINT8_MAX },    { "int16", 'n', 2, true, INT16_MAX },
	{ "uint16", 'q', 2, false, UINT16_MAX }, { "int32", 'i', 4, true, INT32_MAX },
	{ "uint32", 'u', 4, false, UINT32_MAX }, { "int64", 'x', 8, true, INT64_MAX },
	{ "uint64", 't', 8, false, UINT64_MAX }, { "double", 'd', 8, true, 0 },
	{ "objectpath", 'o', 4, false, 0 },      { "signature", 'g', 1, false, 0 },
};

/* GVariant's own: a number without a type is an int32, one with a point a double. */
#define DEFAULT_NUMBER (&number_types[3])
#define DOUBLE_NUMBER  (&number_types[7])

/* One value, in the making. */
struct value {
	char code; /* 'b', 's', or a number's */
	size_t alignment;
	uint64_t bits;
	double real;
	struct str text;
};

static void value_clear(struct value *value)
{
	str_clear(&value->text);
}

static const char *skip(const char *at)
{
	return at + strspn(at, " \t\n");
}

static const struct number_type *read_type(const char **at)
{
	for (size_t i = 0; i < COUNT_OF(number_types); i++) {
		size_t length = strlen(number_types[i].word);
		if (strncmp(*at, number_types[i].word, length) == 0 && (*at)[length] == ' ') {
			*at = skip(*at + length);
			return &number_types[i];
		}
	}
	return NULL;
}

/* 'it\'s' or "it's" */
static int read_quoted(struct value *to, const char **at)
{
	char quote = **at;

	for ((*at)++; **at != quote; (*at)++) {
		if (**at == '\\')
			(*at)++;
		if (!**at)
			return -EINVAL;
		str_add_char(&to->text, **at);
	}
	(*at)++;
	to->code = 's';
	to->alignment = 4;
	return 0;
}

static int read_integer(struct value *to, const char *at, char **end,
			const struct number_type *type)
{
	bool negative = *at == '-';

	errno = 0;
	uint64_t magnitude = strtoull(at + negative, end, 0);
	if (*end == at + negative || errno || at[negative] < '0' || at[negative] > '9' ||
	    (negative && !type->is_signed) || magnitude > type->max + (negative ? 1 : 0))
		return -EINVAL;
	to->bits = negative ? -magnitude : magnitude;
	to->real = negative ? -(double)magnitude : (double)magnitude;
	return 0;
}

static int read_number(struct value *to, const char **at, const struct number_type *type)
{
	size_t digits = strspn(*at, "+-0123456789");
	char *end = NULL;
	int r = 0;

	if (!type)
		type = (*at)[digits] == '.' ? DOUBLE_NUMBER : DEFAULT_NUMBER;
	if (type->code == 'd') {
		to->real = strtod(*at, &end);
		memcpy(&to->bits, &to->real, sizeof(to->bits));
		r = end == *at || !isfinite(to->real) ? -EINVAL : 0;
	} else {
		r = read_integer(to, *at, &end, type);
	}
	if (r < 0)
		return r;
	to->code = type->code;
	to->alignment = type->size;
	*at = end;
	return 0;
}

static int read_value(struct value *to, const char **at)
{
	const struct number_type *type = read_type(at);
	bool text = type && strchr("og", type->code);

	if (text) {
		int r = **at == '\'' || **at == '"' ? read_quoted(to, at) : -EINVAL;
		to->code = type->code;
		to->alignment = type->size;
		return r;
	}
	if (!type && (**at == '\'' || **at == '"'))
		return read_quoted(to, at);
	for (unsigned i = 0; !type && i < 2; i++) {
		const char *word = i ? "true" : "false";
		if (!str_starts(*at, word))
			continue;
		*at += strlen(word);
		to->code = 'b';
		to->alignment = 4;
		to->bits = i;
		return 0;
	}
	return read_number(to, at, type);
}

static int add_value(struct str *body, const struct value *value)
{
	const char *text = value->text.text ? value->text.text : "";

	if (value->code == 'g') {
		if (value->text.length > UINT8_MAX)
			return -EINVAL;
		wire_dbus_add_signature(body, text);
	} else if (value->code == 's' || value->code == 'o') {
		wire_dbus_add_string(body, text);
	} else if (value->alignment == 1) {
		wire_dbus_add_byte(body, (uint8_t)value->bits);
	} else if (value->alignment == 2) {
		wire_dbus_add_u16(body, (uint16_t)value->bits);
	} else if (value->alignment == 4) {
		wire_dbus_add_u32(body, (uint32_t)value->bits);
	} else {
		wire_dbus_add_u64(body, value->bits);
	}
	return 0;
}

static int add_one(struct str *body, const char **at)
{
	own_clear(value_clear) struct value value = { 0 };

	int r = read_value(&value, at);
	if (r < 0)
		return r;
	wire_dbus_add_signature(body, (char[]){ value.code, '\0' });
	return add_value(body, &value);
}

/* "[uint32 1, 2]": the first element gives the type to all. */
static int add_array(struct str *body, const char **at)
{
	own_clear(value_clear) struct value first = { 0 };
	const struct number_type *type = NULL;

	*at = skip(*at + 1);
	if (**at == ']')
		return -EINVAL; /* of what? */
	const char *before = *at;
	type = read_type(&before);
	int r = read_value(&first, at);
	if (r < 0)
		return r;
	wire_dbus_add_signature(body, (char[]){ 'a', first.code, '\0' });
	size_t begin = wire_dbus_begin_array(body, first.alignment);
	r = add_value(body, &first);
	for (*at = skip(*at); r == 0 && **at == ','; *at = skip(*at)) {
		own_clear(value_clear) struct value next = { 0 };
		*at = skip(*at + 1);
		r = type && !strchr("og", type->code) ? read_number(&next, at, type)
						      : read_value(&next, at);
		if (type && strchr("og", type->code) && next.code == 's')
			next.code = type->code;
		if (r == 0 && next.code != first.code)
			r = -EINVAL;
		if (r == 0)
			r = add_value(body, &next);
	}
	wire_dbus_end_array(body, begin, first.alignment);
	if (r == 0 && **at != ']')
		r = -EINVAL;
	*at += r == 0;
	return r;
}

static int add_seconds(struct str *body, const char **at)
{
	own_clear(value_clear) struct value value = { 0 };

	int r = read_value(&value, at);
	if (r < 0 || !strchr("ynqiuxtd", value.code) || value.real < 0 ||
	    value.real > (double)(UINT64_MAX / 2 / USEC_PER_SEC))
		return -EINVAL;
	wire_dbus_add_signature(body, "t");
	wire_dbus_add_u64(body, (uint64_t)(value.real * USEC_PER_SEC));
	return 0;
}

int runtime_cgroup_variant_add(struct str *body, const char *text, bool seconds, struct err *e)
{
	const char *at = skip(text);
	int r = -EINVAL;

	if (strlen(text) <= TEXT_BYTES_MAX)
		r = seconds      ? add_seconds(body, &at)
		    : *at == '[' ? add_array(body, &at)
				 : add_one(body, &at);
	if (r < 0 || *skip(at))
		return err_set(e, ERR_INVALID,
			       "\"%.100s\" is no value, as in true, uint64 5, 'text' or "
			       "['a', 'b']",
			       text);
	return 0;
}
