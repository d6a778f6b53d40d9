#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "base/yaml.h"

/* Documents as {key:value,}, [item,], text with ' after one that was in quotes; after "!" an error
 * that has this text. */
static const struct {
	const char *text, *result;
} rows[] = {
	{ "a: 1\nb: [x, 'y']", "{a:1,b:[x,y',],}" },
	{ "a: 1\n---\n- b\n...\n---\nc", "{a:1,}[b,]c" },
	{ "", "" },
	{ "# words\n---\n", "" },
	{ "a: |\n  x\n  y\n", "{a:x\ny\n',}" },
	{ "a: &x {b: 1}\nc: *x\nd: *x", "{a:{b:1,},c:{b:1,},d:{b:1,},}" },
	{ "a: &x 1\nb: &x 2\nc: *x", "{a:1,b:2,c:2,}" },
	{ "a: &x 1\n---\nb: *x", "!f:3: there is no anchor &x" },
	{ "a: *x", "!f:1: there is no anchor &x" },
	{ "a: &x [*x]", "!f:1: an alias of what it is part of" },
	{ "a: 1\nb: 2\na: 3", "!f:3: the key 'a' is there twice, first in line 1" },
	{ "a: {b: 1, \"b\": 2}", "!f:1: the key 'b' is there twice, first in line 1" },
	{ "x: &x {a: 1}\ny:\n  <<: *x", "!f:3: merge keys" },
	{ "? [a]\n: 1", "!f:1: a key that is no word" },
	{ "a: !!str 1\nb: !!map {}\nc: !!int 2", "{a:1',b:{},c:2,}" },
	{ "a: !!binary eA==", "!f:1: the tag tag:yaml.org,2002:binary" },
	{ "a: !x 1", "!f:1: the tag !x" },
	{ "a: !!python/object:os.system []", "!f:1: the tag" },
	{ "a: \"\\0\"", "!f:1: a NUL character" },
	{ "a:\n  b\n c: d", "!f:3: no YAML" },
	{ "a: [1, 2", "!f:2: no YAML" },
	{ "a: \x01", "!no YAML: control characters" },
	{ "a: \xff", "!no YAML" },
	{ "\tx: 1", "!f:1: no YAML" },
	{ "%YAML 3.0\n---\na", "!no YAML: found incompatible YAML document" },
};

static void show(struct str *to, const struct yaml_node *node)
{
	if (node->kind == YAML_NODE_SCALAR) {
		str_addf(to, "%s%s", node->text, node->plain ? "" : "'");
		return;
	}
	str_add_char(to, node->kind == YAML_NODE_MAP ? '{' : '[');
	for (const struct yaml_node *of = node->first; of; of = of->next) {
		if (of->key)
			str_addf(to, "%s:", of->key);
		show(to, of);
		str_add_char(to, ',');
	}
	str_add_char(to, node->kind == YAML_NODE_MAP ? '}' : ']');
}

START_TEST(texts_are_taken_apart)
{
	own_clear(pool_clear) struct pool pool = { 0 };
	own_clear(str_clear) struct str shown = { 0 };
	const char *text = rows[_i].text, *result = rows[_i].result;
	struct yaml_node *documents;
	struct err e;

	int r = yaml_parse(&documents, &pool, text, strlen(text), "f", &e);
	if (result[0] == '!') {
		ck_assert_msg(r < 0, "%s: accepted", text);
		ck_assert_int_eq(e.kind, ERR_INVALID);
		ck_assert_msg(strstr(e.text, result + 1) != NULL, "%s", e.text);
		return;
	}
	ck_assert_msg(r == 0, "%s: %s", text, e.text);
	for (const struct yaml_node *of = documents->first; of; of = of->next)
		show(&shown, of);
	ck_assert_str_eq(shown.text ? shown.text : "", result);
}
END_TEST

START_TEST(lines_are_counted)
{
	static const char text[] = "a: 1\nb:\n  c: &x\n  - d\n\n  - e\nf: *x\n";
	own_clear(pool_clear) struct pool pool = { 0 };
	struct yaml_node *documents;
	struct err e;

	ck_assert_int_eq(yaml_parse(&documents, &pool, text, strlen(text), "f", &e), 0);
	const struct yaml_node *b = documents->first->first->next, *c = b->first;
	ck_assert_uint_eq(b->key_line, 2);
	ck_assert_uint_eq(b->line, 3);
	ck_assert_uint_eq(c->key_line, 3);
	ck_assert_uint_eq(c->first->line, 4);
	ck_assert_uint_eq(c->last->line, 6);
	/* an alias lies where it is, what it stands for where that was written */
	ck_assert_uint_eq(b->next->key_line, 7);
	ck_assert_uint_eq(b->next->last->line, 6);
}
END_TEST

