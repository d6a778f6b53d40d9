/* The functions of templates, and how Go prints values. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/template.h"
#include "cli/template_printf.h"
#include "cli/template_tree.h"

/* ---- values ---- */

bool cli_template_truth(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_boolean:
		return json_object_get_boolean(value);
	case json_type_int:
		return json_object_get_int64(value) != 0;
	case json_type_double:
		return json_object_get_double(value) != 0;
	case json_type_string:
		return json_object_get_string_len(value) > 0;
	case json_type_array:
		return json_object_array_length(value) > 0;
	case json_type_object:
		return json_object_object_length(value) > 0;
	default:
		return false;
	}
}

/* The shortest text that reads back as the same number, with an exponent where Go uses one. */
static void print_double(struct str *to, double value)
{
	char text[40];
	int digits = 0;

	for (; digits < 17; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	const char *e = strchr(text, 'e');
	long exponent = e ? strtol(e + 1, NULL, 10) : 0;
	if (exponent < -4 || exponent >= 21)
		str_add(to, text);
	else
		str_addf(to, "%.*f", digits > exponent ? digits - (int)exponent : 0, value);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_object(struct str *to, struct json_object *object)
{
	own_clear(strv_clear) struct strv names = { 0 };

	json_object_object_foreach (object, name, ignored) {
		(void)ignored;
		strv_add(&names, name);
	}
	if (names.count)
		qsort(names.items, names.count, sizeof(*names.items), compare_names);
	str_add(to, "map[");
	for (size_t i = 0; i < names.count; i++) {
		str_addf(to, "%s%s:", i ? " " : "", names.items[i]);
		cli_template_print(to, json_object_object_get(object, names.items[i]));
	}
	str_add_char(to, ']');
}

static void print_array(struct str *to, struct json_object *array)
{
	str_add_char(to, '[');
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		if (i)
			str_add_char(to, ' ');
		cli_template_print(to, json_object_array_get_idx(array, i));
	}
	str_add_char(to, ']');
}

void cli_template_print(struct str *to, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		str_add(to, "<nil>");
		break;
	case json_type_double:
		print_double(to, json_object_get_double(value));
		break;
	case json_type_array:
		print_array(to, value);
		break;
	case json_type_object:
		print_object(to, value);
		break;
	case json_type_string:
		str_add_n(to, json_object_get_string(value),
			  (size_t)json_object_get_string_len(value));
		break;
	default:
		str_add(to, json_object_get_string(value));
	}
}

static bool is_string(struct json_object *value)
{
	return json_object_is_type(value, json_type_string);
}

static int want_string(struct json_object *value, const char **ret, struct err *e)
{
	if (!is_string(value))
		return err_set(e, ERR_INVALID, "'%s' is not a string",
			       value ? json_text(value) : "nil");
	*ret = json_object_get_string(value);
	return 0;
}

static int want_index(struct json_object *value, size_t max, size_t *ret, struct err *e)
{
	int64_t n = json_object_get_int64(value);

	if (!json_object_is_type(value, json_type_int) || n < 0 || (uint64_t)n > max)
		return err_set(e, ERR_INVALID, "index %s is out of range",
			       value ? json_text(value) : "nil");
	*ret = (size_t)n;
	return 0;
}

static struct json_object *take_string(struct str *s)
{
	return json_object_new_string_len(s->text ? s->text : "", (int)s->length);
}

/* ---- logic ---- */

static int f_and(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	size_t i = 0;

	(void)e;
	while (i + 1 < count && cli_template_truth(args[i]))
		i++;
	*ret = json_object_get(args[i]);
	return 0;
}

static int f_or(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	size_t i = 0;

	(void)e;
	while (i + 1 < count && !cli_template_truth(args[i]))
		i++;
	*ret = json_object_get(args[i]);
	return 0;
}

static int f_not(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	(void)count, (void)e;
	*ret = json_object_new_boolean(!cli_template_truth(args[0]));
	return 0;
}

static bool is_number(struct json_object *value)
{
	return json_object_is_type(value, json_type_int) ||
	       json_object_is_type(value, json_type_double);
}

