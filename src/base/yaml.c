#include "base/yaml.h"

#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

struct anchor {
	const char *name;
	struct yaml_node *node;
	bool open; /* it is not read to its end yet */
};

struct reader {
	yaml_parser_t parser;
	struct pool *pool;
	const char *what;
	const char *text;
	size_t length;
	size_t nodes;
	size_t copied; /* bytes of text that aliases stand for */
	struct anchor anchors[YAML_ANCHORS_MAX];
	size_t anchors_count;
};

static void clear_parser(yaml_parser_t **parser)
{
	yaml_parser_delete(*parser);
}

static void clear_event(yaml_event_t *event)
{
	yaml_event_delete(event);
}

static unsigned line_of(const yaml_event_t *event)
{
	return (unsigned)event->start_mark.line + 1;
}

static int wrong(const struct reader *r, unsigned line, const char *why, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s:%u: %s", r->what, line, why);
}

/* ---- nodes ---- */

static int new_node(struct yaml_node **ret, struct reader *r, enum yaml_node_kind kind,
		    unsigned line, struct err *e)
{
	if (r->nodes++ >= YAML_NODES_MAX)
		return err_set(e, ERR_INVALID,
			       "%s:%u: more than %d values, aliases counted as "
			       "what they stand for",
			       r->what, line, YAML_NODES_MAX);
	*ret = pool_new(r->pool, 1, sizeof(**ret));
	(*ret)->kind = kind;
	(*ret)->line = line;
	return 0;
}

/* The text is there once, but whoever reads the tree may copy it each time. */
static int count_copied(struct reader *r, const struct yaml_node *of, struct err *e)
{
	r->copied += (of->text ? strlen(of->text) : 0) + (of->key ? strlen(of->key) : 0);
	if (r->copied <= YAML_BYTES_MAX)
		return 0;
	return err_set(e, ERR_INVALID, "%s:%u: aliases stand for more than %d MiB", r->what,
		       of->line, YAML_BYTES_MAX >> 20);
}

static void append(struct yaml_node *to, struct yaml_node *node)
{
	if (to->last)
		to->last->next = node;
	else
		to->first = node;
	to->last = node;
	to->count++;
}

/* Lines stay those of what was copied: there one can mend it. */
static int copy_node(struct yaml_node **ret, struct reader *r, const struct yaml_node *from,
		     unsigned depth, struct err *e)
{
	struct yaml_node *to = NULL, *child;

	if (depth > YAML_DEPTH_MAX)
		return wrong(r, from->line, "nested too deeply", e);
	int result = new_node(&to, r, from->kind, from->line, e);
	if (result == 0)
		result = count_copied(r, from, e);
	if (result < 0)
		return result;
	to->text = from->text;
	to->plain = from->plain;
	for (const struct yaml_node *of = from->first; of; of = of->next) {
		result = copy_node(&child, r, of, depth + 1, e);
		if (result < 0)
			return result;
		child->key = of->key;
		child->key_line = of->key_line;
		append(to, child);
	}
	*ret = to;
	return 0;
}

static int remember(size_t *ret_index, struct reader *r, const yaml_char_t *name,
		    struct yaml_node *node, struct err *e)
{
	const char *text = (const char *)name;

	*ret_index = YAML_ANCHORS_MAX;
	if (!name)
		return 0;
	if (r->anchors_count == YAML_ANCHORS_MAX)
		return wrong(r, node->line, "too many anchors", e);
	*ret_index = r->anchors_count++;
	r->anchors[*ret_index] = (struct anchor){
		.name = pool_text(r->pool, text, strlen(text)),
		.node = node,
		.open = true,
	};
	return 0;
}

static int resolve(struct yaml_node **ret, struct reader *r, const yaml_event_t *event,
		   unsigned depth, struct err *e)
{
	const char *name = (const char *)event->data.alias.anchor;

	for (size_t i = r->anchors_count; i-- > 0;) {
		if (strcmp(r->anchors[i].name, name) != 0)
			continue;
		if (r->anchors[i].open)
			return wrong(r, line_of(event), "an alias of what it is part of", e);
		return copy_node(ret, r, r->anchors[i].node, depth, e);
	}
	return err_set(e, ERR_INVALID, "%s:%u: there is no anchor &%s", r->what, line_of(event),
		       name);
}

/* ---- events ---- */

/* The reader of bytes is ahead of all marks. */
static unsigned line_at(const struct reader *r, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < r->length; i++)
		line += r->text[i] == '\n';
	return line;
}

static int next(struct reader *r, yaml_event_t *event, struct err *e)
{
	yaml_parser_t *p = &r->parser;

	if (yaml_parser_parse(p, event))
		return 0;
	if (p->error == YAML_READER_ERROR)
		return err_set(e, ERR_INVALID, "%s:%u: no YAML: %s", r->what,
			       line_at(r, p->problem_offset), p->problem);
	return err_set(e, ERR_INVALID, "%s:%zu: no YAML: %s%s%s", r->what, p->problem_mark.line + 1,
		       p->context ? p->context : "", p->context ? ", " : "",
		       p->problem ? p->problem : "no memory");
}

