/* toml.c - a reader by recursive descent over https://toml.io/en/v1.0.0.
 *
 * TOML allows each table to be written once, and says of each kind of table who may add to it
 * later. The kind is kept in the userdata of the json object:
 *	implied   by a header [a.b] for a: may be defined by its own header, once
 *	defined   by its header: only headers below it
 *	dotted    by a key a.b = 1: more dotted keys of the same table, no header
 *	fixed     { } and [ ] values: nothing may be added
 *	repeated  an array made by [[a]]: [[a]] adds to it */
#include "image/toml.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/utf8.h"

enum kind { KIND_IMPLIED, KIND_DEFINED, KIND_DOTTED, KIND_FIXED, KIND_REPEATED };

struct parser {
	const char *at;
	const char *end;
	const char *what;
	size_t line;
	int depth;
	struct err *e;
};

static int parse_value(struct parser *p, struct json_object **ret);

static int refuse(struct parser *p, const char *why)
{
	return err_set(p->e, ERR_INVALID, "%s: line %zu: %s", p->what, p->line, why);
}

static enum kind kind_of(struct json_object *object)
{
	return (enum kind)(intptr_t)json_object_get_userdata(object);
}

static struct json_object *with_kind(struct json_object *object, enum kind kind)
{
	json_object_set_userdata(object, (void *)(intptr_t)kind, NULL);
	return object;
}

static int peek(const struct parser *p)
{
	return p->at < p->end ? (unsigned char)*p->at : -1;
}

static bool looking_at(const struct parser *p, const char *text)
{
	size_t length = strlen(text);

	return (size_t)(p->end - p->at) >= length && memcmp(p->at, text, length) == 0;
}

static bool skip(struct parser *p, const char *text)
{
	if (!looking_at(p, text))
		return false;
	p->at += strlen(text);
	return true;
}

static void skip_blanks(struct parser *p)
{
	while (peek(p) == ' ' || peek(p) == '\t')
		p->at++;
}

static bool skip_newline(struct parser *p)
{
	if (!skip(p, "\n") && !skip(p, "\r\n"))
		return false;
	p->line++;
	return true;
}

static bool is_control(int c)
{
	return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f;
}

static int skip_comment(struct parser *p)
{
	if (peek(p) != '#')
		return 0;
	while (peek(p) >= 0 && !looking_at(p, "\n") && !looking_at(p, "\r\n")) {
		if (is_control(peek(p)))
			return refuse(p, "control character in a comment");
		p->at++;
	}
	return 0;
}

/* Blanks, newlines and comments, as between the elements of an array. */
static int skip_space(struct parser *p)
{
	do {
		skip_blanks(p);
		int r = skip_comment(p);
		if (r < 0)
			return r;
	} while (skip_newline(p));
	return 0;
}

static int end_of_line(struct parser *p)
{
	skip_blanks(p);
	int r = skip_comment(p);
	if (r < 0)
		return r;
	if (peek(p) < 0 || skip_newline(p))
		return 0;
	return refuse(p, "unexpected text behind the value");
}

static int parse_unicode(struct parser *p, struct str *s, int digits)
{
	uint32_t code = 0;

	for (int i = 0; i < digits; i++) {
		int digit = number_hex_digit(peek(p));
		if (digit < 0)
			return refuse(p, "malformed \\u escape");
		code = code << 4 | (uint32_t)digit;
		p->at++;
	}
	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return refuse(p, "\\u escape of no character");
	utf8_add(s, code);
	return 0;
}

static int parse_escape(struct parser *p, struct str *s)
{
	static const char names[] = "btnfr\"\\";
	static const char bytes[] = "\b\t\n\f\r\"\\";
	int c = peek(p);
	const char *name = c > 0 ? strchr(names, c) : NULL;

	if (name) {
		str_add_char(s, bytes[name - names]);
		p->at++;
		return 0;
	}
	if (skip(p, "u"))
		return parse_unicode(p, s, 4);
	if (skip(p, "U"))
		return parse_unicode(p, s, 8);
	return refuse(p, "unknown escape");
}