/* <0, 0, >0 in *order; ERR_INVALID for values that have none. */
static int compare(struct json_object *a, struct json_object *b, int *order, struct err *e)
{
	if (is_string(a) && is_string(b)) {
		*order = strcmp(json_object_get_string(a), json_object_get_string(b));
		return 0;
	}
	if (!is_number(a) || !is_number(b))
		return err_set(e, ERR_INVALID, "values of different or unordered kinds");
	if (json_object_is_type(a, json_type_int) && json_object_is_type(b, json_type_int)) {
		int64_t x = json_object_get_int64(a), y = json_object_get_int64(b);
		*order = (x > y) - (x < y);
		return 0;
	}
	double x = json_object_get_double(a), y = json_object_get_double(b);
	*order = (x > y) - (x < y);
	return 0;
}

static bool equal(struct json_object *a, struct json_object *b)
{
	struct err ignored;
	int order;

	if (compare(a, b, &order, &ignored) == 0)
		return order == 0;
	return json_object_equal(a, b);
}

static int f_eq(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	bool any = false;

	(void)e;
	for (size_t i = 1; i < count; i++)
		any = any || equal(args[0], args[i]);
	*ret = json_object_new_boolean(any);
	return 0;
}

static int f_ne(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	(void)count, (void)e;
	*ret = json_object_new_boolean(!equal(args[0], args[1]));
	return 0;
}

#define ORDER_FUNCTION(name, test)                                                                 \
	static int name(struct json_object **args, size_t count, struct json_object **ret,         \
			struct err *e)                                                             \
	{                                                                                          \
		int order;                                                                         \
		(void)count;                                                                       \
		int r = compare(args[0], args[1], &order, e);                                      \
		if (r == 0)                                                                        \
			*ret = json_object_new_boolean(order test 0);                              \
		return r;                                                                          \
	}
ORDER_FUNCTION(f_lt, <)
ORDER_FUNCTION(f_le, <=)
ORDER_FUNCTION(f_gt, >)
ORDER_FUNCTION(f_ge, >=)

/* ---- parts ---- */

static int f_len(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	size_t length;

	(void)count;
	if (is_string(args[0]))
		length = (size_t)json_object_get_string_len(args[0]);
	else if (json_object_is_type(args[0], json_type_array))
		length = json_object_array_length(args[0]);
	else if (!args[0])
		length = 0; /* in docker it is a list that is nil */
	else if (json_object_is_type(args[0], json_type_object))
		length = (size_t)json_object_object_length(args[0]);
	else
		return err_set(e, ERR_INVALID, "'%s' has no length", json_text(args[0]));
	*ret = json_object_new_int64((int64_t)length);
	return 0;
}

static int index_one(struct json_object *from, struct json_object *at, struct json_object **ret,
		     struct err *e)
{
	size_t i;
	const char *key;

	if (json_object_is_type(from, json_type_object)) {
		int r = want_string(at, &key, e);
		*ret = r < 0 ? NULL : json_object_object_get(from, key);
		return r;
	}
	if (!json_object_is_type(from, json_type_array))
		return err_set(e, ERR_INVALID, "'%s' has no parts", from ? json_text(from) : "nil");
	size_t length = json_object_array_length(from);
	if (!length)
		return err_set(e, ERR_INVALID, "the list is empty");
	int r = want_index(at, length - 1, &i, e);
	*ret = r < 0 ? NULL : json_object_array_get_idx(from, i);
	return r;
}

/* In Go labels are a map of strings, whose index gives "" for a key that is not there. */
static bool is_string_map(struct json_object *object)
{
	if (!json_object_is_type(object, json_type_object))
		return false;
	json_object_object_foreach (object, key, value) {
		(void)key;
		if (!is_string(value))
			return false;
	}
	return true;
}

static int f_index(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	struct json_object *value = args[0], *from = NULL;

	for (size_t i = 1; i < count; i++) {
		from = value;
		int r = index_one(from, args[i], &value, e);
		if (r < 0)
			return r;
	}
	bool empty = count > 1 && !value && is_string_map(from);
	*ret = empty ? json_object_new_string("") : json_object_get(value);
	return 0;
}