static int parse(const struct str *text, struct err *e)
{
	own_clear(pool_clear) struct pool pool = { 0 };
	struct yaml_node *documents;

	return yaml_parse(&documents, &pool, text->text, text->length, "f", e);
}

START_TEST(everything_is_bounded)
{
	own_clear(str_clear) struct str bomb = { 0 }, deep = { 0 }, wide = { 0 }, large = { 0 };
	own_clear(str_clear) struct str nul = { 0 }, anchors = { 0 }, copies = { 0 };
	struct err e;

	str_add(&bomb, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 30; i++) {
		str_addf(&bomb, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
			 i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	}
	ck_assert_int_lt(parse(&bomb, &e), 0);
	ck_assert_msg(strstr(e.text, "more than 100000 values") != NULL, "%s", e.text);

	for (int i = 0; i < 100000; i++)
		str_add_char(&deep, '[');
	ck_assert_int_lt(parse(&deep, &e), 0);
	ck_assert_msg(strstr(e.text, "nested too deeply") != NULL, "%s", e.text);

	for (int i = 0; i <= YAML_MEMBERS_MAX; i++)
		str_addf(&wide, "k%d: 1\n", i);
	ck_assert_int_lt(parse(&wide, &e), 0);
	ck_assert_msg(strstr(e.text, "f:1025: more than 1024 members") != NULL, "%s", e.text);

	for (int i = 0; i <= YAML_ANCHORS_MAX; i++)
		str_addf(&anchors, "- &k%d 1\n", i);
	ck_assert_int_lt(parse(&anchors, &e), 0);
	ck_assert_msg(strstr(e.text, "f:257: too many anchors") != NULL, "%s", e.text);

	str_add(&copies, "- &a ");
	while (copies.length < YAML_BYTES_MAX / 8)
		str_add(&copies, "word");
	for (int i = 0; i < 9; i++)
		str_add(&copies, "\n- *a");
	ck_assert_int_lt(parse(&copies, &e), 0);
	ck_assert_msg(strstr(e.text, "f:1: aliases stand for more than 8 MiB") != NULL, "%s",
		      e.text);

	while (large.length <= YAML_BYTES_MAX)
		str_add(&large, "# a comment that says nothing at all, and that at length\n");
	ck_assert_int_lt(parse(&large, &e), 0);
	ck_assert_msg(strstr(e.text, "more than 8 MiB") != NULL, "%s", e.text);

	str_add_n(&nul, "a: b\0c\n", 7);
	ck_assert_int_lt(parse(&nul, &e), 0);
	ck_assert_msg(strstr(e.text, "control characters") != NULL, "%s", e.text);
}
END_TEST

START_TEST(scalars_are_what_they_are_to_kubernetes)
{
	static const struct {
		enum yaml_type type;
		const char *texts[13];
	} types[] = {
		{ YAML_NULL, { "", "~", "null", "Null" } },
		{ YAML_BOOL, { "true", "yes", "Off", "NO" } },
		{ YAML_INT, { "0", "80", "-1", "0644", "0o17", "0x1F", "1_000", "0b101" } },
		{ YAML_FLOAT, { "1.5", ".5", "1e3", "-1.", ".inf", "1.5e-3" } },
		{ YAML_TEXT,
		  { "x", "y", "1.2.3", "0x", "1a", ".", "-", "+", "12:30", "_1", "nUll", "e3" } },
	};

	for (size_t i = 0; i < COUNT_OF(types); i++)
		for (size_t k = 0; k < 13 && types[i].texts[k]; k++)
			ck_assert_msg(yaml_type_of(types[i].texts[k]) == types[i].type, "%s",
				      types[i].texts[k]);
}
END_TEST

UNIT_MAIN("base/yaml", UNIT_LOOP(texts_are_taken_apart, COUNT_OF(rows)), UNIT(lines_are_counted),
	  UNIT(everything_is_bounded), UNIT(scalars_are_what_they_are_to_kubernetes))
