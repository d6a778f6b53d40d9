/* The two faces of an option table for people: --help and the man page. */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/option.h"
#include "base/own.h"
#include "base/str.h"

enum {
	COLUMN_MAX = 34, /* a longer left side puts the help on the next line */
	LINE_WIDTH = 96,
};

static bool listed(const struct option *option)
{
	return option->type != OPTION_TYPE_HEADING && !option->hidden;
}

/* "  -m, --memory SIZE" */
static char *left_side(const struct option *o)
{
	own_clear(str_clear) struct str s = { 0 };

	if (o->letter)
		str_addf(&s, "  -%c, --%s", o->letter, o->name);
	else
		str_addf(&s, "      --%s", o->name);
	if (o->metavar)
		str_addf(&s, " %s", o->metavar);
	return str_take(&s);
}

static size_t column(const struct option *table)
{
	size_t widest = 0;

	for (const struct option *o = table; o->name; o++) {
		own_free char *left = listed(o) ? left_side(o) : mem_text("");
		size_t length = strlen(left);
		if (length > widest && length <= COLUMN_MAX)
			widest = length;
	}
	return widest + 3;
}

/* Words of text from position `at` on, broken before LINE_WIDTH. */
static void add_wrapped(struct str *to, const char *text, size_t indent)
{
	size_t at = indent;

	while (*text) {
		size_t length = strcspn(text, " ");
		if (at > indent && at + 1 + length > LINE_WIDTH) {
			str_addf(to, "\n%*s", (int)indent, "");
			at = indent;
		}
		if (at > indent) {
			str_add_char(to, ' ');
			at++;
		}
		str_add_n(to, text, length);
		at += length;
		text += length;
		text += strspn(text, " ");
	}
	str_add_char(to, '\n');
}

void option_help(const struct option *table, struct str *to)
{
	if (!table)
		return;
	size_t indent = column(table);

	if (table->type != OPTION_TYPE_HEADING || !table->name)
		str_add(to, "\nOptions:\n");
	for (const struct option *o = table; o->name; o++) {
		if (o->type == OPTION_TYPE_HEADING)
			str_addf(to, "\n%s:\n", o->help);
		if (!listed(o))
			continue;
		own_free char *left = left_side(o);
		size_t length = strlen(left);
		if (length + 3 > indent)
			str_addf(to, "%s\n%*s", left, (int)indent, "");
		else
			str_addf(to, "%-*s", (int)indent, left);
		add_wrapped(to, o->help, indent);
	}
}

/* Everything but letters, digits and blanks may mean something to scdoc. */
static void add_escaped(struct str *to, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (strchr("\\*_#<>[]|-~`.", *c))
			str_add_char(to, '\\');
		str_add_char(to, *c);
	}
}

static void man_option(const struct option *o, struct str *to)
{
	own_free char *help = mem_text(o->help);

	help[0] = (char)toupper((unsigned char)help[0]);
	if (o->letter)
		str_addf(to, "*-%c*, ", o->letter);
	str_addf(to, "*--%s*", o->name);
	if (o->metavar) {
		str_add(to, " _");
		add_escaped(to, o->metavar);
		str_add(to, "_");
	}
	str_add(to, "\n\t");
	add_escaped(to, help);
	str_add(to, ".\n\n");
}

void option_man(const struct option *table, struct str *to)
{
	for (const struct option *o = table; o && o->name; o++) {
		if (o->type == OPTION_TYPE_HEADING)
			str_addf(to, "## %s\n\n", o->help);
		if (listed(o))
			man_option(o, to);
	}
}
