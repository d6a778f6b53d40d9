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

static void add_option(const struct option *o, size_t indent, struct str *to)
{
	own_free char *left = left_side(o);

	if (strlen(left) + 3 > indent)
		str_addf(to, "%s\n%*s", left, (int)indent, "");
	else
		str_addf(to, "%-*s", (int)indent, left);
	add_wrapped(to, o->help, indent);
}

/* From behind a heading to the next: what common does not name. */
static void add_names(const struct option *o, const struct strv *common, struct str *to)
{
	own_clear(str_clear) struct str names = { 0 };
	const char *heading = o->help;

	for (o++; o->name && o->type != OPTION_TYPE_HEADING; o++)
		if (listed(o) && !strv_contains(common, o->name))
			str_addf(&names, " --%s", o->name);
	if (!names.length)
		return;
	str_addf(to, "  %-*s", COLUMN_MAX - 8, heading);
	add_wrapped(to, names.text + 1, COLUMN_MAX - 6);
}

void option_help_short(const struct option *table, const char *common, struct str *to)
{
	own_clear(strv_clear) struct strv names = { 0 };
	size_t indent = column(table);

	strv_split(&names, common, '|');
	str_add(to, "\nOptions that are used most:\n");
	for (const struct option *o = table; o->name; o++)
		if (listed(o) && strv_contains(&names, o->name))
			add_option(o, indent, to);
	str_add(to, "\nThe others:\n");
	for (const struct option *o = table; o->name; o++)
		if (o->type == OPTION_TYPE_HEADING)
			add_names(o, &names, to);
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
		if (listed(o))
			add_option(o, indent, to);
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
