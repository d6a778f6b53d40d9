#include "image/yaml.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/utf8.h"

struct parser {
	const char *at; /* the beginning of a line */
	const char *end;
	size_t line; /* its number, from 1 */
	const char *what;
	struct err *e;
};

/* One line that says something: its indentation, and what stands behind. */
struct line {
	size_t indent;
	const char *text, *end;
};

static int fail(const struct parser *p, const char *why)
{
	return err_set(p->e, ERR_INVALID, "%s, line %zu: %s", p->what, p->line, why);
}

static const char *line_end(const struct parser *p)
{
	const char *end = memchr(p->at, '\n', (size_t)(p->end - p->at));

	return end ? end : p->end;
}

static void next_line(struct parser *p)
{
	const char *end = line_end(p);

	p->at = end < p->end ? end + 1 : p->end;
	p->line++;
}

/* The next line that is neither empty nor a comment, without taking it: 1; 0: there is none. */
static int peek(struct parser *p, struct line *line)
{
	for (; p->at < p->end; next_line(p)) {
		const char *end = line_end(p);
		const char *text = p->at;
		while (text < end && *text == ' ')
			text++;
		while (end > text && strchr(" \t\r", end[-1]))
			end--;
		bool marker = end - p->at == 3 && memcmp(p->at, "---", 3) == 0;
		if (text == end || *text == '#' || marker)
			continue;
		if (*text == '\t')
			return fail(p, "a tab where blanks are wanted");
		*line = (struct line){ (size_t)(text - p->at), text, end };
		return 1;
	}
	return 0;
}

/* A scalar in quotes, from *at on, which is moved behind it. */
static int take_quoted(const struct parser *p, const char **at, const char *end, struct str *to)
{
	char quote = *(*at)++;

	for (; *at < end; (*at)++) {
		if (**at == quote && quote == '\'' && *at + 1 < end && (*at)[1] == '\'')
			(*at)++;
		else if (**at == quote) {
			(*at)++;
			return 0;
		} else if (**at == '\\' && quote == '"') {
			if (++*at == end || !strchr("\\\"/", **at))
				return fail(p, "an escape that is not understood");
		}
		str_add_char(to, **at);
	}
	return fail(p, "a quote that does not end");
}

/* Up to the colon that a blank or the line's end follows. */
static int take_key(const struct parser *p, const char **at, const char *end, struct str *to)
{
	if (**at == '"' || **at == '\'') {
		int r = take_quoted(p, at, end, to);
		if (r < 0)
			return r;
	} else {
		if (strchr("-?:,[]{}&*!|>%@`", **at) && !(**at == '*' && end - *at > 1))
			return fail(p, "only mappings are understood here");
		for (; *at < end && !(**at == ':' && (*at + 1 == end || (*at)[1] == ' ')); (*at)++)
			str_add_char(to, **at);
	}
	if (*at == end || **at != ':')
		return fail(p, "a key without a colon");
	(*at)++;
	while (*at < end && **at == ' ')
		(*at)++;
	return to->length ? 0 : fail(p, "an empty key");
}

static int take_value(const struct parser *p, const char *at, const char *end, struct str *to)
{
	if (*at == '"' || *at == '\'') {
		int r = take_quoted(p, &at, end, to);
		if (r < 0)
			return r;
		while (at < end && *at == ' ')
			at++;
		return at == end || *at == '#' ? 0 : fail(p, "text behind a quoted value");
	}
	if (strchr("[]{}&*!|>%@`", *at))
		return fail(p, "a kind of value that is not understood here");
	for (; at < end && !(*at == '#' && at[-1] == ' '); at++)
		str_add_char(to, *at);
	while (to->length && to->text[to->length - 1] == ' ')
		to->text[--to->length] = '\0';
	return 0;
}

static int take_mapping(struct parser *p, size_t indent, int depth, struct json_object *to);

static int take_nested(struct parser *p, size_t indent, int depth, struct json_object **ret)
{
	struct line line;
	int r = peek(p, &line);

	*ret = json_object_new_object();
	if (r <= 0 || line.indent <= indent)
		return r < 0 ? r : 0;
	return take_mapping(p, line.indent, depth + 1, *ret);
}

static int take_entry(struct parser *p, const struct line *line, int depth, struct json_object *to)
{
	own_clear(str_clear) struct str key = { 0 };
	own_clear(str_clear) struct str value = { 0 };
	struct json_object *member = NULL;
	const char *at = line->text;
	int r = take_key(p, &at, line->end, &key);

	if (r < 0)
		return r;
	if (json_object_object_get_ex(to, key.text, NULL))
		return fail(p, "a key that was there before");
	bool nested =
		at == line->end || *at == '#' || (line->end - at == 2 && memcmp(at, "{}", 2) == 0);
	if (!nested)
		r = take_value(p, at, line->end, &value);
	if (r < 0)
		return r;
	next_line(p);
	if (nested)
		r = take_nested(p, line->indent, depth, &member);
	else
		member = json_object_new_string(value.text ? value.text : "");
	json_object_object_add(to, key.text, member);
	return r;
}

static int take_mapping(struct parser *p, size_t indent, int depth, struct json_object *to)
{
	struct line line;
	int r;

	if (depth > IMAGE_YAML_DEPTH_MAX)
		return fail(p, "nested too deep");
	while ((r = peek(p, &line)) == 1 && line.indent >= indent) {
		if (line.indent > indent)
			return fail(p, "indented by more than what it belongs to");
		r = take_entry(p, &line, depth, to);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : 0;
}

int image_yaml_parse(struct json_object **ret, const char *text, size_t length, const char *what,
		     struct err *e)
{
	own_json struct json_object *object = json_object_new_object();
	struct parser p = { text, text + length, 1, what, e };
	struct line line;

	if (length > IMAGE_YAML_BYTES_MAX || memchr(text, '\0', length) ||
	    !utf8_valid(text, length))
		return err_set(e, ERR_INVALID, "%s: not a text, or a very long one", what);
	int r = peek(&p, &line);
	if (r == 1)
		r = take_mapping(&p, line.indent, 0, object);
	if (r == 0 && peek(&p, &line) != 0)
		r = fail(&p, "indented by less than what it belongs to");
	if (r < 0)
		return r;
	*ret = take_ptr(&object);
	return 0;
}
