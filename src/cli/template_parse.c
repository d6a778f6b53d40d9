/* The text of a template to its tree, by recursive descent: a list of texts and {{actions}}, whose
 * blocks hold lists again. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/str.h"
#include "cli/template.h"
#include "cli/template_tree.h"

struct parser {
	const char *text;
	const char *at;
	int depth;
	struct cli_template *whole; /* gets the definitions */
	bool trim;                  /* the action that ended last said "-}}" */
	struct err *e;
};

/* What ended a list. */
enum stop { STOP_TEXT_END, STOP_END, STOP_ELSE };

static int parse_list(struct parser *p, struct template_list *to, enum stop *stop);
static int parse_pipe(struct parser *p, struct template_node **ret);

/* In Go's words, so that who looks for them finds an answer; the column is ours. */
static int fail(struct parser *p, const char *what)
{
	const char *line = p->text;
	size_t lines = 1;

	for (const char *c = p->text; c < p->at; c++) {
		if (*c != '\n')
			continue;
		line = c + 1;
		lines++;
	}
	return err_set(p->e, ERR_INVALID, "template parsing error: template: :%zu: %s (column %zu)",
		       lines, what, (size_t)(p->at - line) + 1);
}

static struct template_node *node_new(const struct parser *p, enum node_type type)
{
	struct template_node *node = mem_new_struct(struct template_node);

	node->type = type;
	node->offset = (size_t)(p->at - p->text);
	return node;
}

static void list_add(struct template_list *list, struct template_node *node)
{
	list->items = mem_resize(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = node;
}

static void node_free(struct template_node *node);

static void list_clear(struct template_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		node_free(list->items[i]);
	free(list->items);
	*list = (struct template_list){ 0 };
}

static void node_free(struct template_node *node)
{
	if (!node)
		return;
	free(node->text);
	strv_clear(&node->fields);
	strv_clear(&node->names);
	json_object_put(node->literal);
	node_free(node->pipe);
	list_clear(&node->parts);
	list_clear(&node->otherwise);
	free(node);
}

/* ---- words ---- */

static void skip_blanks(struct parser *p)
{
	p->at += strspn(p->at, " \t\r\n");
}

static bool at_end(struct parser *p)
{
	skip_blanks(p);
	return str_starts(p->at, "}}") || str_starts(p->at, "-}}");
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || text[n] == '_' || (unsigned char)text[n] >= 0x80)
		n++;
	return n;
}

/* Takes word if it stands here as a whole. */
static bool take_word(struct parser *p, const char *word)
{
	skip_blanks(p);
	size_t length = strlen(word);
	if (name_length(p->at) != length || strncmp(p->at, word, length) != 0)
		return false;
	p->at += length;
	return true;
}

static int add_escape(struct parser *p, struct str *to)
{
	static const char names[] = "abfnrtv\\\"'", values[] = "\a\b\f\n\r\t\v\\\"'";
	const char *found = *p->at ? strchr(names, *p->at) : NULL;
	char digits[3] = { 0 };

	if (found) {
		str_add_char(to, values[found - names]);
		p->at++;
		return 0;
	}
	if (*p->at != 'x' || !isxdigit((unsigned char)p->at[1]) ||
	    !isxdigit((unsigned char)p->at[2]))
		return fail(p, "an escape that is not known");
	memcpy(digits, p->at + 1, 2);
	long byte = strtol(digits, NULL, 16);
	if (!byte)
		return fail(p, "a NUL byte");
	str_add_char(to, (char)byte);
	p->at += 3;
	return 0;
}

static int parse_string(struct parser *p, struct template_node **ret)
{
	own_clear(str_clear) struct str s = { 0 };
	char quote = *p->at;
	struct template_node *node = node_new(p, NODE_LITERAL);

	*ret = node;
	for (p->at++; *p->at != quote;) {
		if (!*p->at || (quote == '"' && *p->at == '\n'))
			return fail(p, "unterminated quoted string");
		if (quote == '"' && *p->at == '\\') {
			p->at++;
			if (add_escape(p, &s) < 0)
				return -p->e->number;
		} else {
			str_add_char(&s, *p->at++);
		}
	}
	p->at++;
	node->literal = json_object_new_string_len(s.text ? s.text : "", (int)s.length);
	return 0;
}

