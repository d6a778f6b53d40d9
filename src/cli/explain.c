#include "cli/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/print.h"
#include "cli/table.h"

enum { VALUE_WIDTH = 56 };

#define RED   "\033[31m"
#define GREEN "\033[32m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

static const char *text_of(struct json_object *object, const char *key)
{
	const char *text = json_object_get_string(json_object_object_get(object, key));

	return text ? text : "";
}

/* How much of text goes on one line: to the last blank that fits, or to the next one. */
static size_t line_length(const char *text)
{
	size_t length = strlen(text), at;

	if (length <= VALUE_WIDTH)
		return length;
	for (at = VALUE_WIDTH; at > 0 && text[at] != ' '; at--)
		;
	return at ? at : strcspn(text, " ");
}

/* The lines of the table, and beside them the colour of each. */
struct page {
	struct cli_table table;
	struct strv colours;
};

static void add_line(struct page *page, const char *colour, const char *line)
{
	cli_table_add(&page->table, line);
	strv_add(&page->colours, colour);
}

static void add_row(struct page *page, struct json_object *row)
{
	const char *compared = text_of(row, "Compared"), *value = text_of(row, "Value");
	const char *flag = text_of(row, "Flag");
	const char *colour = !strcmp(compared, "weaker")    ? RED
			     : !strcmp(compared, "tighter") ? GREEN
							    : "";
	size_t length = line_length(value);
	const char *primitive = text_of(row, "Primitive");
	own_free char *first = *compared ? mem_format("  %s\t%.*s\t%s\t%s", primitive, (int)length,
						      value, compared, flag)
					 : mem_format("  %s\t%.*s", primitive, (int)length, value);

	add_line(page, colour, first);
	for (value += length; *value; value += length) {
		value += *value == ' ';
		length = line_length(value);
		own_free char *more = mem_format("\t%.*s", (int)length, value);
		add_line(page, colour, more);
	}
}

static void print_page(const struct page *page)
{
	own_clear(str_clear) struct str text = { 0 };
	bool colours = cli_print_colors();
	const char *line;

	cli_table_print(&page->table, &text);
	line = text.text;
	for (size_t i = 0; i < page->colours.count; i++) {
		size_t length = strcspn(line, "\n");
		size_t shown = length;
		const char *colour = colours ? page->colours.items[i] : "";
		while (shown && line[shown - 1] == ' ')
			shown--;
		printf("%s%.*s%s\n", colour, (int)shown, line, *colour ? PLAIN : "");
		line += length + 1;
	}
}

static size_t count(struct json_object *rows, const char *compared)
{
	size_t n = 0;

	for (size_t i = 0; i < json_object_array_length(rows); i++)
		n += !strcmp(text_of(json_object_array_get_idx(rows, i), "Compared"), compared);
	return n;
}

static void print_one(struct json_object *one)
{
	struct json_object *rows = json_object_object_get(one, "Rows");
	struct page page = { 0 };
	const char *group = "";

	printf("%s (%.12s), %s: %zu weaker than by default, %zu tighter\n", text_of(one, "Name"),
	       text_of(one, "Id"), text_of(one, "State"), count(rows, "weaker"),
	       count(rows, "tighter"));
	add_line(&page, BOLD, "PRIMITIVE\tVALUE\tCOMPARED\tBECAUSE OF");
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		if (strcmp(group, text_of(row, "Group")) != 0) {
			group = text_of(row, "Group");
			add_line(&page, BOLD, group);
		}
		add_row(&page, row);
	}
	print_page(&page);
	cli_table_clear(&page.table);
	strv_clear(&page.colours);
}

void cli_explain_print(struct json_object *all)
{
	for (size_t i = 0; i < json_object_array_length(all); i++) {
		if (i)
			putchar('\n');
		print_one(json_object_array_get_idx(all, i));
	}
}
