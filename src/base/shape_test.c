#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/shape.h"
#include "base/unit.h"

struct point {
	int64_t x;
	char *label;
};

static const struct shape point_shape = {
	sizeof(struct point),
	(const struct shape_field[]){
		{ "x", SHAPE_INT, offsetof(struct point, x), .keep = true },
		{ "label", SHAPE_STRING, offsetof(struct point, label) },
		{ 0 },
	},
};

struct plan {
	SHAPE_LIST_OF(struct point) points;
	struct point *origin;
	struct shape_map labels;
	struct strv ports;
	int64_t *limit;
	struct shape_u32s groups;
	uint64_t size;
};

static const struct shape plan_shape = {
	sizeof(struct plan),
	(const struct shape_field[]){
		{ "points", SHAPE_LIST, offsetof(struct plan, points), &point_shape },
		{ "origin", SHAPE_OPTIONAL_OBJECT, offsetof(struct plan, origin), &point_shape },
		{ "labels", SHAPE_MAP, offsetof(struct plan, labels) },
		{ "ports", SHAPE_KEYS, offsetof(struct plan, ports) },
		{ "limit", SHAPE_OPTIONAL_INT, offsetof(struct plan, limit) },
		{ "groups", SHAPE_U32S, offsetof(struct plan, groups) },
		{ "size", SHAPE_UINT, offsetof(struct plan, size) },
		{ 0 },
	},
};

static int read_plan(struct plan *plan, const char *text, struct err *e)
{
	return shape_read_text(&plan_shape, text, strlen(text), plan, e);
}

START_TEST(what_is_read_is_written_back)
{
	static const char text[] =
		"{\"points\":[{\"x\":1,\"label\":\"a/b\"},{\"x\":0}],\"origin\":{\"x\":-5},"
		"\"labels\":{\"k\":\"v\"},\"ports\":{\"80/"
		"tcp\":{}},\"limit\":0,\"groups\":[0,4294967295]}";
	struct plan plan = { 0 };
	struct err e;

	ck_assert_int_eq(read_plan(&plan, text, &e), 0);
	ck_assert_uint_eq(plan.points.count, 2);
	ck_assert_str_eq(plan.points.items[0].label, "a/b");
	ck_assert_int_eq(*plan.limit, 0);
	own_json struct json_object *object = shape_write(&plan_shape, &plan);
	ck_assert_str_eq(json_text(object), text);
	shape_clear(&plan_shape, &plan);
	ck_assert_ptr_null(plan.origin);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
} bad[] = {
	{ "{\"points\":[{\"x\":1},{\"x\":\"1\"}]}", "points: [1]: x: not a whole number" },
	{ "{\"points\":[{\"x\":1.5}]}", "not a whole number" },
	{ "{\"points\":[{\"x\":18446744073709551615}]}", "more than" },
	{ "{\"points\":[{\"x\":9223372036854775808}]}", "more than 9223372036854775807" },
	{ "{\"points\":[{\"x\":-9223372036854775809}]}", "less than -9223372036854775808" },
	{ "{\"points\":[{\"x\":99999999999999999999999999}]}", "more than" },
	{ "{\"size\":18446744073709551616}", "size: more than 18446744073709551615" },
	{ "{\"size\":99999999999999999999}", "size: more than" },
	{ "{\"groups\":[-1]}", "groups: [0]: less than 0" },
	{ "{\"limit\":1e3}", "limit: not a whole number" },
	{ "{\"points\":{}}", "points: not an array" },
	{ "{\"origin\":[]}", "origin: not an object" },
	{ "{\"labels\":{\"k\":1}}", "labels: k: not a string" },
	{ "{\"origin\":{\"label\":\"a\\u0000b\"}}", "NUL" },
	{ "{\"groups\":[4294967296]}", "groups: [0]: more than" },
	{ "[]", "not an object" },
	{ "{\"labels\":{\"a\\u0000b\":\"\"}}", "NUL" },
	{ "{\"limit\":1,\"limit\":2}", "limit: it is there twice" },
	{ "{\"limit\":1,\"\\u006cimit\":2}", "limit: it is there twice" },
	{ "{\"labels\":{\"k\":\"1\",\"l\":\"\",\"k\":\"2\"}}", "labels: k: it is there twice" },
	{ "{\"ports\":{\"k\":{},\"k\":{}}}", "ports: k: it is there twice" },
	{ "{} x", "not JSON at byte 3" },
	{ "{\"a\":", "not JSON at byte 5: it ends too early" },
	{ "", "not JSON at byte 0: it ends too early" },
	{ "{\"a\":\"\xff\"}", "not JSON at byte 6: not UTF-8" },
	{ "{\"a\":\"\xc0\x80\"}", "not UTF-8" },
	{ "{\"a\":\"\n\"}", "a control character" },
	{ "{\"a\":\"\\ud800\"}", "no such escape" },
	{ "{\"a\":\"\\x\"}", "no such escape" },
	{ "{\"a\":'x'}", "unexpected text" },
	{ "{\"a\":01}", "no comma" },
	{ "{\"a\":1.}", "not a number" },
	{ "{\"a\":-}", "not a number" },
	{ "{\"a\":nul}", "unexpected text" },
	{ "{\"a\":[1,]}", "unexpected text" },
	{ "{\"a\":[1 2]}", "no comma" },
	{ "{\"a\":1,}", "no name of a member" },
	{ "{\"a\" 1}", "no colon" },
	{ "{\"a\":{]}", "no name of a member" },
};

