/* Runs the tree of a template over a JSON value. */
#include "cli/template.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/str.h"
#include "cli/template_tree.h"

struct variable {
	const char *name; /* borrowed from the tree */
	struct json_object *value;
};

struct run {
	const struct cli_template *whole;
	struct variable *variables;
	size_t variables_count;
	struct str *to;
	size_t start; /* of the output, within *to */
	long steps;
	int calls;             /* of {{template}}, in each other */
	const char *null_name; /* of the member looked at last, if it is there and null */
	bool lenient;          /* a member that is not there counts as nil */
	struct err *e;
};

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE }; /* or a negative errno */

static int run_list(struct run *run, const struct template_list *list, struct json_object *dot);
static int eval_pipe(struct run *run, const struct template_node *pipe, struct json_object *dot,
		     struct json_object **ret);

static int fail(struct run *run, const struct template_node *node, const char *what)
{
	return err_set(run->e, ERR_INVALID, "template: :1:%zu: %s", node->offset, what);
}

/* ---- variables ---- */

static void push(struct run *run, const char *name, struct json_object *value)
{
	run->variables =
		mem_resize(run->variables, run->variables_count + 1, sizeof(*run->variables));
	run->variables[run->variables_count++] = (struct variable){ name, json_object_get(value) };
}

static void pop_to(struct run *run, size_t count)
{
	while (run->variables_count > count)
		json_object_put(run->variables[--run->variables_count].value);
}

static struct variable *find_variable(struct run *run, const char *name)
{
	for (size_t i = run->variables_count; i-- > 0;)
		if (strcmp(run->variables[i].name, name) == 0)
			return &run->variables[i];
	return NULL;
}

static int undefined(struct run *run, const struct template_node *node, const char *name)
{
	own_free char *what = mem_format("undefined variable \"$%s\"", name);

	return fail(run, node, what);
}

static int assign(struct run *run, const struct template_node *pipe, const char *name,
		  struct json_object *value)
{
	if (pipe->declares) {
		push(run, name, value);
		return 0;
	}
	struct variable *variable = find_variable(run, name);
	if (!variable)
		return undefined(run, pipe, name);
	json_object_put(variable->value);
	variable->value = json_object_get(value);
	return 0;
}

/* ---- what is nil ---- */

/* Docker's members that are nil in its typed structs, which JSON has as null or leaves out, and
 * what Go prints for them. */
static const struct {
	const char *name;
	const char *text;
} nils[] = {
	{ "Annotations", "map[]" }, { "Containers", "map[]" },
	{ "DriverOpts", "map[]" },  { "ExposedPorts", "map[]" },
	{ "Labels", "map[]" },      { "Networks", "map[]" },
	{ "Options", "map[]" },     { "PortBindings", "map[]" },
	{ "Ports", "map[]" },       { "StorageOpt", "map[]" },
	{ "Sysctls", "map[]" },     { "Tmpfs", "map[]" },
	{ "Volumes", "map[]" },     { "Health", "<nil>" },
	{ "Healthcheck", "<nil>" }, { "IPAMConfig", "<nil>" },
	{ "Init", "<nil>" },        { "MemorySwappiness", "<nil>" },
	{ "PidsLimit", "<nil>" },   { "OomKillDisable", "<nil>" },
	{ "StopTimeout", "<nil>" }, { "UsageData", "<nil>" },
	{ "Mounts", "[]" },         { "OnBuild", "[]" },
	{ "Shell", "[]" },
};

/* NULL: the name is none of them. */
static const char *find_nil(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(nils); i++)
		if (strcmp(nils[i].name, name) == 0)
			return nils[i].text;
	return NULL;
}

/* A mount of a folder has no name and no driver. */
static bool is_left_out(struct json_object *object, const char *name)
{
	return find_nil(name) || (json_object_object_get_ex(object, "Destination", NULL) &&
				  (!strcmp(name, "Name") || !strcmp(name, "Driver")));
}

/* name: of the member that has no value; NULL: it was none. */
static const char *nil_text(const char *name)
{
	if (!name || !isupper((unsigned char)*name))
		return "<no value>";
	if (!strcmp(name, "Name") || !strcmp(name, "Driver"))
		return "";
	const char *known = find_nil(name);
	return known ? known : "[]";
}

/* ---- members ---- */