static int parse_number(struct parser *p, struct template_node **ret)
{
	struct template_node *node = node_new(p, NODE_LITERAL);
	bool hex = p->at[0] == '0' && (p->at[1] == 'x' || p->at[1] == 'X');
	size_t length = hex ? 2 + strspn(p->at + 2, "0123456789abcdefABCDEF")
			    : strspn(p->at, "+-0123456789.eE");
	own_free char *text = mem_text_n(p->at, length);
	char *end;

	*ret = node;
	errno = 0;
	if (!hex && strpbrk(text, ".eE"))
		node->literal = json_object_new_double(strtod(text, &end));
	else
		node->literal = json_object_new_int64(strtoll(text, &end, hex ? 16 : 10));
	if (errno || *end || end == text || name_length(p->at + length))
		return fail(p, "bad number syntax");
	p->at += length;
	return 0;
}

static int parse_fields(struct parser *p, struct template_node *node)
{
	while (*p->at == '.') {
		size_t length = name_length(p->at + 1);
		if (!length)
			return fail(p, "a '.' without a name behind it");
		strv_add_take(&node->fields, mem_text_n(p->at + 1, length));
		p->at += 1 + length;
	}
	return 0;
}

static int parse_dot(struct parser *p, struct template_node **ret)
{
	*ret = node_new(p, NODE_DOT);
	if (name_length(p->at + 1) && !isdigit((unsigned char)p->at[1]))
		return parse_fields(p, *ret);
	p->at++;
	return 0;
}

static int parse_variable(struct parser *p, struct template_node **ret)
{
	size_t length = name_length(p->at + 1);

	*ret = node_new(p, NODE_VARIABLE);
	(*ret)->text = mem_text_n(p->at + 1, length);
	p->at += 1 + length;
	return parse_fields(p, *ret);
}

static int unknown_function(struct parser *p, const char *name)
{
	static const char *const known[] = { "json",  "join",  "split",  "title", "lower",
					     "upper", "index", "printf", "range", "table" };
	const char *best = NULL;

	for (size_t i = 0; i < COUNT_OF(known); i++)
		nearest_offer(&best, name, known[i]);
	own_free char *what = mem_format("function \"%s\" not defined", name);
	fail(p, what);
	if (best)
		return err_hint(p->e, "did you mean '%s'?", best);
	return err_hint(p->e, "a member is written with a dot in front: {{.%s}}", name);
}

/* true, false, nil, or the name of a function */
static int parse_name(struct parser *p, struct template_node **ret)
{
	own_free char *name = mem_text_n(p->at, name_length(p->at));
	bool yes = str_equal(name, "true");
	struct template_node *node = node_new(p, NODE_LITERAL);

	*ret = node;
	if (yes || str_equal(name, "false")) {
		node->literal = json_object_new_boolean(yes);
	} else if (!str_equal(name, "nil")) {
		node->type = NODE_FUNCTION;
		node->function = cli_template_function_find(name);
		if (!node->function)
			return unknown_function(p, name);
		node->text = take_ptr(&name);
		p->at += strlen(node->text);
		return 0;
	}
	p->at += strlen(name);
	return 0;
}

static int parse_parenthesis(struct parser *p, struct template_node **ret)
{
	*ret = node_new(p, NODE_CHAIN);
	if (++p->depth > TEMPLATE_DEPTH_MAX)
		return fail(p, "too many parentheses in each other");
	p->at++;
	int r = parse_pipe(p, &(*ret)->pipe);
	if (r < 0)
		return r;
	p->depth--;
	skip_blanks(p);
	if (*p->at != ')')
		return fail(p, "unclosed left paren");
	p->at++;
	return parse_fields(p, *ret);
}