START_TEST(a_wrong_value_is_refused_with_its_path)
{
	struct plan plan = { 0 };
	struct err e;

	ck_assert_int_lt(read_plan(&plan, bad[_i].text, &e), 0);
	ck_assert_msg(strstr(e.text, bad[_i].message), "%s", e.text);
	ck_assert_uint_eq(plan.points.count, 0);
}
END_TEST

START_TEST(escapes_and_blanks_are_read)
{
	static const char text[] =
		" { \"\\u006cabels\" :\t{ \"a\\/b\" : \"\\\"\\\\\\b\\f\\n\\r\\t\" ,\n"
		"\"\\u00e4\":\"\\ud83d\\ude00\\u20AC\", \"n\" : null } }\r\n";
	struct plan plan = { 0 };
	struct err e;

	ck_assert_msg(read_plan(&plan, text, &e) == 0, "%s", e.text);
	ck_assert_str_eq(shape_map_get(&plan.labels, "a/b"), "\"\\\b\f\n\r\t");
	ck_assert_str_eq(shape_map_get(&plan.labels, "\xc3\xa4"), "\xf0\x9f\x98\x80\xe2\x82\xac");
	ck_assert_str_eq(shape_map_get(&plan.labels, "n"), "");
	shape_clear(&plan_shape, &plan);
}
END_TEST

START_TEST(the_limits_of_numbers_are_read)
{
	struct plan plan = { 0 };
	struct err e;

	ck_assert_msg(read_plan(&plan,
				"{\"points\":[{\"x\":9223372036854775807},"
				"{\"x\":-9223372036854775808},{\"x\":-0}],\"limit\":null,"
				"\"size\":18446744073709551615}",
				&e) == 0,
		      "%s", e.text);
	ck_assert_int_eq(plan.points.items[0].x, INT64_MAX);
	ck_assert_int_eq(plan.points.items[1].x, INT64_MIN);
	ck_assert_int_eq(plan.points.items[2].x, 0);
	ck_assert_uint_eq(plan.size, UINT64_MAX);
	ck_assert_ptr_null(plan.limit);
	shape_clear(&plan_shape, &plan);
}
END_TEST

START_TEST(depth_is_bounded)
{
	char text[2000];
	own_json struct json_object *object = NULL;
	struct plan plan = { 0 };
	struct err e;

	memset(text, '[', sizeof(text));
	ck_assert_int_lt(json_parse(&object, text, sizeof(text), "deep", &e), 0);
	memcpy(text, "{\"a\":", 5);
	ck_assert_int_lt(shape_read_text(&plan_shape, text, sizeof(text), &plan, &e), 0);
	ck_assert_msg(strstr(e.text, "nested too deep"), "%s", e.text);
}
END_TEST

UNIT_MAIN("base/shape", UNIT(what_is_read_is_written_back),
	  UNIT_LOOP(a_wrong_value_is_refused_with_its_path, COUNT_OF(bad)),
	  UNIT(escapes_and_blanks_are_read), UNIT(the_limits_of_numbers_are_read),
	  UNIT(depth_is_bounded))