static bool looks_like_struct(struct json_object *object)
{
	bool any = false;

	json_object_object_foreach (object, key, value) {
		(void)value;
		if (!isupper((unsigned char)key[0]))
			return false;
		any = true;
	}
	return any;
}

static int no_member(struct run *run, const struct template_node *node, struct json_object *object,
		     const char *name)
{
	const char *best = NULL;

	json_object_object_foreach (object, key, value) {
		(void)value;
		if (strcasecmp(key, name) == 0)
			best = key;
		else
			nearest_offer(&best, name, key);
	}
	own_free char *what = mem_format("map has no entry for key \"%s\"", name);
	fail(run, node, what);
	if (best)
		return err_hint(run->e, "did you mean .%s?", best);
	return err_hint(run->e, "'{{json .}}' shows all there is");
}

/* Borrowed. */
static int member(struct run *run, const struct template_node *node, struct json_object *object,
		  const char *name, struct json_object **ret)
{
	*ret = NULL;
	run->null_name = NULL;
	if (!object && run->lenient)
		return 0;
	if (!json_object_is_type(object, json_type_object)) {
		own_free char *what =
			mem_format(object ? "can't evaluate field %s in type interface {}"
					  : "nil pointer evaluating interface {}.%s",
				   name);
		return fail(run, node, what);
	}
	if (json_object_object_get_ex(object, name, ret)) {
		run->null_name = *ret ? NULL : name;
		return 0;
	}
	if (run->lenient || !looks_like_struct(object))
		return 0;
	if (is_left_out(object, name)) {
		run->null_name = name;
		return 0;
	}
	return no_member(run, node, object, name);
}

/* Borrowed from value. */
static int members(struct run *run, const struct template_node *node, struct json_object *value,
		   struct json_object **ret)
{
	for (size_t i = 0; i < node->fields.count; i++) {
		int r = member(run, node, value, node->fields.items[i], &value);
		if (r < 0)
			return r;
	}
	*ret = value;
	return 0;
}

/* ---- values ---- */

static int eval_operand(struct run *run, const struct template_node *node, struct json_object *dot,
			struct json_object **ret)
{
	struct json_object *value = NULL;
	int r;

	switch (node->type) {
	case NODE_LITERAL:
		value = node->literal;
		break;
	case NODE_DOT:
		r = members(run, node, dot, &value);
		if (r < 0)
			return r;
		break;
	case NODE_VARIABLE: {
		const struct variable *variable = find_variable(run, node->text);
		if (!variable)
			return undefined(run, node, node->text);
		r = members(run, node, variable->value, &value);
		if (r < 0)
			return r;
		break;
	}
	case NODE_CHAIN: {
		own_json struct json_object *whole = NULL;
		r = eval_pipe(run, node->pipe, dot, &whole);
		if (r == 0)
			r = members(run, node, whole, &value);
		if (r == 0)
			*ret = json_object_get(value);
		return r;
	}
	default:
		if (node->function->args_min)
			return fail(run, node, "a function that needs arguments");
		return node->function->call(NULL, 0, ret, run->e);
	}
	*ret = json_object_get(value);
	return 0;
}

static void put_all(struct json_object **values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_object_put(values[i]);
	free(values);
}

static int wrong_count(struct run *run, const struct template_node *node, size_t count)
{
	const struct template_function *f = node->function;
	bool least = f->args_min != f->args_max;
	own_free char *what = mem_format("wrong number of args for %s: want %s%zu got %zu", f->name,
					 least && count < f->args_min ? "at least " : "",
					 count < f->args_min ? f->args_min : f->args_max, count);

	return fail(run, node, what);
}

static int call(struct run *run, const struct template_node *node, struct json_object **args,
		size_t count, struct json_object **ret)
{
	const struct template_function *f = node->function;

	if (count < f->args_min || count > f->args_max)
		return wrong_count(run, node, count);
	if (f->call(args, count, ret, run->e) < 0)
		return err_add(run->e, "template: :1:%zu: error calling %s", node->offset, f->name);
	return 0;
}

/* `.Label "key"` in ps and images: Docker's method over the column "a=b,c=d". */
static int call_label(struct run *run, const struct template_node *node, struct json_object *dot,
		      struct json_object *key, struct json_object **ret)
{
	own_clear(strv_clear) struct strv labels = { 0 };
	struct json_object *all;