/* Those that say what a value is anyway; "!!str" makes it a text, whatever it looks like. */
static int check_tag(struct reader *r, const yaml_char_t *tag, unsigned line, bool *ret_text,
		     struct err *e)
{
	static const char core[] = "tag:yaml.org,2002:";
	static const char *const known[] = { "str", "int", "float", "bool", "null", "map", "seq" };
	const char *text = (const char *)tag;

	*ret_text = false;
	if (!text || !strcmp(text, "!"))
		return 0;
	for (size_t i = 0; str_starts(text, core) && i < COUNT_OF(known); i++)
		if (!strcmp(text + strlen(core), known[i])) {
			*ret_text = i == 0;
			return 0;
		}
	return err_set(e, ERR_INVALID, "%s:%u: the tag %s is not supported", r->what, line, text);
}

static int read_node(struct yaml_node **ret, struct reader *r, const yaml_event_t *event,
		     unsigned depth, struct err *e);

static int read_scalar(struct yaml_node **ret, struct reader *r, const yaml_event_t *event,
		       struct err *e)
{
	const char *bytes = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length, index;
	unsigned line = line_of(event);
	bool text;

	if (memchr(bytes, '\0', length))
		return wrong(r, line, "a NUL character", e);
	int result = check_tag(r, event->data.scalar.tag, line, &text, e);
	if (result == 0)
		result = new_node(ret, r, YAML_NODE_SCALAR, line, e);
	if (result < 0)
		return result;
	(*ret)->text = pool_text(r->pool, bytes, length);
	(*ret)->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !text;
	result = remember(&index, r, event->data.scalar.anchor, *ret, e);
	if (result == 0 && index < YAML_ANCHORS_MAX)
		r->anchors[index].open = false;
	return result;
}

static int check_key(const struct reader *r, const struct yaml_node *map,
		     const struct yaml_node *key, struct err *e)
{
	if (key->kind != YAML_NODE_SCALAR)
		return wrong(r, key->line, "a key that is no word", e);
	if (key->plain && !strcmp(key->text, "<<"))
		return wrong(r, key->line, "merge keys (<<) are not supported: write it out", e);
	if (map->count >= YAML_MEMBERS_MAX)
		return err_set(e, ERR_INVALID, "%s:%u: more than %d members", r->what, key->line,
			       YAML_MEMBERS_MAX);
	for (const struct yaml_node *other = map->first; other; other = other->next)
		if (!strcmp(other->key, key->text))
			return err_set(e, ERR_INVALID,
				       "%s:%u: the key '%s' is there twice, first in line %u",
				       r->what, key->line, key->text, other->key_line);
	return 0;
}

static int read_member(struct yaml_node *map, struct reader *r, const yaml_event_t *event,
		       unsigned depth, struct err *e)
{
	own_clear(clear_event) yaml_event_t second = { 0 };
	struct yaml_node *key, *value;

	int result = read_node(&key, r, event, depth, e);
	if (result == 0)
		result = check_key(r, map, key, e);
	if (result == 0)
		result = next(r, &second, e);
	if (result == 0)
		result = read_node(&value, r, &second, depth, e);
	if (result < 0)
		return result;
	value->key = key->text;
	value->key_line = key->line;
	append(map, value);
	return 0;
}

static int read_children(struct yaml_node *to, struct reader *r, unsigned depth, struct err *e)
{
	struct yaml_node *child;

	for (;;) {
		own_clear(clear_event) yaml_event_t event = { 0 };
		int result = next(r, &event, e);
		if (result < 0)
			return result;
		if (event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		if (to->kind == YAML_NODE_MAP)
			result = read_member(to, r, &event, depth, e);
		else
			result = read_node(&child, r, &event, depth, e);
		if (result < 0)
			return result;
		if (to->kind == YAML_NODE_LIST)
			append(to, child);
	}
}

static int read_collection(struct yaml_node **ret, struct reader *r, const yaml_event_t *event,
			   unsigned depth, struct err *e)
{
	bool map = event->type == YAML_MAPPING_START_EVENT, text;
	size_t index = YAML_ANCHORS_MAX;

	int result =
		check_tag(r, map ? event->data.mapping_start.tag : event->data.sequence_start.tag,
			  line_of(event), &text, e);
	if (result == 0)
		result = new_node(ret, r, map ? YAML_NODE_MAP : YAML_NODE_LIST, line_of(event), e);
	if (result == 0)
		result = remember(&index, r,
				  map ? event->data.mapping_start.anchor
				      : event->data.sequence_start.anchor,
				  *ret, e);
	if (result == 0)
		result = read_children(*ret, r, depth + 1, e);
	if (result == 0 && index < YAML_ANCHORS_MAX)
		r->anchors[index].open = false;
	return result;
}

static int read_node(struct yaml_node **ret, struct reader *r, const yaml_event_t *event,
		     unsigned depth, struct err *e)
{
	if (depth > YAML_DEPTH_MAX)
		return wrong(r, line_of(event), "nested too deeply", e);
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(ret, r, event, e);
	case YAML_ALIAS_EVENT:
		return resolve(ret, r, event, depth, e);
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		return read_collection(ret, r, event, depth, e);
	default:
		return wrong(r, line_of(event), "no YAML: a value is missing", e);
	}
}