static int parse_line_string(struct parser *p, struct str *s, char quote)
{
	for (;;) {
		int c = peek(p);
		if (c < 0 || c == '\n')
			return refuse(p, "string without its closing quote");
		if (is_control(c))
			return refuse(p, "control character in a string");
		p->at++;
		if (c == quote)
			return 0;
		if (c == '\\' && quote == '"') {
			int r = parse_escape(p, s);
			if (r < 0)
				return r;
			continue;
		}
		str_add_char(s, (char)c);
	}
}

/* A backslash at the end of a line swallows all white space up to the next other character. */
static bool skip_line_continuation(struct parser *p)
{
	struct parser ahead = *p;

	skip_blanks(&ahead);
	if (!skip_newline(&ahead))
		return false;
	do
		skip_blanks(&ahead);
	while (skip_newline(&ahead));
	*p = ahead;
	return true;
}

/* Up to two quotes may stand before the closing three. */
static bool end_of_block(struct parser *p, struct str *s, const char *three)
{
	if (!skip(p, three))
		return false;
	for (int i = 0; i < 2 && peek(p) == three[0]; i++) {
		str_add_char(s, three[0]);
		p->at++;
	}
	return true;
}

static int parse_block_string(struct parser *p, struct str *s, const char *three)
{
	skip_newline(p);
	while (!end_of_block(p, s, three)) {
		int c = peek(p);
		if (c < 0)
			return refuse(p, "string without its closing quotes");
		if (skip_newline(p)) {
			str_add_char(s, '\n');
			continue;
		}
		if (is_control(c))
			return refuse(p, "control character in a string");
		p->at++;
		if (c != '\\' || three[0] != '"') {
			str_add_char(s, (char)c);
			continue;
		}
		if (skip_line_continuation(p))
			continue;
		int r = parse_escape(p, s);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_string(struct parser *p, struct str *s)
{
	if (skip(p, "\"\"\""))
		return parse_block_string(p, s, "\"\"\"");
	if (skip(p, "'''"))
		return parse_block_string(p, s, "'''");
	if (skip(p, "\""))
		return parse_line_string(p, s, '"');
	p->at++;
	return parse_line_string(p, s, '\'');
}

static bool is_bare(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static int parse_key_part(struct parser *p, struct str *s)
{
	if (looking_at(p, "\"\"\"") || looking_at(p, "'''"))
		return refuse(p, "a key cannot be a block of lines");
	if (peek(p) == '"' || peek(p) == '\'') {
		int r = parse_string(p, s);
		if (r == 0 && s->text && strlen(s->text) != s->length)
			return refuse(p, "NUL in a key");
		return r;
	}
	while (is_bare(peek(p)))
		str_add_char(s, *p->at++);
	return s->length ? 0 : refuse(p, "expected a key");
}

/* The parts of a.b."c d"; *keys is the caller's. */
static int parse_key(struct parser *p, struct strv *keys)
{
	do {
		own_clear(str_clear) struct str part = { 0 };
		skip_blanks(p);
		int r = parse_key_part(p, &part);
		if (r < 0)
			return r;
		strv_add_take(keys, str_take(&part));
		if (keys->count > IMAGE_TOML_DEPTH_MAX)
			return refuse(p, "key with too many parts");
		skip_blanks(p);
	} while (skip(p, "."));
	return 0;
}

/* The table for the part of a dotted key that is not the last. */
static int step_dotted(struct parser *p, struct json_object **table, const char *key)
{
	struct json_object *next = NULL;

	if (!json_object_object_get_ex(*table, key, &next)) {
		next = with_kind(json_object_new_object(), KIND_DOTTED);
		json_object_object_add(*table, key, next);
	}
	if (!json_object_is_type(next, json_type_object) || kind_of(next) == KIND_FIXED ||
	    kind_of(next) == KIND_DEFINED)
		return refuse(p, "key adds to what is complete already");
	*table = next;
	return 0;
}

static int parse_assignment(struct parser *p, struct json_object *table)
{
	own_clear(strv_clear) struct strv keys = { 0 };
	struct json_object *value = NULL;
	int r = parse_key(p, &keys);

	if (r < 0)
		return r;
	if (!skip(p, "="))
		return refuse(p, "expected = behind the key");
	for (size_t i = 0; i + 1 < keys.count; i++) {
		r = step_dotted(p, &table, keys.items[i]);
		if (r < 0)
			return r;
	}
	const char *last = keys.items[keys.count - 1];
	if (json_object_object_get_ex(table, last, NULL))
		return refuse(p, "key given twice");
	skip_blanks(p);
	r = parse_value(p, &value);
	if (r < 0)
		return r;
	json_object_object_add(table, last, value);
	return 0;
}

static int parse_array(struct parser *p, struct json_object **ret)
{
	own_json struct json_object *array = with_kind(json_object_new_array(), KIND_FIXED);

	p->at++;
	for (;;) {
		struct json_object *value = NULL;
		int r = skip_space(p);
		if (r < 0)
			return r;
		if (skip(p, "]"))
			break;
		r = parse_value(p, &value);
		if (r < 0)
			return r;
		json_object_array_add(array, value);
		r = skip_space(p);
		if (r < 0)
			return r;
		if (!skip(p, ",") && peek(p) != ']')
			return refuse(p, "expected , or ] in the array");
	}
	*ret = take_ptr(&array);
	return 0;
}

/* The tables that dotted keys made inside of braces are complete with the brace. */
static void fix_tables(struct json_object *table)
{
	with_kind(table, KIND_FIXED);
	json_object_object_foreach (table, key, value) {
		(void)key;
		if (json_object_is_type(value, json_type_object) && kind_of(value) == KIND_DOTTED)
			fix_tables(value);
	}
}

static int parse_inline_table(struct parser *p, struct json_object **ret)
{
	own_json struct json_object *table = json_object_new_object();

	p->at++;
	skip_blanks(p);
	if (!skip(p, "}")) {
		do {
			int r = parse_assignment(p, table);
			if (r < 0)
				return r;
			skip_blanks(p);
		} while (skip(p, ","));
		if (!skip(p, "}"))
			return refuse(p, "expected , or } in the table");
	}
	fix_tables(table);
	*ret = take_ptr(&table);
	return 0;
}

static bool is_digit_of(char c, int base)
{
	int digit = number_hex_digit((unsigned char)c);

	return digit >= 0 && digit < base;
}

/* Copies digits without their underscores, which must stand between digits. */
static bool copy_digits(const char **at, struct str *to, int base)
{
	if (!is_digit_of(**at, base))
		return false;
	while (is_digit_of(**at, base)) {
		str_add_char(to, *(*at)++);
		if (**at == '_' && is_digit_of((*at)[1], base))
			(*at)++;
	}
	return true;
}

static int new_integer(struct parser *p, struct json_object **ret, const char *digits, int base)
{
	errno = 0;
	long long value = strtoll(digits, NULL, base);
	if (errno)
		return refuse(p, "number out of range");
	*ret = json_object_new_int64(value);
	return 0;
}

static int parse_based(struct parser *p, struct json_object **ret, const char *word, int base)
{
	own_clear(str_clear) struct str digits = { 0 };
	const char *at = word + 2;

	if (!copy_digits(&at, &digits, base) || *at)
		return refuse(p, "malformed number");
	return new_integer(p, ret, digits.text, base);
}

static bool copy_fraction(const char **at, struct str *to)
{
	if (**at == '.') {
		str_add_char(to, *(*at)++);
		if (!copy_digits(at, to, 10))
			return false;
	}
	if (**at == 'e' || **at == 'E') {
		str_add_char(to, *(*at)++);
		if (**at == '+' || **at == '-')
			str_add_char(to, *(*at)++);
		if (!copy_digits(at, to, 10))
			return false;
	}
	return true;
}

static int parse_decimal(struct parser *p, struct json_object **ret, const char *word)
{
	own_clear(str_clear) struct str number = { 0 };
	const char *at = word;

	if (*at == '+' || *at == '-')
		str_add_char(&number, *at++);
	if (str_equal(at, "inf") || str_equal(at, "nan")) {
		*ret = json_object_new_double(*at == 'n'     ? (double)NAN
					      : *word == '-' ? -(double)INFINITY
							     : (double)INFINITY);
		return 0;
	}
	if (*at == '0' && is_digit_of(at[1], 10))
		return refuse(p, "number with a leading zero");
	if (!copy_digits(&at, &number, 10))
		return refuse(p, "unknown value");
	bool whole = !*at;
	if (!copy_fraction(&at, &number) || *at)
		return refuse(p, "malformed number");
	if (whole)
		return new_integer(p, ret, number.text, 10);
	*ret = json_object_new_double(strtod(number.text, NULL));
	return 0;
}

/* "9999-99-99", "99:99:99", both with T or a blank between, a fraction and an offset: the form
 * is checked, the calendar is not. */
static bool matches(const char **at, const char *form)
{
	const char *c = *at;

	for (; *form; form++, c++)
		if (*form == '9' ? !is_digit_of(*c, 10) : *c != *form)
			return false;
	*at = c;
	return true;
}

static bool is_moment(const char *word)
{
	const char *at = word;
	bool date = matches(&at, "9999-99-99");

	if (date && !*at)
		return true;
	if (date && !strchr("Tt ", *at++))
		return false;
	if (!matches(&at, "99:99:99"))
		return false;
	if (*at == '.')
		for (at++; is_digit_of(*at, 10);)
			at++;
	if (date && (*at == 'Z' || *at == 'z'))
		at++;
	else if (date && (*at == '+' || *at == '-')) {
		at++;
		if (!matches(&at, "99:99"))
			return false;
	}
	return !*at;
}

static void take_word(struct parser *p, struct str *word)
{
	while (is_bare(peek(p)) || (peek(p) >= 0 && strchr("+.:", peek(p))))
		str_add_char(word, *p->at++);
	/* the one blank that a value may have: between date and time */
	bool date = word->length == 10 && word->text[4] == '-';
	if (date && peek(p) == ' ' && p->end - p->at > 1 && is_digit_of(p->at[1], 10)) {
		str_add_char(word, *p->at++);
		while (is_bare(peek(p)) || (peek(p) >= 0 && strchr("+.:", peek(p))))
			str_add_char(word, *p->at++);
	}
}

static int parse_word(struct parser *p, struct json_object **ret)
{
	own_clear(str_clear) struct str word = { 0 };

	take_word(p, &word);
	if (!word.length)
		return refuse(p, "expected a value");
	if (str_equal(word.text, "true") || str_equal(word.text, "false")) {
		*ret = json_object_new_boolean(word.text[0] == 't');
		return 0;
	}
	if (is_moment(word.text)) {
		*ret = json_object_new_string(word.text);
		return 0;
	}
	if (str_starts(word.text, "0x"))
		return parse_based(p, ret, word.text, 16);
	if (str_starts(word.text, "0o"))
		return parse_based(p, ret, word.text, 8);
	if (str_starts(word.text, "0b"))
		return parse_based(p, ret, word.text, 2);
	return parse_decimal(p, ret, word.text);
}

static int parse_string_value(struct parser *p, struct json_object **ret)
{
	own_clear(str_clear) struct str s = { 0 };
	int r = parse_string(p, &s);

	if (r == 0)
		*ret = json_object_new_string_len(s.text ? s.text : "", (int)s.length);
	return r;
}

static int parse_value(struct parser *p, struct json_object **ret)
{
	int r;

	if (p->depth == IMAGE_TOML_DEPTH_MAX)
		return refuse(p, "nested too deep");
	p->depth++;
	switch (peek(p)) {
	case '"':
	case '\'':
		r = parse_string_value(p, ret);
		break;
	case '[':
		r = parse_array(p, ret);
		break;
	case '{':
		r = parse_inline_table(p, ret);
		break;
	default:
		r = parse_word(p, ret);
	}
	p->depth--;
	return r;
}

/* The table that a header's part names, which is not the last: made if it is missing; of an
 * array of tables the newest. */
static int step_header(struct parser *p, struct json_object **table, const char *key)
{
	struct json_object *next = NULL;

	if (!json_object_object_get_ex(*table, key, &next)) {
		next = with_kind(json_object_new_object(), KIND_IMPLIED);
		json_object_object_add(*table, key, next);
	}
	if (json_object_is_type(next, json_type_array) && kind_of(next) == KIND_REPEATED)
		next = json_object_array_get_idx(next, json_object_array_length(next) - 1);
	if (!json_object_is_type(next, json_type_object) || kind_of(next) == KIND_FIXED)
		return refuse(p, "header below what is no table");
	*table = next;
	return 0;
}

static int define_table(struct parser *p, struct json_object **table, const char *key)
{
	struct json_object *next = NULL;

	if (!json_object_object_get_ex(*table, key, &next)) {
		next = json_object_new_object();
		json_object_object_add(*table, key, next);
	} else if (!json_object_is_type(next, json_type_object) || kind_of(next) != KIND_IMPLIED) {
		return refuse(p, "table given twice");
	}
	*table = with_kind(next, KIND_DEFINED);
	return 0;
}

static int repeat_table(struct parser *p, struct json_object **table, const char *key)
{
	struct json_object *array = NULL;

	if (!json_object_object_get_ex(*table, key, &array)) {
		array = with_kind(json_object_new_array(), KIND_REPEATED);
		json_object_object_add(*table, key, array);
	}
	if (!json_object_is_type(array, json_type_array) || kind_of(array) != KIND_REPEATED)
		return refuse(p, "[[ ]] adds to what is no array of tables");
	*table = with_kind(json_object_new_object(), KIND_DEFINED);
	json_object_array_add(array, *table);
	return 0;
}

static int parse_header(struct parser *p, struct json_object *root, struct json_object **table)
{
	own_clear(strv_clear) struct strv keys = { 0 };
	bool repeated = skip(p, "[[");

	if (!repeated)
		p->at++;
	int r = parse_key(p, &keys);
	if (r < 0)
		return r;
	if (!skip(p, repeated ? "]]" : "]"))
		return refuse(p, "expected ] behind the name of the table");
	*table = root;
	for (size_t i = 0; i + 1 < keys.count; i++) {
		r = step_header(p, table, keys.items[i]);
		if (r < 0)
			return r;
	}
	const char *last = keys.items[keys.count - 1];
	return repeated ? repeat_table(p, table, last) : define_table(p, table, last);
}

static int parse_document(struct parser *p, struct json_object *root)
{
	struct json_object *table = root;

	for (;;) {
		int r = skip_space(p);
		if (r < 0)
			return r;
		if (peek(p) < 0)
			return 0;
		if (peek(p) == '[')
			r = parse_header(p, root, &table);
		else
			r = parse_assignment(p, table);
		if (r < 0)
			return r;
		r = end_of_line(p);
		if (r < 0)
			return r;
	}
}

int image_toml_parse(struct json_object **ret, const char *text, size_t length, const char *what,
		     struct err *e)
{
	if (length > IMAGE_TOML_BYTES_MAX)
		return err_set(e, ERR_INVALID, "%s: larger than 1 MiB", what);
	if (!utf8_valid(text, length))
		return err_set(e, ERR_INVALID, "%s: not UTF-8", what);

	own_json struct json_object *root = with_kind(json_object_new_object(), KIND_DEFINED);
	struct parser p = { text, text + length, what, 1, 0, e };
	int r = parse_document(&p, root);
	if (r < 0)
		return r;
	*ret = take_ptr(&root);
	return 0;
}