static int parse_operand(struct parser *p, struct template_node **ret)
{
	char c = *p->at;

	if (c == '"' || c == '`')
		return parse_string(p, ret);
	if (isdigit((unsigned char)c) ||
	    ((c == '-' || c == '+') && isdigit((unsigned char)p->at[1])))
		return parse_number(p, ret);
	if (c == '.')
		return parse_dot(p, ret);
	if (c == '$')
		return parse_variable(p, ret);
	if (c == '(')
		return parse_parenthesis(p, ret);
	if (name_length(p->at))
		return parse_name(p, ret);
	return fail(p, c ? "unexpected character in command" : "unclosed action");
}

/* ---- commands, pipes ---- */

static int parse_command(struct parser *p, struct template_node **ret)
{
	struct template_node *command = node_new(p, NODE_COMMAND);

	*ret = command;
	while (!at_end(p) && *p->at != '|' && *p->at != ')') {
		struct template_node *operand = NULL;
		int r = parse_operand(p, &operand);
		if (operand)
			list_add(&command->parts, operand);
		if (r < 0)
			return r;
	}
	if (!command->parts.count)
		return fail(p, "missing value for command");
	return 0;
}

/* "$a :=", "$a, $b :=", "$a =": taken if it stands here. */
static void take_assignment(struct parser *p, struct template_node *pipe)
{
	const char *before = p->at;
	struct strv names = { 0 };

	for (;;) {
		skip_blanks(p);
		size_t length = *p->at == '$' ? name_length(p->at + 1) : 0;
		if (!length)
			break;
		strv_add_take(&names, mem_text_n(p->at + 1, length));
		p->at += 1 + length;
		skip_blanks(p);
		if (*p->at == ',' && names.count == 1) {
			p->at++;
			continue;
		}
		pipe->declares = *p->at == ':';
		if (p->at[pipe->declares] != '=')
			break;
		p->at += 1 + pipe->declares;
		pipe->names = names;
		return;
	}
	strv_clear(&names);
	p->at = before;
}

static int parse_pipe(struct parser *p, struct template_node **ret)
{
	struct template_node *pipe = node_new(p, NODE_PIPE);

	*ret = pipe;
	take_assignment(p, pipe);
	for (;;) {
		struct template_node *command = NULL;
		int r = parse_command(p, &command);
		list_add(&pipe->parts, command);
		if (r < 0)
			return r;
		skip_blanks(p);
		if (*p->at != '|')
			return 0;
		p->at++;
	}
}

/* ---- actions ---- */

/* "{{" and, if there is one, "- " behind it */
static void open_action(struct parser *p)
{
	p->at += 2;
	if (p->at[0] == '-' && p->at[1] && strchr(" \t\r\n", p->at[1]))
		p->at++;
}

static int close_action(struct parser *p)
{
	skip_blanks(p);
	bool trim = *p->at == '-';
	if (!str_starts(p->at + trim, "}}"))
		return fail(p, "'}}' is missing");
	p->at += 2 + trim;
	p->trim = trim;
	return 0;
}

static int parse_block(struct parser *p, struct template_node *node);

/* Behind {{else}}: either a list, or " if ..." that is a block of its own with the same end. */
static int parse_else(struct parser *p, struct template_node *node, enum stop *stop)
{
	static const struct {
		const char *word;
		enum node_type type;
	} chained[] = { { "if", NODE_IF }, { "with", NODE_WITH } };

	for (size_t i = 0; i < COUNT_OF(chained); i++) {
		if (!take_word(p, chained[i].word))
			continue;
		struct template_node *inner = node_new(p, chained[i].type);
		list_add(&node->otherwise, inner);
		*stop = STOP_END;
		return parse_block(p, inner);
	}
	int r = close_action(p);
	return r < 0 ? r : parse_list(p, &node->otherwise, stop);
}

static int no_value(struct parser *p, const struct template_node *node)
{
	return fail(p, node->type == NODE_IF      ? "missing value for if"
		       : node->type == NODE_RANGE ? "missing value for range"
						  : "missing value for with");
}

