#include "kube/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/yaml.h"

/* Where a node is: links on the stack, from the innermost outwards. */
struct place {
	const struct place *above;
	const char *name; /* NULL: an element of a list */
	size_t index;
};

struct reading {
	struct pool *pool;
	const char *file;
};

static void add_path(struct str *to, const struct place *place)
{
	if (!place)
		return;
	add_path(to, place->above);
	if (!place->name)
		str_addf(to, "[%zu]", place->index);
	else
		str_addf(to, "%s%s", to->length ? "." : "", place->name);
}

static int wrong(const struct reading *r, const struct place *at, unsigned line, enum err_kind kind,
		 const char *why, struct err *e)
{
	own_clear(str_clear) struct str path = { 0 };

	add_path(&path, at);
	return err_set(e, kind, "%s:%u: %s%s%s", r->file, line, path.length ? path.text : "",
		       path.length ? ": " : "", why);
}

static int check_kind(const struct reading *r, const struct place *at, const struct yaml_node *node,
		      enum yaml_node_kind kind, struct err *e)
{
	static const char *const words[] = {
		[YAML_NODE_SCALAR] = "it is no single value",
		[YAML_NODE_MAP] = "it is no mapping (key: value)",
		[YAML_NODE_LIST] = "it is no list (- ...)",
	};

	return node->kind == kind ? 0 : wrong(r, at, node->line, ERR_INVALID, words[kind], e);
}

/* ---- single values ---- */

static int read_text(const char **ret, const struct reading *r, const struct place *at,
		     const struct yaml_node *node, struct err *e)
{
	int result = check_kind(r, at, node, YAML_NODE_SCALAR, e);

	if (result < 0)
		return result;
	if (node->plain && yaml_type_of(node->text) != YAML_TEXT) {
		own_free char *why = mem_format("%s is no string", node->text);
		wrong(r, at, node->line, ERR_INVALID, why, e);
		return err_hint(e, "put it in quotes: \"%s\"", node->text);
	}
	*ret = node->text;
	return 0;
}

static int read_scalar(const char **ret, const struct reading *r, const struct place *at,
		       const struct yaml_node *node, struct err *e)
{
	int result = check_kind(r, at, node, YAML_NODE_SCALAR, e);

	if (result < 0)
		return result;
	if (node->plain && yaml_type_of(node->text) == YAML_BOOL)
		return wrong(r, at, node->line, ERR_INVALID, "neither a number nor a string", e);
	*ret = node->text;
	return 0;
}

static int read_bool(bool **ret, const struct reading *r, const struct place *at,
		     const struct yaml_node *node, struct err *e)
{
	int result = check_kind(r, at, node, YAML_NODE_SCALAR, e);

	if (result < 0)
		return result;
	if (!node->plain || yaml_type_of(node->text) != YAML_BOOL)
		return wrong(r, at, node->line, ERR_INVALID, "neither true nor false", e);
	*ret = pool_new(r->pool, 1, sizeof(**ret));
	**ret = strchr("yYtT", node->text[0]) || !strcasecmp(node->text, "on");
	return 0;
}

/* "0644" is octal in YAML 1.1, and so in Kubernetes' modes. */
static int read_int(int64_t **ret, const struct reading *r, const struct place *at,
		    const struct yaml_node *node, struct err *e)
{
	char digits[32], *end;

	int result = check_kind(r, at, node, YAML_NODE_SCALAR, e);
	if (result < 0)
		return result;
	const char *text = node->text;
	bool negative = *text == '-';
	text += *text == '-' || *text == '+';
	int base = str_starts(text, "0x")                                  ? 16
		   : str_starts(text, "0b")                                ? 2
		   : str_starts(text, "0o") || (text[0] == '0' && text[1]) ? 8
									   : 10;
	text += base == 16 || base == 2 || text[1] == 'o' ? 2 : 0;
	snprintf(digits, sizeof(digits), "%s%s", negative ? "-" : "", text);
	errno = 0;
	long long number = strtoll(digits, &end, base);
	if (!node->plain || yaml_type_of(node->text) != YAML_INT || *end || errno ||
	    strlen(text) > sizeof(digits) - 2)
		return wrong(r, at, node->line, ERR_INVALID, "no whole number", e);
	*ret = pool_new(r->pool, 1, sizeof(**ret));
	**ret = number;
	return 0;
}

/* ---- several ---- */

static int read_texts(struct kube_texts *ret, const struct reading *r, const struct place *at,
		      const struct yaml_node *node, bool numbers, struct err *e)
{
	struct place place = { .above = at };

	int result = check_kind(r, at, node, YAML_NODE_LIST, e);
	if (result < 0)
		return result;
	ret->items = pool_new(r->pool, node->count + 1, sizeof(*ret->items));
	for (const struct yaml_node *of = node->first; result == 0 && of; of = of->next) {
		place.index = ret->count;
		result = numbers ? read_scalar(&ret->items[ret->count++], r, &place, of, e)
				 : read_text(&ret->items[ret->count++], r, &place, of, e);
	}
	return result;
}

