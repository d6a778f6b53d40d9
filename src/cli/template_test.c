#include "cli/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/unit.h"

static const char value[] =
	"{\"ID\":\"abc\",\"Names\":\"web\",\"Running\":true,\"Dead\":false,\"Pid\":42,\"Zero\":0,"
	"\"Half\":0.5,\"Null\":null,\"Empty\":\"\",\"Args\":[\"a\",\"b\",\"c\"],\"None\":[],"
	"\"Labels\":\"k=v,x.y=z\","
	"\"Config\":{\"Volumes\":null,\"Healthcheck\":null,\"Labels\":{\"a.b\":\"1\",\"c\":\"2\"},"
	"\"Env\":[\"A=1\",\"B=2\"]},"
	"\"State\":{\"Status\":\"running\",\"Pid\":7},"
	"\"Mounts\":[{\"Source\":\"/s1\",\"RW\":true},{\"Source\":\"/s2\",\"RW\":false}],"
	"\"Utf\":\"\\u00e4/b\"}";

static const struct {
	const char *text;
	const char *result;
} good[] = {
	{ "", "" },
	{ "plain } text", "plain } text" },
	{ "{{.ID}}", "abc" },
	{ "{{ .ID }} {{.Names}}", "abc web" },
	{ "{{.State.Status}}", "running" },
	{ "{{.Running}} {{.Dead}} {{.Pid}} {{.Half}}", "true false 42 0.5" },
	{ "{{.Null}} {{len .Null}} {{with .Config}}{{.Volumes}} {{.Healthcheck}}{{end}}",
	  "[] 0 map[] <nil>" },
	{ "{{.Args}}", "[a b c]" },
	{ "{{.Config.Labels}}", "map[a.b:1 c:2]" },
	{ "{{.Config.Labels.nothing}}", "<no value>" },
	{ "{{json .Args}}", "[\"a\",\"b\",\"c\"]" },
	{ "{{json .Utf}}", "\"\xc3\xa4/b\"" },
	{ "{{json .Null}}", "null" },
	{ "{{.Args | json}}", "[\"a\",\"b\",\"c\"]" },
	{ "{{index .Args 1}}", "b" },
	{ "{{index .Config.Labels \"a.b\"}}", "1" },
	{ "{{index .Config.Labels \"zz\"}}", "" },
	{ "{{(index .Mounts 1).Source}}", "/s2" },
	{ "{{len .Args}} {{len .ID}} {{len .Config.Labels}}", "3 3 2" },
	{ "{{join .Args \", \"}}", "a, b, c" },
	{ "{{join .None \", \"}}", "" },
	{ "{{join .Null \"x\"}}", "" },
	{ "{{split .Labels \",\"}}", "[k=v x.y=z]" },
	{ "{{index (split .Labels \",\") 0}}", "k=v" },
	{ "{{split \"abc\" \"\"}}", "[a b c]" },
	{ "{{upper .ID}}{{lower \"ABC\"}}{{title \"hello world\"}}", "ABCabcHello World" },
	{ "{{.ID | upper | printf \"%5s|\"}}", "  ABC|" },
	{ "{{truncate .Names 2}} {{pad \"x\" 1 2}}|", "we  x  |" },
	{ "{{slice .ID 1}} {{slice .ID 0 2}} {{slice .Args 1 2}}", "bc ab [b]" },
	{ "{{print 1 2 \"a\" \"b\" 3}}", "1 2ab3" },
	{ "{{println .ID}}", "abc\n" },
	{ "{{printf \"%s-%d-%v-%t\" .ID .Pid .Running .Dead}}", "abc-42-true-false" },
	{ "{{printf \"%05d|%-5d|%+d|%x|%X|%o|%b|%c\" 42 42 42 255 255 8 5 65}}",
	  "00042|42   |+42|ff|FF|10|101|%!c(int=65)" },
	{ "{{printf \"%q\" \"a\\\"b\\n\"}}", "\"a\\\"b\\n\"" },
	{ "{{printf \"%.2f %.3s %6.2f\" .Half \"abcdef\" .Half}}", "0.50 abc   0.50" },
	{ "{{printf \"%d\" .ID}}", "%!d(string=abc)" },
	{ "{{printf \"%s %s\" .ID}}", "abc %!s(MISSING)" },
	{ "{{printf \"%s\" .ID 1}}", "abc%!(EXTRA int=1)" },
	{ "{{printf \"100%%\"}}{{printf \"%\"}}", "100%%!(NOVERB)" },
	{ "{{printf \"%d\" -9223372036854775808}}", "-9223372036854775808" },
	{ "{{if .Running}}yes{{else}}no{{end}}", "yes" },
	{ "{{if .Zero}}a{{else if .Empty}}b{{else if .Pid}}c{{else}}d{{end}}", "c" },
	{ "{{if .None}}a{{end}}{{if .Null}}b{{end}}{{if not .Dead}}c{{end}}", "c" },
	{ "{{if .State.Health}}a{{else}}b{{end}}", "b" },
	{ "{{if .Absent.Deeper}}a{{else}}b{{end}}", "b" },
	{ "{{with .State}}{{.Status}}{{end}}{{with .Null}}x{{else}}{{.ID}}{{end}}", "runningabc" },
	{ "{{with $x := .State}}{{$x.Pid}}{{$.Pid}}{{end}}", "742" },
	{ "{{range .Args}}<{{.}}>{{end}}", "<a><b><c>" },
	{ "{{range $i, $a := .Args}}{{$i}}{{$a}},{{end}}", "0a,1b,2c," },
	{ "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}", "a.b=1;c=2;" },
	{ "{{range .None}}x{{else}}none{{end}}", "none" },
	{ "{{range .Null}}x{{else}}none{{end}}", "none" },
	{ "{{range .Mounts}}{{if .RW}}{{.Source}}{{end}}{{end}}", "/s1" },
	{ "{{range .Args}}{{if eq . \"b\"}}{{break}}{{end}}{{.}}{{end}}", "a" },
	{ "{{range .Args}}{{if eq . \"b\"}}{{continue}}{{end}}{{.}}{{end}}", "ac" },
	{ "{{range .Args}}{{$.ID}}{{end}}", "abcabcabc" },
	{ "{{$x := .ID}}{{$x}}{{$x = \"q\"}}{{$x}}", "abcq" },
	{ "{{$n := 0}}{{range .Args}}{{$n = .}}{{end}}{{$n}}", "c" },
	{ "{{eq .Pid 42}} {{eq .ID \"x\" \"abc\"}} {{ne .ID \"x\"}}", "true true true" },
	{ "{{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 1.5 1}} {{lt \"a\" \"b\"}}",
	  "true true false true true" },
	{ "{{eq .Running true}} {{eq .Null nil}}", "true true" },
	{ "{{and .Running .ID}} {{or .Zero .ID}} {{and .Zero .ID}}", "abc abc 0" },
	{ "{{if and .Running (eq .Pid 42)}}x{{end}}", "x" },
	{ "a {{- .ID -}} b", "aabcb" },
	{ "a\n\t {{- .ID}} b", "aabc b" },
	{ "{{.ID -}}  \n {{- .Names}}", "abcweb" },
	{ "{{-1}}", "-1" },
	{ "{{/* nothing */}}x{{- /* at all */ -}} y", "xy" },
	{ "{{`raw \\n`}}{{\"\\x41\\t\"}}", "raw \\nA\t" },
	{ "{{true}} {{1}} {{-2}} {{1.50}} {{1e3}}", "true 1 -2 1.5 1000" },
	{ "{{1e20}} {{1e21}} {{0.0001}} {{0.00001}} {{123456.789}}",
	  "100000000000000000000 1e+21 0.0001 1e-05 123456.789" },
	{ "{{.Label \"x.y\"}}|{{.Label \"none\"}}", "z|" },
	{ "{{\"{{\"}}", "{{" },
	{ "{{html \"<a href='x'>&\\\"\"}}", "&lt;a href=&#39;x&#39;&gt;&amp;&#34;" },
	{ "{{js \"<a='x'>\\n\\\\ \\\"\"}}", "\\u003Ca\\u003D\\'x\\'\\u003E\\u000A\\\\ \\\"" },
	{ "{{urlquery \"a b&c/~-_.\"}} {{1 | urlquery}} {{html 1 true}}",
	  "a+b%26c%2F~-_. 1 1 true" },
	{ "{{define \"t\"}}<{{.}}>{{end}}{{template \"t\" .ID}}{{range .Args}}{{template \"t\" "
	  ".}}{{end}}",
	  "<abc><a><b><c>" },
	{ "{{template \"t\"}}{{define \"t\"}}{{.}}|{{$}}{{end}}", "<no value>|<no value>" },
	{ "{{block \"b\" .State}}{{.Status}}{{end}} {{template \"b\" .State}}", "running running" },
	{ "{{define \"t\"}}1{{end}}{{define `t`}}{{end}}{{template \"t\"}}", "1" },
	{ "{{define \"t\"}}{{with .}}{{slice . 0 1}}{{template \"t\" (slice . 1)}}{{end}}{{end}}"
	  "{{template \"t\" .ID}}",
	  "abc" },
};