	if (!json_object_object_get_ex(dot, "Labels", &all) ||
	    !json_object_is_type(all, json_type_string) ||
	    !json_object_is_type(key, json_type_string))
		return fail(run, node, "can't give argument to non-function");
	strv_split(&labels, json_object_get_string(all), ',');
	const char *value = strv_value(&labels, json_object_get_string(key));
	*ret = json_object_new_string(value ? value : "");
	return 0;
}

/* A function with its arguments, or a single value. last (NULL: none) came down the pipe. */
static int eval_command(struct run *run, const struct template_node *command,
			struct json_object *dot, struct json_object **last,
			struct json_object **ret)
{
	const struct template_node *first = command->parts.items[0];
	bool function = first->type == NODE_FUNCTION;
	bool lenient = run->lenient;
	size_t count = 0;
	int r = 0;

	if (!function && command->parts.count == 1 && !last)
		return eval_operand(run, first, dot, ret);
	if (function && (str_equal(first->text, "and") || str_equal(first->text, "or") ||
			 str_equal(first->text, "not")))
		run->lenient = true;

	struct json_object **args = mem_new(command->parts.count + 1, sizeof(*args));
	for (size_t i = 1; r == 0 && i < command->parts.count; i++) {
		r = eval_operand(run, command->parts.items[i], dot, &args[count]);
		count += r == 0;
	}
	if (last)
		args[count++] = json_object_get(*last);
	if (r == 0 && function)
		r = call(run, first, args, count, ret);
	else if (r == 0 && first->type == NODE_DOT && count == 1 && first->fields.count == 1 &&
		 str_equal(first->fields.items[0], "Label"))
		r = call_label(run, first, dot, args[0], ret);
	else if (r == 0)
		r = fail(run, first, "can't give argument to non-function");
	put_all(args, count);
	run->lenient = lenient;
	return r;
}

/* The value alone; its variables are set by those who know which they are. */
static int eval_commands(struct run *run, const struct template_node *pipe, struct json_object *dot,
			 struct json_object **ret)
{
	own_json struct json_object *value = NULL;

	if (++run->steps > TEMPLATE_STEPS_MAX)
		return fail(run, pipe, "it takes too many steps");
	for (size_t i = 0; i < pipe->parts.count; i++) {
		struct json_object *next = NULL;
		int r = eval_command(run, pipe->parts.items[i], dot, i ? &value : NULL, &next);
		if (r < 0)
			return r;
		json_object_put(value);
		value = next;
	}
	*ret = take_ptr(&value);
	return 0;
}

static int eval_pipe(struct run *run, const struct template_node *pipe, struct json_object *dot,
		     struct json_object **ret)
{
	if (pipe->names.count > 1)
		return fail(run, pipe, "two variables, which only range can set");
	int r = eval_commands(run, pipe, dot, ret);
	if (r == 0 && pipe->names.count)
		r = assign(run, pipe, pipe->names.items[0], *ret);
	return r;
}

/* ---- actions ---- */

static int run_print(struct run *run, const struct template_node *node, struct json_object *dot)
{
	own_json struct json_object *value = NULL;

	run->null_name = NULL;
	int r = eval_pipe(run, node->pipe, dot, &value);
	if (r < 0 || node->pipe->names.count)
		return r;
	if (value)
		cli_template_print(run->to, value);
	else
		str_add(run->to, nil_text(run->null_name));
	if (run->to->length - run->start > TEMPLATE_OUTPUT_MAX)
		return fail(run, node, "it prints too much");
	return FLOW_ON;
}

static int run_condition(struct run *run, const struct template_node *node, struct json_object *dot)
{
	own_json struct json_object *value = NULL;
	size_t scope = run->variables_count;
	bool lenient = run->lenient;

	run->lenient = true;
	int r = eval_pipe(run, node->pipe, dot, &value);
	run->lenient = lenient;
	if (r == 0 && cli_template_truth(value))
		r = run_list(run, &node->parts, node->type == NODE_WITH ? value : dot);
	else if (r == 0)
		r = run_list(run, &node->otherwise, dot);
	pop_to(run, scope);
	return r;
}

static int run_round(struct run *run, const struct template_node *node, struct json_object *key,
		     struct json_object *value)
{
	const struct template_node *pipe = node->pipe;
	size_t scope = run->variables_count;
	int r = 0;

	if (++run->steps > TEMPLATE_STEPS_MAX)
		return fail(run, node, "it takes too many steps");
	if (pipe->names.count == 2)
		r = assign(run, pipe, pipe->names.items[0], key);
	if (r == 0 && pipe->names.count)
		r = assign(run, pipe, pipe->names.items[pipe->names.count - 1], value);
	if (r == 0)
		r = run_list(run, &node->parts, value);
	pop_to(run, scope);
	return r;
}