static int read_map(struct kube_pairs *ret, const struct reading *r, const struct place *at,
		    const struct yaml_node *node, struct err *e)
{
	struct place place = { .above = at };

	int result = check_kind(r, at, node, YAML_NODE_MAP, e);
	if (result < 0)
		return result;
	ret->items = pool_new(r->pool, node->count + 1, sizeof(*ret->items));
	for (const struct yaml_node *of = node->first; result == 0 && of; of = of->next) {
		struct kube_pair *pair = &ret->items[ret->count++];
		place.name = pair->key = of->key;
		pair->line = of->line;
		pair->value = "";
		if (!yaml_is_null(of))
			result = read_text(&pair->value, r, &place, of, e);
	}
	return result;
}

static int read_fields(void *to, const struct reading *r, const struct place *at,
		       const struct kube_read_shape *shape, const struct yaml_node *node,
		       struct err *e);

static int read_object(void **ret, const struct reading *r, const struct place *at,
		       const struct kube_read_shape *shape, const struct yaml_node *node,
		       struct err *e)
{
	*ret = pool_new(r->pool, 1, shape->size);
	return read_fields(*ret, r, at, shape, node, e);
}

static int read_list(struct kube_list *ret, const struct reading *r, const struct place *at,
		     const struct kube_read_shape *shape, const struct yaml_node *node,
		     struct err *e)
{
	struct place place = { .above = at };

	int result = check_kind(r, at, node, YAML_NODE_LIST, e);
	if (result < 0)
		return result;
	char *items = ret->items = pool_new(r->pool, node->count + 1, shape->size);
	for (const struct yaml_node *of = node->first; result == 0 && of; of = of->next) {
		place.index = ret->count;
		result = read_fields(items + ret->count++ * shape->size, r, &place, shape, of, e);
	}
	return result;
}

static int leave_out(const struct kube_read_field *field, const struct reading *r,
		     const struct place *at, const struct yaml_node *node, struct err *e)
{
	own_clear(str_clear) struct str path = { 0 };
	bool empty = node->kind != YAML_NODE_SCALAR && node->count == 0;

	if (field->type == KUBE_READ_QUIETLY || empty)
		return 0;
	if (field->type == KUBE_READ_REFUSED)
		return wrong(r, at, node->key_line, ERR_UNSUPPORTED, field->why, e);
	add_path(&path, at);
	log_warning("%s:%u: %s is left out: %s", r->file, node->key_line, path.text, field->why);
	return 0;
}

static int read_field(void *to, const struct kube_read_field *field, const struct reading *r,
		      const struct place *at, const struct yaml_node *node, struct err *e)
{
	void *place = (char *)to + field->offset;

	if (yaml_is_null(node))
		return 0;
	switch (field->type) {
	case KUBE_READ_TEXT:
		return read_text(place, r, at, node, e);
	case KUBE_READ_SCALAR:
		return read_scalar(place, r, at, node, e);
	case KUBE_READ_BOOL:
		return read_bool(place, r, at, node, e);
	case KUBE_READ_INT:
		return read_int(place, r, at, node, e);
	case KUBE_READ_TEXTS:
	case KUBE_READ_SCALARS:
		return read_texts(place, r, at, node, field->type == KUBE_READ_SCALARS, e);
	case KUBE_READ_MAP:
		return read_map(place, r, at, node, e);
	case KUBE_READ_OBJECT:
		return read_object(place, r, at, field->shape, node, e);
	case KUBE_READ_LIST:
		return read_list(place, r, at, field->shape, node, e);
	default:
		return leave_out(field, r, at, node, e);
	}
}

static const struct kube_read_field *find(const struct kube_read_shape *shape, const char *name)
{
	for (const struct kube_read_field *field = shape->fields; field->name; field++)
		if (!strcmp(field->name, name))
			return field;
	return NULL;
}

static int read_fields(void *to, const struct reading *r, const struct place *at,
		       const struct kube_read_shape *shape, const struct yaml_node *node,
		       struct err *e)
{
	int result = check_kind(r, at, node, YAML_NODE_MAP, e);

	*(unsigned *)to = node->line;
	for (const struct yaml_node *of = node->first; result == 0 && of; of = of->next) {
		const struct place place = { .above = at, .name = of->key };
		const struct kube_read_field *field = find(shape, of->key);
		if (!field)
			return wrong(r, &place, of->key_line, ERR_INVALID,
				     "there is no such member, or holm does not know it", e);
		result = read_field(to, field, r, &place, of, e);
	}
	return result;
}

int kube_read(void **ret, struct pool *pool, const struct kube_read_shape *shape,
	      const struct yaml_node *node, const char *file, struct err *e)
{
	const struct reading r = { pool, file };

	return read_object(ret, &r, NULL, shape, node, e);
}
