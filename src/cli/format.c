#include "cli/format.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/print.h"
#include "cli/table.h"
#include "cli/template.h"

enum { INDENT = 4 };

/* "\t" and "\n", as shells pass them, and nothing else; not within actions, whose strings have
 * their own escapes. */
static char *unescape(const char *format)
{
	own_clear(str_clear) struct str s = { 0 };

	bool action = false;

	for (const char *c = format; *c; c++) {
		if (str_starts(c, "{{") || str_starts(c, "}}"))
			action = *c == '{';
		if (!action && c[0] == '\\' && (c[1] == 't' || c[1] == 'n'))
			str_add_char(&s, *++c == 't' ? '\t' : '\n');
		else
			str_add_char(&s, *c);
	}
	return str_take(&s);
}

static struct json_object *header_row(const char *const *headers)
{
	struct json_object *row = json_object_new_object();

	for (; *headers; headers += 2)
		json_object_object_add(row, headers[0], json_object_new_string(headers[1]));
	return row;
}

static int add_row(struct cli_table *table, const struct cli_template *t, struct json_object *row,
		   struct err *e)
{
	own_clear(str_clear) struct str line = { 0 };
	int r = cli_template_run(t, row, &line, e);

	if (r == 0)
		cli_table_add(table, line.text ? line.text : "");
	return r;
}

static int print_table(const struct cli_format_list *list, struct json_object *rows,
		       const char *format, struct err *e)
{
	own_free char *text = unescape(format);
	own_json struct json_object *header = header_row(list->headers);
	own(cli_template_free) struct cli_template *t = NULL;
	own_clear(cli_table_clear) struct cli_table table = { 0 };
	own_clear(str_clear) struct str out = { 0 };

	int r = cli_template_parse(&t, text, e);
	if (r == 0)
		r = add_row(&table, t, header, e);
	for (size_t i = 0; r == 0 && i < json_object_array_length(rows); i++)
		r = add_row(&table, t, json_object_array_get_idx(rows, i), e);
	if (r < 0)
		return r;
	cli_table_print(&table, &out);
	fwrite(out.text, 1, out.length, stdout);
	return 0;
}

static int print_each(struct json_object *rows, const char *format, struct err *e)
{
	own_free char *text = unescape(format);
	own(cli_template_free) struct cli_template *t = NULL;
	own_clear(str_clear) struct str out = { 0 };

	int r = cli_template_parse(&t, text, e);
	for (size_t i = 0; r == 0 && i < json_object_array_length(rows); i++) {
		r = cli_template_run(t, json_object_array_get_idx(rows, i), &out, e);
		str_add_char(&out, '\n');
	}
	if (r == 0 && out.length)
		cli_print_format(out.text, out.length);
	return r;
}

/* json-c escapes C0 alone; DEL and C1 are left to the filter of the terminal. */
static void print_json(struct json_object *object, int flags)
{
	const char *text =
		json_object_to_json_string_ext(object, flags | JSON_C_TO_STRING_NOSLASHESCAPE);

	cli_print_format(text, strlen(text));
	putchar('\n');
}

static bool is_own_table(const char *format)
{
	return str_empty(format) || strcmp(format, "table") == 0;
}

bool cli_format_wants(const struct cli_format_list *list, const char *format, bool quiet,
		      const char *member)
{
	if (quiet)
		return strcmp(member, list->id) == 0;
	own_free char *field = mem_format("{{.%s}}", member);
	return !is_own_table(format) || strstr(list->table, field);
}

int cli_format_rows(const struct cli_format_list *list, struct json_object *rows,
		    const char *format, bool quiet, struct err *e)
{
	if (quiet) {
		own_free char *id = mem_format("{{.%s}}", list->id);
		return print_each(rows, id, e);
	}
	if (is_own_table(format))
		return print_table(list, rows, list->table, e);
	if (strncmp(format, "table ", 6) == 0)
		return print_table(list, rows, format + 6, e);
	if (strcmp(format, "json") != 0)
		return print_each(rows, format, e);
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		print_json(json_object_array_get_idx(rows, i), JSON_C_TO_STRING_PLAIN);
	return 0;
}

static void pretty(struct str *to, struct json_object *value, int indent);

static void pretty_object(struct str *to, struct json_object *object, int indent)
{
	const char *before = "{\n";

	json_object_object_foreach (object, key, value) {
		own_json struct json_object *name = json_object_new_string(key);
		str_addf(to, "%s%*s%s: ", before, indent + INDENT, "", json_text(name));
		pretty(to, value, indent + INDENT);
		before = ",\n";
	}
	str_addf(to, "\n%*s}", indent, "");
}

static void pretty_array(struct str *to, struct json_object *array, int indent)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		str_addf(to, "%s%*s", i ? ",\n" : "[\n", indent + INDENT, "");
		pretty(to, json_object_array_get_idx(array, i), indent + INDENT);
	}
	str_addf(to, "\n%*s]", indent, "");
}

/* As Docker indents; depth is that of a parsed document, so bounded. */
static void pretty(struct str *to, struct json_object *value, int indent)
{
	if (json_object_is_type(value, json_type_object) && json_object_object_length(value))
		pretty_object(to, value, indent);
	else if (json_object_is_type(value, json_type_array) && json_object_array_length(value))
		pretty_array(to, value, indent);
	else
		str_add(to, json_text(value));
}

void cli_format_pretty(struct json_object *object)
{
	own_clear(str_clear) struct str out = { 0 };

	pretty(&out, object, 0);
	str_add_char(&out, '\n');
	cli_print_format(out.text, out.length);
}

int cli_format_object(struct json_object *object, const char *format, struct err *e)
{
	own(cli_template_free) struct cli_template *t = NULL;
	own_clear(str_clear) struct str out = { 0 };

	if (!format || !*format) {
		cli_format_pretty(object);
		return 0;
	}
	if (strcmp(format, "json") == 0) {
		print_json(object, JSON_C_TO_STRING_PLAIN);
		return 0;
	}
	own_free char *text = unescape(format);
	int r = cli_template_parse(&t, text, e);
	if (r == 0)
		r = cli_template_run(t, object, &out, e);
	if (r < 0)
		return r;
	str_add_char(&out, '\n');
	cli_print_format(out.text, out.length);
	return 0;
}

int cli_format_objects(struct json_object *all, const char *format, struct err *e)
{
	int r = 0;

	if (str_empty(format) || strcmp(format, "json") == 0)
		return cli_format_object(all, format, e);
	for (size_t i = 0; r == 0 && i < json_object_array_length(all); i++)
		r = cli_format_object(json_object_array_get_idx(all, i), format, e);
	return r;
}
