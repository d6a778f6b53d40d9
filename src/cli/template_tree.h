/* template_tree.h - a parsed template, between template_parse.c and template.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "base/strv.h"

struct err;
struct str;

enum node_type {
	NODE_TEXT,     /* text */
	NODE_PIPE,     /* parts: commands; names: the variables it sets */
	NODE_COMMAND,  /* parts: a function or value, and its arguments */
	NODE_LITERAL,  /* literal (NULL: nil) */
	NODE_DOT,      /* "." and then fields */
	NODE_VARIABLE, /* $text and then fields */
	NODE_FUNCTION, /* text, function */
	NODE_CHAIN,    /* (pipe) and then fields; pipe */
	NODE_PRINT,    /* pipe */
	NODE_IF,       /* pipe, parts: the body, otherwise */
	NODE_RANGE,
	NODE_WITH,
	NODE_BREAK,
	NODE_CONTINUE,
	NODE_TEMPLATE, /* text: the name; pipe: what it is run for, or NULL */
};

struct template_list {
	struct template_node **items;
	size_t count;
};

struct template_node {
	enum node_type type;
	size_t offset; /* in the template's text, for errors */
	char *text;
	struct strv fields;
	struct json_object *literal;
	const struct template_function *function;
	struct template_node *pipe;
	struct template_list parts;
	struct template_list otherwise;
	struct strv names; /* of a pipe: one, or two for a range */
	bool declares;     /* := and not = */
};

/* {{define "name"}}, {{block "name" .}} */
struct template_definition {
	char *name;
	struct template_list body;
};

struct cli_template {
	struct template_list body;
	struct template_definition *definitions;
	size_t definitions_count;
};

/* The functions. Arguments are borrowed (NULL is nil), *ret is the caller's. */
struct template_function {
	const char *name;
	size_t args_min, args_max;
	int (*call)(struct json_object **args, size_t count, struct json_object **ret,
		    struct err *e);
};

const struct template_function *cli_template_function_find(const char *name);

/* How values print and what counts as true, as in Go. */
void cli_template_print(struct str *to, struct json_object *value);
bool cli_template_truth(struct json_object *value);
