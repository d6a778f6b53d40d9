#include "image/toml.h"

#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/unit.h"

static const struct {
	const char *text, *json;
} good[] = {
	{ "", "{}" },
	{ "# only a comment", "{}" },
	{ "a = 1 # x\r\nb='c:\\d'\n", "{\"a\":1,\"b\":\"c:\\\\d\"}" },
	{ "\"a b\".c = true", "{\"a b\":{\"c\":true}}" },
	{ "a.b = 1\na.c = 2", "{\"a\":{\"b\":1,\"c\":2}}" },
	{ "a = [1, [\"x\", 'y'], # c\n 0x1]", "{\"a\":[1,[\"x\",\"y\"],1]}" },
	{ "a = [ 1,\n 2, ]", "{\"a\":[1,2]}" },
	{ "a = 0xff\nb = 0o17\nc = 0b11\nd = -1_000\ne = +7", "{\"a\":255,\"b\":15,\"c\":3,"
							      "\"d\":-1000,\"e\":7}" },
	{ "a = 1.5\nb = 2e3", "{\"a\":1.5,\"b\":2000.0}" },
	{ "a = 1979-05-27T07:32:00.5-07:00\nb = 1979-05-27 07:32:00\nc = 07:32:00\nd=1979-05-27",
	  "{\"a\":\"1979-05-27T07:32:00.5-07:00\",\"b\":\"1979-05-27 07:32:00\","
	  "\"c\":\"07:32:00\",\"d\":\"1979-05-27\"}" },
	{ "a = \"x\\u00e9\\t\\\"\"", "{\"a\":\"x\xc3\xa9\\t\\\"\"}" },
	{ "a = \"\"\"\nx\\\n   y\n\"z\"\"\"\"", "{\"a\":\"xy\\n\\\"z\\\"\"}" },
	{ "a = '''\nx\\n'''", "{\"a\":\"x\\\\n\"}" },
	{ "a = \"\"\nb = ''", "{\"a\":\"\",\"b\":\"\"}" },
	{ "[a.b]\nc = 1\n[a]\nd = 2", "{\"a\":{\"b\":{\"c\":1},\"d\":2}}" },
	{ "[[r]]\np = 'x'\n[[r.m]]\nl = 1\n[[r.m]]\nl = 2\n[[r]]\np = 'y'\n[r.t]\nz=1",
	  "{\"r\":[{\"p\":\"x\",\"m\":[{\"l\":1},{\"l\":2}]},{\"p\":\"y\",\"t\":{\"z\":1}}]}" },
	{ "m = [{ location = 'a', insecure = true }, {}]",
	  "{\"m\":[{\"location\":\"a\",\"insecure\":true},{}]}" },
	{ "a = { b.c = 1, b.d = 2 }", "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}" },
};

START_TEST(good_text_gives_the_tree)
{
	own_json struct json_object *object = NULL;
	struct err e = { 0 };
	int r = image_toml_parse(&object, good[_i].text, strlen(good[_i].text), "t", &e);

	ck_assert_msg(r == 0, "%s", e.text);
	ck_assert_str_eq(json_text(object), good[_i].json);
}
END_TEST

static const struct {
	const char *text, *message;
} bad[] = {
	{ "a", "line 1: expected = " },
	{ "a =", "line 1: expected a value" },
	{ "\n\na = x", "line 3: unknown value" },
	{ "a = 1 b = 2", "unexpected text" },
	{ "a = 1\na = 2", "line 2: key given twice" },
	{ "a = 01", "leading zero" },
	{ "a = 1_", "malformed number" },
	{ "a = 9223372036854775808", "out of range" },
	{ "a = \"x", "closing quote" },
	{ "a = \"x\ny\"", "closing quote" },
	{ "a = '''x", "closing quotes" },
	{ "a = \"\\q\"", "unknown escape" },
	{ "a = \"\\ud800\"", "no character" },
	{ "a = \"\\u12\"", "malformed \\u" },
	{ "\"a\\u0000\" = 1", "NUL in a key" },
	{ "[a]\n[a]", "table given twice" },
	{ "a.b = 1\n[a]", "table given twice" },
	{ "[a]\nb = 1\n[a.b.c]", "no table" },
	{ "a = {}\n[a.b]", "no table" },
	{ "a = {}\na.b = 1", "complete already" },
	{ "a = []\n[[a]]", "no array of tables" },
	{ "[a", "expected ]" },
	{ "[]", "expected a key" },
	{ "a = [1 2]", "expected , or ]" },
	{ "a = {b = 1 c = 2}", "expected , or }" },
	{ "a = {b = 1,}", "expected a key" },
	{ "a = \"\x01\"", "control character" },
	{ "# \x7f", "control character" },
	{ "\xff = 1", "not UTF-8" },
	{ "a = '\xed\xa0\x80'", "not UTF-8" },
	{ "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1",
	  "too many parts" },
};

START_TEST(bad_text_is_refused_with_its_line)
{
	own_json struct json_object *object = NULL;
	struct err e = { 0 };

	int r = image_toml_parse(&object, bad[_i].text, strlen(bad[_i].text), "t", &e);
	ck_assert_int_lt(r, 0);
	ck_assert_ptr_null(object);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_msg(strstr(e.text, bad[_i].message), "%s", e.text);
}
END_TEST

START_TEST(depth_is_bounded)
{
	char text[4000] = "a = ";
	own_json struct json_object *object = NULL;
	struct err e;

	memset(text + 4, '[', sizeof(text) - 4);
	ck_assert_int_lt(image_toml_parse(&object, text, sizeof(text), "t", &e), 0);
	ck_assert_msg(strstr(e.text, "nested too deep"), "%s", e.text);
}
END_TEST

UNIT_MAIN("image/toml", UNIT_LOOP(good_text_gives_the_tree, COUNT_OF(good)),
	  UNIT_LOOP(bad_text_is_refused_with_its_line, COUNT_OF(bad)), UNIT(depth_is_bounded))
