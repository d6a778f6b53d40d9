#include "cli/assign.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/option.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"

static int unknown(const struct option *table, const char *key, struct err *e)
{
	const char *best = NULL;

	for (const struct option *o = table; o->name; o++)
		if (o->type != OPTION_TYPE_HEADING && !o->hidden)
			nearest_offer(&best, key, o->name);
	int r = err_set(e, ERR_INVALID, "no key '%s'", key);
	return best ? err_hint(e, "did you mean %s?", best) : r;
}

/* Without the blanks on both sides; in place. */
static char *strip(char *text)
{
	text += strspn(text, " \t");
	for (size_t length = strlen(text); length && strchr(" \t\r", text[length - 1]); length--)
		text[length - 1] = '\0';
	return text;
}

int cli_assign(const struct option *table, const char *text, void *options, struct err *e)
{
	own_free char *copy = mem_text(text);
	char *equals = strchr(copy, '=');

	if (equals)
		*equals = '\0';
	char *key = strip(copy);
	const struct option *option = option_find(table, key, strlen(key));
	if (!option || option->type == OPTION_TYPE_HEADING)
		return unknown(table, key, e);
	if (!equals && option_takes_value(option))
		return err_set(e, ERR_INVALID, "%s needs a value: %s=%s", key, key,
			       option->metavar ? option->metavar : "VALUE");
	return option_set(option, equals ? strip(equals + 1) : "true", options, e);
}

int cli_assign_file(const struct option *table, const char *path, void *options, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	unsigned number = 0;

	int r = fd_read_file_at(AT_FDCWD, path, CLI_ASSIGN_BYTES_MAX, &text, e);
	if (r < 0)
		return r;
	if (text.length && strlen(text.text) != text.length)
		return err_set(e, ERR_INVALID, "%s: not text: it has a NUL byte", path);
	for (char *line = text.text, *next; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		number++;
		line = strip(line);
		if (!*line || *line == '#')
			continue;
		if (cli_assign(table, line, options, e) < 0)
			return err_add(e, "%s, line %u", path, number);
	}
	return 0;
}

/* ---- merging ---- */

static void merge_list(struct strv *to, struct strv *from)
{
	strv_add_all(from, to);
	strv_clear(to);
	*to = *from;
	*from = (struct strv){ 0 };
}

static void merge_one(const struct option *option, char *to, char *from)
{
	void *a = to + option->offset, *b = from + option->offset;
	bool *given = (bool *)(to + option->given), *given_there = (bool *)(from + option->given);

	switch (option->type) {
	case OPTION_TYPE_FLAG:
		*(bool *)a |= *(bool *)b;
		return;
	case OPTION_TYPE_TOGGLE:
		if (*given || !*given_there)
			return;
		*given = true;
		*(bool *)a = *(bool *)b;
		return;
	case OPTION_TYPE_STRING:
		if (!*(char **)a)
			*(char **)a = take_ptr((char **)b);
		return;
	case OPTION_TYPE_STRINGS:
		/* a second row of the same member finds nothing left */
		if (((struct strv *)b)->count)
			merge_list(a, b);
		return;
	default: /* numbers: no table of these has any */
		return;
	}
}

void cli_assign_merge(const struct option *table, void *to, void *from)
{
	for (const struct option *option = table; option->name; option++)
		if (option->type != OPTION_TYPE_HEADING)
			merge_one(option, to, from);
	option_clear(table, from);
}
