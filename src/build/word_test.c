#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/unit.h"
#include "build/word.h"

/* The variables of BuildKit's own table of tests, and some more. */
static const char *get(const void *context, const char *name)
{
	static const struct {
		const char *name, *value;
	} set[] = { { "PWD", "/home" },
		    { "SHELL", "bash" },
		    { "KOREAN", "한국어" },
		    { "NULL", "" },
		    { "FOO", "xxyy" },
		    { "PATH", "/a/b.tar.gz" },
		    { "SPACES", " a  b  c " },
		    { "REGEX", "()[]{}^$.*?|\\x" },
		    { "STARS", "a***yy*" },
		    { "ASKS", "???y" },
		    { "X", "x" },
		    { "TEXT", "/foo*/*/*.txt" },
		    { "STAR", "\\*/" },
		    { "TWICE", "/tmp/tmp/bar.txt" },
		    { "ANY", "/?/" } };

	(void)context;
	for (size_t i = 0; i < COUNT_OF(set); i++)
		if (strcmp(set[i].name, name) == 0)
			return set[i].value;
	return NULL;
}

static const struct {
	const char *text;
	const char *word; /* NULL: refused */
} rows[] = {
	{ "hello", "hello" },
	{ "he'll'o", "hello" },
	{ "he'llo", NULL },
	{ "he\\'llo", "he'llo" },
	{ "he\\\\'llo", NULL },
	{ "abc\\tdef", "abctdef" },
	{ "\"abc\\tdef\"", "abc\\tdef" },
	{ "'abc\\tdef'", "abc\\tdef" },
	{ "hello\\", "hello" },
	{ "\"hello\\\\\"", "hello\\" },
	{ "\"hello", NULL },
	{ "\"hel'lo\"", "hel'lo" },
	{ "'hello\\there'", "hello\\there" },
	{ "\"'\"", "'" },
	{ "$", "$" },
	{ "he$1x", "hex" },
	{ "he$.x", "he$.x" },
	{ "he$pwd.", "he." },
	{ "he$PWD", "he/home" },
	{ "he\\$PWD", "he$PWD" },
	{ "he\"$PWD\"", "he/home" },
	{ "\"he\\$PWD\"", "he$PWD" },
	{ "'he\\${PWD}'", "he\\${PWD}" },
	{ "${PWD}", "/home" },
	{ "${PWD", NULL },
	{ "${}", NULL },
	{ "${ }", NULL },
	{ "he${xx}", "he" },
	{ "he${hi:-$PWD}xx", "he/homexx" },
	{ "he${PWD:-000}xx", "he/homexx" },
	{ "he${hi:-${PWD:-x}}xx", "he/homexx" },
	{ "he${NULL:-000}xx", "he000xx" },
	{ "he${NULL-000}xx", "hexx" },
	{ "he${PWD:+${hi:-${SHELL}}}", "hebash" },
	{ "he${NULL:+x}${NULL+y}", "hey" },
	{ "${XX:?}", NULL },
	{ "${NULL:?broken}", NULL },
	{ "${NULL?fine}", "" },
	{ "${PWD:=x}", NULL },
	{ "${PWD!x}", NULL },
	{ "${KOREAN#?}", "국어" },
	{ "${KOREAN%?}", "한국" },
	{ "${PATH#*/}", "a/b.tar.gz" },
	{ "${PATH##*/}", "b.tar.gz" },
	{ "${PATH%.*}", "/a/b.tar" },
	{ "${PATH%%.*}", "/a/b" },
	{ "${PATH%/*}", "/a" },
	{ "${FOO#x}", "xyy" },
	{ "${FOO##x*x}", "yy" },
	{ "${FOO##x*}", "" },
	{ "${FOO#\\*}", "xxyy" },
	{ "${FOO/x/-}", "-xyy" },
	{ "${FOO//x/-}", "--yy" },
	{ "${FOO//[/-}", "xxyy" },
	{ "${FOO/x*y/}", "" },
	{ "${PATH//\\//_}", "_a_b.tar.gz" },
	{ "${FOO/x}", NULL },
	{ "한국어", "한국어" },
	{ "안녕$KOREAN안녕", "안녕한국어안녕" },
	{ "$SPACES", " a  b  c " },
	{ "a\"\"b", "ab" },
	{ "${REGEX#()[]{\\}^$.\\*\\?|\\\\}", "x" },
	{ "${STARS%%\\**\\*}", "a" },
	{ "${FOO#*x*y}", "y" },
	{ "${FOO#*}", "xxyy" },
	{ "${FOO##*}", "" },
	{ "${FOO#$X}", "xyy" },
	{ "${FOO#$NULL}", "xxyy" },
	{ "${FOO#}", "xxyy" },
	{ "${FOO##}", "xxyy" },
	{ "${FOO%}", "xxyy" },
	{ "${FOO%%$NULL}", "xxyy" },
	{ "${FOO##*x}", "yy" },
	{ "${ASKS#?\\?}", "?y" },
	{ "${abc:-.}${FOO%x}${abc:-.}", ".xxyy." },
	{ "${TEXT/$STAR/.} - ${TEXT//$STAR/.}", "/foo.*/*.txt - /foo..*.txt" },
	{ "${TWICE/$PWD/}", "/tmp/tmp/bar.txt" },
	{ "${PATH/$ANY/-}", "-b.tar.gz" },
	{ "${TWICE//\\//\\/}", "\\/tmp\\/tmp\\/bar.txt" },
	{ "${FOO//ww}", NULL },
	{ "${FOO//}", NULL },
	{ "${FOO///}", "xxyy" },
	{ "${absent///}", "" },
	{ "${FOO=aaa}", NULL },
	{ "${FOO=}", NULL },
	{ "${FOO:-}", "xxyy" },
	{ "${absent:-}", "" },
	{ "x-${FOO}.${SHELL}-${NULL:+-${NULL}}${SHELL:+-$SHELL}.gz", "x-xxyy.bash--bash.gz" },
};