static int range_array(struct run *run, const struct template_node *node, struct json_object *array)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		own_json struct json_object *key = json_object_new_int64((int64_t)i);
		int r = run_round(run, node, key, json_object_array_get_idx(array, i));
		if (r < 0 || r == FLOW_BREAK)
			return r;
	}
	return FLOW_ON;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of the names, as Go does. */
static int range_object(struct run *run, const struct template_node *node,
			struct json_object *object)
{
	own_clear(strv_clear) struct strv names = { 0 };
	int r = FLOW_ON;

	json_object_object_foreach (object, name, ignored) {
		(void)ignored;
		strv_add(&names, name);
	}
	if (names.count)
		qsort(names.items, names.count, sizeof(*names.items), compare_names);
	for (size_t i = 0; r >= 0 && r != FLOW_BREAK && i < names.count; i++) {
		own_json struct json_object *key = json_object_new_string(names.items[i]);
		r = run_round(run, node, key, json_object_object_get(object, names.items[i]));
	}
	return r;
}

static int run_range(struct run *run, const struct template_node *node, struct json_object *dot)
{
	own_json struct json_object *value = NULL;
	size_t scope = run->variables_count;

	int r = eval_commands(run, node->pipe, dot, &value);
	if (r < 0)
		return r;
	if (!cli_template_truth(value))
		r = run_list(run, &node->otherwise, dot);
	else if (json_object_is_type(value, json_type_array))
		r = range_array(run, node, value);
	else if (json_object_is_type(value, json_type_object))
		r = range_object(run, node, value);
	else
		return fail(run, node, "range over what is neither a list nor an object");
	pop_to(run, scope);
	return r < 0 ? r : FLOW_ON;
}

/* Its variables are its own: of the caller's it sees none, and "$" is what it is run for. */
static int run_definition(struct run *run, const struct template_list *body,
			  struct json_object *value)
{
	struct variable *variables = run->variables;
	size_t count = run->variables_count;

	run->variables = NULL;
	run->variables_count = 0;
	push(run, "", value);
	int r = run_list(run, body, value);
	pop_to(run, 0);
	free(run->variables);
	run->variables = variables;
	run->variables_count = count;
	return r < 0 ? r : FLOW_ON;
}

static int run_template(struct run *run, const struct template_node *node, struct json_object *dot)
{
	own_json struct json_object *value = NULL;
	const struct cli_template *whole = run->whole;
	int r = node->pipe ? eval_pipe(run, node->pipe, dot, &value) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < whole->definitions_count; i++) {
		if (!str_equal(whole->definitions[i].name, node->text))
			continue;
		if (++run->calls > TEMPLATE_CALLS_MAX)
			return fail(run, node, "exceeded maximum template depth");
		r = run_definition(run, &whole->definitions[i].body, value);
		run->calls--;
		return r;
	}
	own_free char *what = mem_format("template \"%s\" not defined", node->text);
	return fail(run, node, what);
}

static int run_node(struct run *run, const struct template_node *node, struct json_object *dot)
{
	switch (node->type) {
	case NODE_TEXT:
		str_add(run->to, node->text);
		return FLOW_ON;
	case NODE_PRINT:
		return run_print(run, node, dot);
	case NODE_RANGE:
		return run_range(run, node, dot);
	case NODE_BREAK:
		return FLOW_BREAK;
	case NODE_CONTINUE:
		return FLOW_CONTINUE;
	case NODE_TEMPLATE:
		return run_template(run, node, dot);
	default:
		return run_condition(run, node, dot);
	}
}

static int run_list(struct run *run, const struct template_list *list, struct json_object *dot)
{
	for (size_t i = 0; i < list->count; i++) {
		int r = run_node(run, list->items[i], dot);
		if (r != FLOW_ON)
			return r;
	}
	return FLOW_ON;
}

int cli_template_run(const struct cli_template *t, struct json_object *value, struct str *to,
		     struct err *e)
{
	struct run run = { .whole = t, .to = to, .start = to->length, .e = e };

	push(&run, "", value); /* "$" */
	int r = run_list(&run, &t->body, value);
	pop_to(&run, 0);
	free(run.variables);
	return r < 0 ? r : 0;
}