static int run(const char *text, struct str *to, struct err *e)
{
	own_json struct json_object *object = NULL;
	own(cli_template_free) struct cli_template *t = NULL;

	ck_assert_int_eq(json_parse(&object, value, strlen(value), "value", e), 0);
	int r = cli_template_parse(&t, text, e);
	return r < 0 ? r : cli_template_run(t, object, to, e);
}

START_TEST(templates_print_what_go_prints)
{
	own_clear(str_clear) struct str s = { 0 };
	struct err e;

	ck_assert_msg(run(good[_i].text, &s, &e) == 0, "%s: %s", good[_i].text, e.text);
	ck_assert_str_eq(s.text ? s.text : "", good[_i].result);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
	const char *hint;
} bad[] = {
	{ "{{.ID", "unclosed action (column 6)", "" },
	{ "{{", "unclosed action", "" },
	{ "{{}}", "missing value for command", "" },
	{ "{{.ID}", "unexpected character in command", "" },
	{ "{{if .ID}}x", ":1: unexpected EOF", "" },
	{ "{{end}}", "unexpected {{end}}", "" },
	{ "{{else}}", "unexpected {{else}}", "" },
	{ "{{if .ID}}a{{else}}b{{else}}c{{end}}", "expected end; found {{else}}", "" },
	{ "{{range}}{{end}}", "missing value for range", "" },
	{ "{{jsn .ID}}", "function \"jsn\" not defined", "did you mean 'json'?" },
	{ "{{ID}}", "function \"ID\" not defined",
	  "a member is written with a dot in front: {{.ID}}" },
	{ "{{.Id}}", "map has no entry for key \"Id\"", "did you mean .ID?" },
	{ "{{.Nmaes}}", "map has no entry for key \"Nmaes\"", "did you mean .Names?" },
	{ "{{.State.Zork}}", "map has no entry for key \"Zork\"",
	  "'{{json .}}' shows all there is" },
	{ "{{.ID.X}}", "can't evaluate field X in type interface {}", "" },
	{ "{{.Null.X}}", "nil pointer evaluating interface {}.X", "" },
	{ "{{$x}}", "undefined variable", "" },
	{ "{{$x = 1}}", "undefined variable", "" },
	{ "{{$a, $b := .ID}}", "two variables", "" },
	{ "{{index .Args 3}}", "out of range", "" },
	{ "{{index .Args -1}}", "out of range", "" },
	{ "{{index .Args \"a\"}}", "out of range", "" },
	{ "{{index .None 0}}", "the list is empty", "" },
	{ "{{index .ID 0}}", "has no parts", "" },
	{ "{{json}}", "wrong number of args for json: want 1 got 0", "" },
	{ "{{print json}}", "needs arguments", "" },
	{ "{{json .ID .ID}}", "wrong number of args for json: want 1 got 2", "" },
	{ "{{len .Pid}}", "has no length", "" },
	{ "{{lt .ID 1}}", "different or unordered kinds", "" },
	{ "{{upper .Pid}}", "is not a string", "" },
	{ "{{join .ID \"x\"}}", "is not a list", "" },
	{ "{{range .Pid}}{{end}}", "neither a list nor an object", "" },
	{ "{{.ID .Names}}", "can't give argument to non-function", "" },
	{ "{{(.ID}}", "unclosed left paren", "" },
	{ "{{\"abc}}", "unterminated quoted string", "" },
	{ "{{\"\\q\"}}", "an escape that is not known", "" },
	{ "{{\"\\x00\"}}", "a NUL byte", "" },
	{ "{{12x}}", "bad number syntax", "" },
	{ "{{99999999999999999999}}", "bad number syntax", "" },
	{ "{{/* x }}", "unclosed comment", "" },
	{ "{{..}}", "can't give argument", "" },
	{ "{{slice .ID 2 1}}", "ends before it begins", "" },
	{ "{{slice .ID 9}}", "out of range", "" },
	{ "{{template \"nosuch\"}}", "template \"nosuch\" not defined", "" },
	{ "{{define \"t\"}}1{{end}}{{define `t`}}2{{end}}", "multiple definition of template \"t\"",
	  "" },
	{ "{{template}}", "a template's name in quotes", "" },
	{ "{{define \"t\"}}x", "unexpected EOF", "" },
	{ "{{if 1}}{{define \"t\"}}{{end}}{{end}}", "unexpected {{define}}", "" },
	{ "{{block \"b\"}}{{end}}", "missing value for block clause", "" },
	{ "{{define \"t\"}}{{template \"t\"}}{{end}}{{template \"t\"}}",
	  "exceeded maximum template depth", "" },
	{ "{{$x := 1}}{{define \"t\"}}{{$x}}{{end}}{{template \"t\"}}", "undefined variable", "" },
};

