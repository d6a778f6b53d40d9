#include "base/option.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"

/* One word of the line after the other. */
struct scan {
	const struct option *table;
	char *const *words;
	size_t count;
	size_t at;
	void *to;
	struct option_line *line;
};

static bool ends(const struct option *option)
{
	return !option->name;
}

const struct option *option_find(const struct option *table, const char *name, size_t length)
{
	for (const struct option *o = table; o && !ends(o); o++)
		if (o->type != OPTION_TYPE_HEADING && strlen(o->name) == length &&
		    strncmp(o->name, name, length) == 0)
			return o;
	return NULL;
}

const struct option *option_find_letter(const struct option *table, char letter)
{
	for (const struct option *o = table; o && !ends(o); o++)
		if (letter && o->letter == letter)
			return o;
	return NULL;
}

/* The spellings of Go's strconv.ParseBool, which Docker's flags accept. */
static int set_flag(bool *to, const char *value, struct err *e)
{
	static const char *const yes[] = { "true", "1", "t", "T", "TRUE", "True" };
	static const char *const no[] = { "false", "0", "f", "F", "FALSE", "False" };

	for (size_t i = 0; i < COUNT_OF(yes); i++) {
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			*to = strcmp(value, yes[i]) == 0;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "'%s' is neither true nor false", value);
}

/* Is value one of the words between the "|" of values? */
static bool is_choice(const char *values, const char *value)
{
	size_t length = strlen(value);

	for (const char *v = values; v; v = strchr(v, '|') ? strchr(v, '|') + 1 : NULL)
		if (strcspn(v, "|") == length && strncmp(v, value, length) == 0)
			return true;
	return false;
}

static int set_string(const struct option *option, char **to, const char *value, struct err *e)
{
	if (option->values && strchr(option->values, '|') && !is_choice(option->values, value))
		return err_set(e, ERR_INVALID, "'%s' is not one of %s", value, option->values);
	mem_replace(to, value);
	return 0;
}

static int set_value(const struct option *option, const char *value, void *place, struct err *e)
{
	switch (option->type) {
	case OPTION_TYPE_FLAG:
	case OPTION_TYPE_TOGGLE:
		return set_flag(place, value, e);
	case OPTION_TYPE_STRING:
		return set_string(option, place, value, e);
	case OPTION_TYPE_STRINGS:
		strv_add(place, value);
		return 0;
	case OPTION_TYPE_COUNT:
		return number_parse_i64(place, value, 0, INT64_MAX, e);
	default:
		return number_parse_i64(place, value, INT64_MIN, INT64_MAX, e);
	}
}

int option_set(const struct option *option, const char *value, void *to, struct err *e)
{
	int r = set_value(option, value, (char *)to + option->offset, e);
	if (r < 0)
		return err_add(e, "--%s", option->name);
	if (option->type == OPTION_TYPE_TOGGLE)
		*(bool *)((char *)to + option->given) = true;
	return 0;
}

/* The value of an option whose word ends without one: the next word. */
static int take_value(struct scan *s, const struct option *option, const char **value,
		      struct err *e)
{
	if (s->at >= s->count)
		return err_set(e, ERR_INVALID, "--%s needs a value: --%s %s", option->name,
			       option->name, option->metavar ? option->metavar : "VALUE");
	*value = s->words[s->at++];
	return 0;
}

static int unknown_name(const struct scan *s, const char *name, size_t length, struct err *e)
{
	own_free char *word = mem_text_n(name, length);
	const char *best = NULL;

	for (const struct option *o = s->table; o && !ends(o); o++)
		if (o->type != OPTION_TYPE_HEADING && !o->hidden)
			nearest_offer(&best, word, o->name);
	int r = err_set(e, ERR_INVALID, "unknown option --%s", word);
	return best ? err_hint(e, "did you mean --%s?", best) : r;
}

/* "no-init" for the toggle "init" */
static const struct option *find_negated(const struct option *table, const char *name)
{
	if (!str_starts(name, "no-"))
		return NULL;
	const struct option *option = option_find(table, name + 3, strlen(name + 3));
	return option && option->type == OPTION_TYPE_TOGGLE ? option : NULL;
}

/* "--name", "--name=value" */
static int parse_long(struct scan *s, const char *name, struct err *e)
{
	size_t length = strcspn(name, "=");
	const char *value = name[length] ? name + length + 1 : NULL;
	const struct option *option = option_find(s->table, name, length);

	if (!option && (strcmp(name, "help") == 0 || strcmp(name, "usage") == 0)) {
		s->line->help = true;
		return 0;
	}
	if (!option && (option = find_negated(s->table, name)))
		value = "false";
	if (!option)
		return unknown_name(s, name, length, e);
	if (!value && !option_takes_value(option))
		value = "true";
	if (!value) {
		int r = take_value(s, option, &value, e);
		if (r < 0)
			return r;
	}
	return option_set(option, value, s->to, e);
}

/* The rest of the word behind a letter, as its value: "=x", or "x" where one is taken. */
static const char *attached_value(const struct option *option, const char *rest)
{
	if (rest[0] == '=')
		return rest + 1;
	return option_takes_value(option) && rest[0] ? rest : NULL;
}

static int unknown_letter(struct scan *s, char letter, const char *letters, struct err *e)
{
	if (letter != 'h' && letter != '?')
		return letters[1] ? err_set(e, ERR_INVALID, "unknown option -%c in -%s", letter,
					    letters)
				  : err_set(e, ERR_INVALID, "unknown option -%c", letter);
	s->line->help = true;
	return 0;
}

/* "-it", "-m512m", "-m=512m", "-m 512m", "-i=false" */
static int parse_letters(struct scan *s, const char *letters, struct err *e)
{
	const char *value = NULL;
	int r = 0;

	for (const char *c = letters; r == 0 && *c && !value; c++) {
		const struct option *option = option_find_letter(s->table, *c);
		if (!option) {
			r = unknown_letter(s, *c, letters, e);
			continue;
		}
		value = attached_value(option, c + 1);
		if (!value && option_takes_value(option))
			r = take_value(s, option, &value, e);
		if (r == 0)
			r = option_set(option, value ? value : "true", s->to, e);
	}
	return r;
}

static void take_rest(struct scan *s)
{
	while (s->at < s->count)
		strv_add(&s->line->args, s->words[s->at++]);
}

int option_parse(const struct option *table, enum option_mode mode, char *const *words,
		 size_t count, void *to, struct option_line *line, struct err *e)
{
	struct scan s = { table, words, count, 0, to, line };

	while (s.at < s.count) {
		const char *word = s.words[s.at++];
		int r = 0;
		if (strcmp(word, "--") == 0) {
			take_rest(&s);
		} else if (word[0] == '-' && word[1] == '-') {
			r = parse_long(&s, word + 2, e);
		} else if (word[0] == '-' && word[1]) {
			r = parse_letters(&s, word + 1, e);
		} else {
			strv_add(&line->args, word);
			if (mode == OPTION_FIRST)
				take_rest(&s);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

void option_clear(const struct option *table, void *to)
{
	for (const struct option *o = table; o && !ends(o); o++) {
		char *place = (char *)to + o->offset;
		if (o->type == OPTION_TYPE_STRINGS)
			strv_clear((struct strv *)place);
		else if (o->type == OPTION_TYPE_STRING)
			mem_replace((char **)place, NULL);
	}
}