static int f_slice(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	bool text = is_string(args[0]);

	if (!text && !json_object_is_type(args[0], json_type_array))
		return err_set(e, ERR_INVALID, "neither a string nor a list");
	size_t length = text ? (size_t)json_object_get_string_len(args[0])
			     : json_object_array_length(args[0]);
	size_t from = 0, to = length;
	int r = count > 1 ? want_index(args[1], length, &from, e) : 0;
	if (r == 0 && count > 2)
		r = want_index(args[2], length, &to, e);
	if (r < 0)
		return r;
	if (from > to)
		return err_set(e, ERR_INVALID, "it ends before it begins");
	if (text) {
		*ret = json_object_new_string_len(json_object_get_string(args[0]) + from,
						  (int)(to - from));
		return 0;
	}
	*ret = json_object_new_array();
	for (size_t i = from; i < to; i++)
		json_object_array_add(*ret, json_object_get(json_object_array_get_idx(args[0], i)));
	return 0;
}

/* ---- texts ---- */

static int f_json(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	(void)count, (void)e;
	*ret = json_object_new_string(args[0] ? json_text(args[0]) : "null");
	return 0;
}

static int f_join(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	own_clear(str_clear) struct str s = { 0 };
	const char *between;

	(void)count;
	if (args[0] && !json_object_is_type(args[0], json_type_array))
		return err_set(e, ERR_INVALID, "'%s' is not a list", json_text(args[0]));
	int r = want_string(args[1], &between, e);
	if (r < 0)
		return r;
	for (size_t i = 0; args[0] && i < json_object_array_length(args[0]); i++) {
		str_add(&s, i ? between : "");
		cli_template_print(&s, json_object_array_get_idx(args[0], i));
	}
	*ret = take_string(&s);
	return 0;
}

static int f_split(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	const char *text, *at;

	(void)count;
	int r = want_string(args[0], &text, e);
	if (r == 0)
		r = want_string(args[1], &at, e);
	if (r < 0)
		return r;
	*ret = json_object_new_array();
	for (;;) {
		const char *end = *at ? strstr(text, at) : text[0] && text[1] ? text + 1 : NULL;
		size_t length = end ? (size_t)(end - text) : strlen(text);
		json_object_array_add(*ret, json_object_new_string_len(text, (int)length));
		if (!end)
			return 0;
		text = end + strlen(at);
	}
}

/* ASCII alone: other letters have no case without a locale. */
static int change_case(struct json_object *value, int (*change)(int), bool words,
		       struct json_object **ret, struct err *e)
{
	const char *text;
	int r = want_string(value, &text, e);
	if (r < 0)
		return r;

	own_free char *changed = mem_text(text);
	bool first = true;
	for (char *c = changed; *c; c++) {
		if (!words || first)
			*c = (char)change((unsigned char)*c);
		first = !isalnum((unsigned char)*c) && (unsigned char)*c < 0x80;
	}
	*ret = json_object_new_string(changed);
	return 0;
}

static int f_title(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	(void)count;
	return change_case(args[0], toupper, true, ret, e);
}

static int f_lower(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	(void)count;
	return change_case(args[0], tolower, false, ret, e);
}

static int f_upper(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	(void)count;
	return change_case(args[0], toupper, false, ret, e);
}

static int f_truncate(struct json_object **args, size_t count, struct json_object **ret,
		      struct err *e)
{
	const char *text;
	size_t length;

	(void)count;
	int r = want_string(args[0], &text, e);
	if (r == 0)
		r = want_index(args[1], INT32_MAX, &length, e);
	if (r == 0)
		*ret = json_object_new_string_len(text, (int)strnlen(text, length));
	return r;
}

static int f_pad(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	const char *text;
	size_t before, behind;

	(void)count;
	int r = want_string(args[0], &text, e);
	if (r == 0)
		r = want_index(args[1], TEMPLATE_PAD_MAX, &before, e);
	if (r == 0)
		r = want_index(args[2], TEMPLATE_PAD_MAX, &behind, e);
	if (r < 0)
		return r;
	own_free char *padded =
		*text ? mem_format("%*s%s%*s", (int)before, "", text, (int)behind, "")
		      : mem_text("");
	*ret = json_object_new_string(padded);
	return 0;
}

/* Go's Sprint: a blank between two values of which neither is a string. */
static void add_all(struct str *to, struct json_object **args, size_t count, bool always_blank)
{
	for (size_t i = 0; i < count; i++) {
		if (i && (always_blank || (!is_string(args[i - 1]) && !is_string(args[i]))))
			str_add_char(to, ' ');
		cli_template_print(to, args[i]);
	}
}