/* From behind "if", "range" or "with" to behind its {{end}}. */
static int parse_block(struct parser *p, struct template_node *node)
{
	enum stop stop;

	if (++p->depth > TEMPLATE_DEPTH_MAX)
		return fail(p, "too many blocks in each other");
	int r = at_end(p) ? no_value(p, node) : parse_pipe(p, &node->pipe);
	if (r == 0)
		r = close_action(p);
	if (r == 0)
		r = parse_list(p, &node->parts, &stop);
	if (r == 0 && stop == STOP_ELSE)
		r = parse_else(p, node, &stop);
	if (r < 0)
		return r;
	p->depth--;
	if (stop != STOP_END)
		return fail(p,
			    stop == STOP_ELSE ? "expected end; found {{else}}" : "unexpected EOF");
	return 0;
}

static int parse_comment(struct parser *p)
{
	const char *end = strstr(p->at, "*/");

	if (!end)
		return fail(p, "unclosed comment");
	p->at = end + 2;
	return close_action(p);
}

static int parse_word_action(struct parser *p, struct template_list *to, enum node_type type,
			     bool block)
{
	struct template_node *node = node_new(p, type);

	list_add(to, node);
	return block ? parse_block(p, node) : close_action(p);
}

/* ---- templates in templates ---- */

/* The name behind "define", "template" and "block". */
static int parse_template_name(struct parser *p, char **ret)
{
	struct template_node *literal = NULL;

	skip_blanks(p);
	if (*p->at != '"' && *p->at != '`')
		return fail(p, "a template's name in quotes is wanted");
	int r = parse_string(p, &literal);
	if (r == 0)
		*ret = mem_text(json_object_get_string(literal->literal));
	node_free(literal);
	return r;
}

/* The body is the template's from here on. Of two of one name only one may have anything in it. */
static int add_definition(struct parser *p, const char *name, struct template_list *body)
{
	struct cli_template *whole = p->whole;
	struct template_definition *at = NULL;

	for (size_t i = 0; i < whole->definitions_count; i++)
		if (str_equal(whole->definitions[i].name, name))
			at = &whole->definitions[i];
	if (at && at->body.count && body->count) {
		own_free char *what = mem_format("multiple definition of template \"%s\"", name);
		list_clear(body);
		return fail(p, what);
	}
	if (!at) {
		whole->definitions = mem_resize(whole->definitions, whole->definitions_count + 1,
						sizeof(*whole->definitions));
		at = &whole->definitions[whole->definitions_count++];
		*at = (struct template_definition){ .name = mem_text(name) };
	}
	if (!at->body.count)
		at->body = *body;
	return 0;
}

/* From behind its "}}" to behind its {{end}}. Others may be defined meanwhile. */
static int parse_definition(struct parser *p, const char *name)
{
	struct template_list body = { 0 };
	enum stop stop;

	if (++p->depth > TEMPLATE_DEPTH_MAX)
		return fail(p, "too many blocks in each other");
	int r = parse_list(p, &body, &stop);
	if (r == 0 && stop != STOP_END)
		r = fail(p, stop == STOP_ELSE ? "unexpected {{else}}" : "unexpected EOF");
	p->depth--;
	if (r == 0)
		return add_definition(p, name, &body);
	list_clear(&body);
	return r;
}

static int parse_define(struct parser *p, struct template_list *to)
{
	own_free char *name = NULL;

	(void)to;
	if (p->depth)
		return fail(p, "unexpected {{define}}: not within a block");
	int r = parse_template_name(p, &name);
	if (r == 0)
		r = close_action(p);
	return r < 0 ? r : parse_definition(p, name);
}

static int parse_call(struct parser *p, struct template_list *to)
{
	struct template_node *node = node_new(p, NODE_TEMPLATE);

	list_add(to, node);
	int r = parse_template_name(p, &node->text);
	if (r == 0 && !at_end(p))
		r = parse_pipe(p, &node->pipe);
	return r < 0 ? r : close_action(p);
}