START_TEST(words_are_those_of_buildkit)
{
	const struct build_word_scope scope = { get, NULL, '\\' };
	own_free char *word = NULL;
	struct err e;

	int r = build_word_expand(&word, rows[_i].text, &scope, &e);
	if (rows[_i].word) {
		ck_assert_msg(r == 0, "%s: %s", rows[_i].text, e.text);
		ck_assert_str_eq(word, rows[_i].word);
	} else {
		ck_assert_msg(r < 0, "%s: is '%s'", rows[_i].text, word);
		ck_assert_int_eq(e.kind, ERR_INVALID);
	}
}
END_TEST

START_TEST(blanks_divide_words_where_nothing_quotes_them)
{
	const struct build_word_scope scope = { get, NULL, '\\' };
	own_clear(strv_clear) struct strv words = { 0 };
	struct err e;

	ck_assert_int_eq(
		build_word_split(&words, "  a'b c' \"$SPACES\" $SPACES \"\" e\\ f ", &scope, &e),
		0);
	own_free char *all = strv_join(&words, "|");
	ck_assert_str_eq(all, "ab c| a  b  c |a|b|c||e f");
}
END_TEST

START_TEST(another_escape)
{
	const struct build_word_scope scope = { get, NULL, '`' };
	own_free char *word = NULL;
	struct err e;

	ck_assert_int_eq(build_word_expand(&word, "C:\\x`$PWD\"`\"\\\"", &scope, &e), 0);
	ck_assert_str_eq(word, "C:\\x$PWD\"\\");
}
END_TEST

/* A bomb of variables, of patterns, of nesting. */
START_TEST(what_grows_without_bound_is_refused)
{
	const struct build_word_scope scope = { get, NULL, '\\' };
	own_clear(str_clear) struct str bomb = { 0 }, nested = { 0 };
	own_free char *word = NULL;
	struct err e;

	for (int i = 0; i < 300000; i++)
		str_add(&bomb, "$PWD");
	ck_assert_int_lt(build_word_expand(&word, bomb.text, &scope, &e), 0);
	for (int i = 0; i < 100; i++)
		str_add(&nested, "${x:-");
	ck_assert_int_lt(build_word_expand(&word, nested.text, &scope, &e), 0);
}
END_TEST

UNIT_MAIN("build/word", UNIT_LOOP(words_are_those_of_buildkit, COUNT_OF(rows)),
	  UNIT(blanks_divide_words_where_nothing_quotes_them), UNIT(another_escape),
	  UNIT(what_grows_without_bound_is_refused))
