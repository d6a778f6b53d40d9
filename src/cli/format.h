/* format.h - --format: lists of objects as a table, as JSON, or through a template. */
#pragma once
#include <stdbool.h>

struct err;
struct json_object;

/* A list that a command prints: what its columns are called, and which it shows by itself. */
struct cli_format_list {
	const char *table;          /* "{{.ID}}\t{{.Names}}": the columns without --format */
	const char *const *headers; /* "ID", "CONTAINER ID", "Names", "NAMES"..., NULL */
	const char *id;             /* the member that -q prints */
};

/* rows is an array of objects. format: NULL or "table" (the list's own table), "table TEMPLATE"
 * (columns between tabs, with headings), "json" (one object a line), or a template, run for each
 * row. \t and \n in a template may be written as such. quiet prints the id alone. */
int cli_format_rows(const struct cli_format_list *list, struct json_object *rows,
		    const char *format, bool quiet, struct err *e);

/* Will a row of this list be asked for the member? A list of many leaves out what costs and is not
 * shown. */
bool cli_format_wants(const struct cli_format_list *list, const char *format, bool quiet,
		      const char *member);

/* One object (or array): pretty JSON without format and for "json" compact JSON, else through the
 * template. */
int cli_format_object(struct json_object *object, const char *format, struct err *e);

/* What inspect prints: all of the array as one JSON, or each object through the template. */
int cli_format_objects(struct json_object *all, const char *format, struct err *e);

/* Pretty JSON, as Docker indents it, with a newline. */
void cli_format_pretty(struct json_object *object);
