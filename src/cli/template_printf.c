#include "cli/template_printf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/print.h"
#include "cli/template_tree.h"

struct verb {
	bool minus, zero, plus, sharp, blank;
	int width;     /* -1: none */
	int precision; /* -1: none */
	char letter;
};

static int take_number(const char **at)
{
	int value = 0;

	for (; isdigit((unsigned char)**at); (*at)++)
		value = value > TEMPLATE_PAD_MAX ? value : value * 10 + (**at - '0');
	return value > TEMPLATE_PAD_MAX ? TEMPLATE_PAD_MAX : value;
}

static const char *parse_verb(struct verb *v, const char *at)
{
	*v = (struct verb){ .width = -1, .precision = -1 };
	for (; *at && strchr("-0+# ", *at); at++) {
		v->minus |= *at == '-';
		v->zero |= *at == '0';
		v->plus |= *at == '+';
		v->sharp |= *at == '#';
		v->blank |= *at == ' ';
	}
	if (isdigit((unsigned char)*at))
		v->width = take_number(&at);
	if (*at == '.') {
		at++;
		v->precision = take_number(&at);
	}
	v->letter = *at;
	return *at ? at + 1 : at;
}

static void pad(struct str *to, const struct verb *v, const char *text)
{
	size_t width = cli_print_width(text);
	int missing = v->width > (int)width ? v->width - (int)width : 0;

	if (!v->minus)
		str_addf(to, "%*s", missing, "");
	str_add(to, text);
	if (v->minus)
		str_addf(to, "%*s", missing, "");
}

static const char *type_name(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_string:
		return "string";
	case json_type_int:
		return "int";
	case json_type_double:
		return "float64";
	case json_type_boolean:
		return "bool";
	case json_type_array:
		return "[]interface {}";
	case json_type_object:
		return "map[string]interface {}";
	default:
		return "<nil>";
	}
}

static void bad_verb(struct str *to, const struct verb *v, struct json_object *value)
{
	if (!value) {
		str_addf(to, "%%!%c(<nil>)", v->letter);
		return;
	}
	str_addf(to, "%%!%c(%s=", v->letter, type_name(value));
	cli_template_print(to, value);
	str_add_char(to, ')');
}

static void add_binary(struct str *to, uint64_t value)
{
	char digits[65];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + (value & 1));
		value >>= 1;
	} while (value);
	str_add(to, digits + at);
}

static void print_integer(struct str *to, const struct verb *v, int64_t value)
{
	own_clear(str_clear) struct str digits = { 0 };
	own_clear(str_clear) struct str whole = { 0 };
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	const char *sign = value < 0 ? "-" : v->plus ? "+" : v->blank ? " " : "";

	if (v->letter == 'x')
		str_addf(&digits, "%s%llx", v->sharp ? "0x" : "", (unsigned long long)size);
	else if (v->letter == 'X')
		str_addf(&digits, "%s%llX", v->sharp ? "0X" : "", (unsigned long long)size);
	else if (v->letter == 'o')
		str_addf(&digits, "%llo", (unsigned long long)size);
	else if (v->letter == 'b')
		add_binary(&digits, size);
	else
		str_addf(&digits, "%llu", (unsigned long long)size);
	str_add(&whole, sign);
	int missing = v->width - (int)(strlen(sign) + digits.length);
	while (v->zero && !v->minus && missing-- > 0)
		str_add_char(&whole, '0');
	str_add(&whole, digits.text);
	pad(to, v, whole.text);
}

static void print_float(struct str *to, const struct verb *v, double value)
{
	char format[16], text[512];
	int precision = v->precision > 100 ? 100 : v->precision < 0 ? 6 : v->precision;

	/* the letter is one of efgEG here, so that the format is of printf's own making */
	snprintf(format, sizeof(format), "%%%s.*%c", v->plus ? "+" : "", v->letter);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), format, precision, value);
#pragma GCC diagnostic pop
	pad(to, v, text);
}

static void print_quoted(struct str *to, const struct verb *v, const char *value)
{
	own_clear(str_clear) struct str s = { 0 };

	str_add_char(&s, '"');
	for (const char *c = value; *c; c++) {
		if (*c == '"' || *c == '\\')
			str_addf(&s, "\\%c", *c);
		else if (*c == '\n' || *c == '\t' || *c == '\r')
			str_addf(&s, "\\%c", *c == '\n' ? 'n' : *c == '\t' ? 't' : 'r');
		else if ((unsigned char)*c < 0x20 || *c == 0x7f)
			str_addf(&s, "\\x%02x", (unsigned char)*c);
		else
			str_add_char(&s, *c);
	}
	str_add_char(&s, '"');
	pad(to, v, s.text);
}

static void print_text(struct str *to, const struct verb *v, struct json_object *value)
{
	own_clear(str_clear) struct str s = { 0 };

	cli_template_print(&s, value);
	if (v->precision >= 0 && (size_t)v->precision < s.length)
		s.text[v->precision] = '\0';
	pad(to, v, s.text ? s.text : "");
}

static void print_hex(struct str *to, const struct verb *v, const char *value)
{
	own_clear(str_clear) struct str s = { 0 };

	str_add(&s, "");
	for (; *value; value++)
		str_addf(&s, v->letter == 'x' ? "%02x" : "%02X", (unsigned char)*value);
	pad(to, v, s.text ? s.text : "");
}

static void print_value(struct str *to, const struct verb *v, struct json_object *value)
{
	enum json_type type = json_object_get_type(value);

	if (v->letter == 'v' && type == json_type_int)
		print_integer(to, v, json_object_get_int64(value));
	else if (v->letter == 'v' || (v->letter == 's' && type == json_type_string) ||
		 (v->letter == 's' && (type == json_type_array || type == json_type_object)) ||
		 (v->letter == 't' && type == json_type_boolean))
		print_text(to, v, value);
	else if (v->letter == 'q' && type == json_type_string)
		print_quoted(to, v, json_object_get_string(value));
	else if (strchr("xX", v->letter) && type == json_type_string)
		print_hex(to, v, json_object_get_string(value));
	else if (strchr("dxXob", v->letter) && type == json_type_int)
		print_integer(to, v, json_object_get_int64(value));
	else if (strchr("efgEG", v->letter) && type == json_type_double)
		print_float(to, v, json_object_get_double(value));
	else
		bad_verb(to, v, value);
}

void cli_template_printf(struct str *to, const char *format, struct json_object **args,
			 size_t count)
{
	size_t used = 0;

	while (*format) {
		size_t plain = strcspn(format, "%");
		struct verb v;
		str_add_n(to, format, plain);
		format += plain;
		if (!*format)
			break;
		format = parse_verb(&v, format + 1);
		if (v.letter == '%')
			str_add_char(to, '%');
		else if (!v.letter)
			str_add(to, "%!(NOVERB)");
		else if (used == count)
			str_addf(to, "%%!%c(MISSING)", v.letter);
		else
			print_value(to, &v, args[used++]);
	}
	if (used == count)
		return;
	str_add(to, "%!(EXTRA ");
	for (size_t i = used; i < count; i++) {
		str_addf(to, "%s%s=", i > used ? ", " : "", type_name(args[i]));
		cli_template_print(to, args[i]);
	}
	str_add_char(to, ')');
}