/* A definition and a call of it. */
static int parse_block_of_name(struct parser *p, struct template_list *to)
{
	struct template_node *node = node_new(p, NODE_TEMPLATE);

	list_add(to, node);
	int r = parse_template_name(p, &node->text);
	if (r == 0)
		r = at_end(p) ? fail(p, "missing value for block clause")
			      : parse_pipe(p, &node->pipe);
	if (r == 0)
		r = close_action(p);
	return r < 0 ? r : parse_definition(p, node->text);
}

static int parse_action(struct parser *p, struct template_list *to, enum stop *stop, bool *stopped)
{
	static const struct {
		const char *word;
		enum node_type type;
		bool block;
	} words[] = { { "if", NODE_IF, true },
		      { "range", NODE_RANGE, true },
		      { "with", NODE_WITH, true },
		      { "break", NODE_BREAK, false },
		      { "continue", NODE_CONTINUE, false } };
	static const struct {
		const char *word;
		int (*parse)(struct parser *p, struct template_list *to);
	} templates[] = { { "define", parse_define },
			  { "template", parse_call },
			  { "block", parse_block_of_name } };

	open_action(p);
	skip_blanks(p);
	if (str_starts(p->at, "/*"))
		return parse_comment(p);
	if (take_word(p, "end")) {
		*stop = STOP_END;
		*stopped = true;
		return close_action(p);
	}
	if (take_word(p, "else")) {
		*stop = STOP_ELSE;
		*stopped = true;
		return 0;
	}
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (take_word(p, words[i].word))
			return parse_word_action(p, to, words[i].type, words[i].block);
	for (size_t i = 0; i < COUNT_OF(templates); i++)
		if (take_word(p, templates[i].word))
			return templates[i].parse(p, to);

	struct template_node *print = node_new(p, NODE_PRINT);
	list_add(to, print);
	int r = parse_pipe(p, &print->pipe);
	return r < 0 ? r : close_action(p);
}

static void add_text(struct parser *p, struct template_list *to, const char *end)
{
	const char *start = p->at;
	bool trims = end[0] && end[2] == '-' && end[3] && strchr(" \t\r\n", end[3]);

	if (p->trim)
		start += strspn(start, " \t\r\n");
	while (trims && end > start && strchr(" \t\r\n", end[-1]))
		end--;
	if (start >= end)
		return;
	struct template_node *node = node_new(p, NODE_TEXT);
	node->text = mem_text_n(start, (size_t)(end - start));
	list_add(to, node);
}

static int parse_list(struct parser *p, struct template_list *to, enum stop *stop)
{
	bool stopped = false;

	while (!stopped) {
		const char *next = strstr(p->at, "{{");
		const char *end = next ? next : p->at + strlen(p->at);
		add_text(p, to, end);
		p->at = end;
		p->trim = false;
		if (!next) {
			*stop = STOP_TEXT_END;
			return 0;
		}
		int r = parse_action(p, to, stop, &stopped);
		if (r < 0)
			return r;
	}
	return 0;
}

void cli_template_free(struct cli_template *t)
{
	if (!t)
		return;
	list_clear(&t->body);
	for (size_t i = 0; i < t->definitions_count; i++) {
		free(t->definitions[i].name);
		list_clear(&t->definitions[i].body);
	}
	free(t->definitions);
	free(t);
}

int cli_template_parse(struct cli_template **ret, const char *text, struct err *e)
{
	struct parser p = { .text = text, .at = text, .e = e };
	own(cli_template_free) struct cli_template *t = mem_new_struct(struct cli_template);
	enum stop stop;

	p.whole = t;
	if (strlen(text) > TEMPLATE_BYTES_MAX)
		return err_set(e, ERR_INVALID, "the template has more than %d bytes",
			       TEMPLATE_BYTES_MAX);
	int r = parse_list(&p, &t->body, &stop);
	if (r < 0)
		return r;
	if (stop != STOP_TEXT_END)
		return fail(&p, stop == STOP_END ? "unexpected {{end}}" : "unexpected {{else}}");
	*ret = take_ptr(&t);
	return 0;
}