static int read_all(struct yaml_node *documents, struct reader *r, struct err *e)
{
	struct yaml_node *node;

	for (;;) {
		own_clear(clear_event) yaml_event_t event = { 0 };
		int result = next(r, &event, e);
		if (result < 0)
			return result;
		switch (event.type) {
		case YAML_STREAM_END_EVENT:
			return 0;
		case YAML_DOCUMENT_START_EVENT:
			r->anchors_count = 0;
			break;
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			break;
		default:
			result = read_node(&node, r, &event, 0, e);
			if (result < 0)
				return result;
			append(documents, node);
		}
	}
}

int yaml_parse(struct yaml_node **ret, struct pool *pool, const char *text, size_t length,
	       const char *what, struct err *e)
{
	own_free struct reader *r = mem_new_struct(struct reader);
	struct yaml_node *documents = NULL;

	r->pool = pool;
	r->what = what;
	r->text = text ? text : "";
	r->length = length;
	if (length > YAML_BYTES_MAX)
		return err_set(e, ERR_INVALID, "%s: more than %d MiB", what, YAML_BYTES_MAX >> 20);
	if (!yaml_parser_initialize(&r->parser))
		return err_set(e, ERR_INTERNAL, "no memory for the reader of YAML");
	own_clear(clear_parser) yaml_parser_t *parser = &r->parser;
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(parser, (const unsigned char *)r->text, length);
	int result = new_node(&documents, r, YAML_NODE_LIST, 1, e);
	if (result == 0)
		result = read_all(documents, r, e);
	if (result == 0)
		*ret = documents;
	return result;
}

/* ---- scalars ---- */

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

static bool is_int(const char *text)
{
	static const struct {
		const char *prefix, *digits;
	} bases[] = {
		{ "0x", "0123456789abcdefABCDEF_" },
		{ "0b", "01_" },
		{ "0o", "01234567_" },
		{ "", "0123456789_" },
	};

	text += *text == '-' || *text == '+';
	for (size_t i = 0; i < COUNT_OF(bases); i++) {
		const char *digits = text + strlen(bases[i].prefix);
		if (str_starts(text, bases[i].prefix) && *digits && *digits != '_' &&
		    !digits[strspn(digits, bases[i].digits)])
			return true;
	}
	return false;
}

static bool is_float(const char *text)
{
	static const char digits[] = "0123456789";
	static const char *const names[] = { ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL };

	text += *text == '-' || *text == '+';
	if (is_one_of(text, names))
		return true;
	size_t whole = strspn(text, digits);
	text += whole;
	size_t part = *text == '.' ? strspn(text + 1, digits) : 0;
	text += *text == '.' ? part + 1 : 0;
	if (whole + part == 0)
		return false;
	if (*text != 'e' && *text != 'E')
		return !*text;
	text += text[1] == '-' || text[1] == '+' ? 2 : 1;
	return *text && !text[strspn(text, digits)];
}

enum yaml_type yaml_type_of(const char *text)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const bools[] = { "yes",  "Yes",   "YES",   "on",    "On", "ON",  "true",
					     "True", "TRUE",  "no",    "No",    "NO", "off", "Off",
					     "OFF",  "false", "False", "FALSE", NULL };

	if (is_one_of(text, nulls))
		return YAML_NULL;
	if (is_one_of(text, bools))
		return YAML_BOOL;
	if (is_int(text))
		return YAML_INT;
	return is_float(text) ? YAML_FLOAT : YAML_TEXT;
}

bool yaml_is_null(const struct yaml_node *node)
{
	return node->kind == YAML_NODE_SCALAR && node->plain &&
	       yaml_type_of(node->text) == YAML_NULL;
}

/* ---- looking up ---- */

const struct yaml_node *yaml_member(const struct yaml_node *node, const char *key)
{
	bool is_map = node && node->kind == YAML_NODE_MAP;

	for (const struct yaml_node *member = is_map ? node->first : NULL; member;
	     member = member->next)
		if (str_equal(member->key, key))
			return member;
	return NULL;
}

const char *yaml_text(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *member = yaml_member(node, key);

	return member && member->kind == YAML_NODE_SCALAR ? member->text : NULL;
}