START_TEST(a_wrong_template_is_refused_with_its_place)
{
	own_clear(str_clear) struct str s = { 0 };
	struct err e;

	ck_assert_msg(run(bad[_i].text, &s, &e) < 0, "%s gave %s", bad[_i].text,
		      s.text ? s.text : "");
	ck_assert_msg(strstr(e.text, bad[_i].message), "%s: %s", bad[_i].text, e.text);
	if (*bad[_i].hint)
		ck_assert_str_eq(e.hint, bad[_i].hint);
}
END_TEST

START_TEST(depth_is_bounded)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(str_clear) struct str s = { 0 };
	struct err e;

	for (int i = 0; i < 5000; i++)
		str_add(&text, "{{if .ID}}");
	ck_assert_int_lt(run(text.text, &s, &e), 0);
	ck_assert(strstr(e.text, "too many blocks"));
	str_clear(&text);
	str_add(&text, "{{");
	for (int i = 0; i < 5000; i++)
		str_add_char(&text, '(');
	ck_assert_int_lt(run(text.text, &s, &e), 0);
	ck_assert(strstr(e.text, "too many parentheses"));
}
END_TEST

START_TEST(output_is_bounded)
{
	own_clear(str_clear) struct str text = { 0 };
	own_clear(str_clear) struct str s = { 0 };
	struct err e;

	for (int i = 0; i < 20; i++)
		str_add(&text, "{{range $.Args}}");
	str_add(&text, "{{$.ID}}");
	for (int i = 0; i < 20; i++)
		str_add(&text, "{{end}}");
	ck_assert_int_lt(run(text.text, &s, &e), 0);
	ck_assert_msg(strstr(e.text, "too m"), "%s", e.text);
}
END_TEST

UNIT_MAIN("cli/template", UNIT_LOOP(templates_print_what_go_prints, COUNT_OF(good)),
	  UNIT_LOOP(a_wrong_template_is_refused_with_its_place, COUNT_OF(bad)),
	  UNIT(depth_is_bounded), UNIT(output_is_bounded))
