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
		{ 0 },
	},
};

static int read_plan(struct plan *plan, const char *text, struct err *e)
{
	own_json struct json_object *object = NULL;
	int r = json_parse(&object, text, strlen(text), "plan", e);
	return r < 0 ? r : shape_read(&plan_shape, object, plan, e);
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
	{ "{\"points\":{}}", "points: not an array" },
	{ "{\"origin\":[]}", "origin: not an object" },
	{ "{\"labels\":{\"k\":1}}", "labels: k: not a string" },
	{ "{\"origin\":{\"label\":\"a\\u0000b\"}}", "NUL" },
	{ "{\"groups\":[4294967296]}", "groups: [0]: more than" },
	{ "[]", "not an object" },
	{ "{} x", "not JSON at byte 3" },
	{ "{\"a\":", "unexpected end" },
	{ "", "unexpected end" },
	{ "{\"a\":\"\xff\"}", "not JSON" },
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

START_TEST(depth_is_bounded)
{
	char text[2000];
	own_json struct json_object *object = NULL;
	struct err e;

	memset(text, '[', sizeof(text));
	ck_assert_int_lt(json_parse(&object, text, sizeof(text), "deep", &e), 0);
}
END_TEST

UNIT_MAIN("base/shape", UNIT(what_is_read_is_written_back),
	  UNIT_LOOP(a_wrong_value_is_refused_with_its_path, COUNT_OF(bad)), UNIT(depth_is_bounded))