static int f_print(struct json_object **args, size_t count, struct json_object **ret, struct err *e)
{
	own_clear(str_clear) struct str s = { 0 };

	(void)e;
	add_all(&s, args, count, false);
	*ret = take_string(&s);
	return 0;
}

static int f_println(struct json_object **args, size_t count, struct json_object **ret,
		     struct err *e)
{
	own_clear(str_clear) struct str s = { 0 };

	(void)e;
	add_all(&s, args, count, true);
	str_add_char(&s, '\n');
	*ret = take_string(&s);
	return 0;
}

static int f_printf(struct json_object **args, size_t count, struct json_object **ret,
		    struct err *e)
{
	own_clear(str_clear) struct str s = { 0 };
	const char *format;

	int r = want_string(args[0], &format, e);
	if (r < 0)
		return r;
	cli_template_printf(&s, format, args + 1, count - 1);
	*ret = take_string(&s);
	return 0;
}

/* ---- escapes ---- */

/* What is printed of all arguments, each byte through add. */
static int escape(struct json_object **args, size_t count, struct json_object **ret,
		  void (*add)(struct str *to, unsigned char c))
{
	own_clear(str_clear) struct str s = { 0 };
	own_clear(str_clear) struct str escaped = { 0 };

	add_all(&s, args, count, false);
	for (size_t i = 0; i < s.length; i++)
		add(&escaped, (unsigned char)s.text[i]);
	*ret = take_string(&escaped);
	return 0;
}

static void add_html(struct str *to, unsigned char c)
{
	switch (c) {
	case '"':
		str_add(to, "&#34;");
		break;
	case '\'':
		str_add(to, "&#39;");
		break;
	case '&':
		str_add(to, "&amp;");
		break;
	case '<':
		str_add(to, "&lt;");
		break;
	case '>':
		str_add(to, "&gt;");
		break;
	default:
		str_add_char(to, (char)c);
	}
}

static void add_js(struct str *to, unsigned char c)
{
	if (strchr("\\'\"", c) && c)
		str_addf(to, "\\%c", c);
	else if (c < ' ' || c == 0x7f || strchr("<>&=", c))
		str_addf(to, "\\u%04X", c);
	else
		str_add_char(to, (char)c);
}

static void add_query(struct str *to, unsigned char c)
{
	if (c == ' ')
		str_add_char(to, '+');
	else if (c < 0x80 && (isalnum(c) || (c && strchr("-_.~", c))))
		str_add_char(to, (char)c);
	else
		str_addf(to, "%%%02X", c);
}

#define ESCAPE_FUNCTION(name, add)                                                                 \
	static int name(struct json_object **args, size_t count, struct json_object **ret,         \
			struct err *e)                                                             \
	{                                                                                          \
		(void)e;                                                                           \
		return escape(args, count, ret, add);                                              \
	}
ESCAPE_FUNCTION(f_html, add_html)
ESCAPE_FUNCTION(f_js, add_js)
ESCAPE_FUNCTION(f_urlquery, add_query)

enum { ANY = 1000 };

static const struct template_function functions[] = {
	{ "and", 1, ANY, f_and },
	{ "or", 1, ANY, f_or },
	{ "not", 1, 1, f_not },
	{ "eq", 2, ANY, f_eq },
	{ "ne", 2, 2, f_ne },
	{ "lt", 2, 2, f_lt },
	{ "le", 2, 2, f_le },
	{ "gt", 2, 2, f_gt },
	{ "ge", 2, 2, f_ge },
	{ "len", 1, 1, f_len },
	{ "index", 1, ANY, f_index },
	{ "slice", 1, 3, f_slice },
	{ "json", 1, 1, f_json },
	{ "join", 2, 2, f_join },
	{ "split", 2, 2, f_split },
	{ "title", 1, 1, f_title },
	{ "lower", 1, 1, f_lower },
	{ "upper", 1, 1, f_upper },
	{ "truncate", 2, 2, f_truncate },
	{ "pad", 3, 3, f_pad },
	{ "print", 0, ANY, f_print },
	{ "println", 0, ANY, f_println },
	{ "printf", 1, ANY, f_printf },
	{ "html", 1, ANY, f_html },
	{ "js", 1, ANY, f_js },
	{ "urlquery", 1, ANY, f_urlquery },
};

const struct template_function *cli_template_function_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(functions); i++)
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	return NULL;
}
