#include "base/words.h"

#include "base/err.h"
#include "base/own.h"
#include "base/strv.h"
#include "base/unit.h"

static void expect(const char *text, const char *joined)
{
	own_clear(strv_clear) struct strv words = { 0 };
	struct err e;

	ck_assert_int_eq(words_split(&words, text, &e), 0);
	own_free char *line = strv_join(&words, "|");
	ck_assert_str_eq(line, joined);
}

START_TEST(blanks_divide_and_quotes_hold_together)
{
	expect("/bin/x  a\tb", "/bin/x|a|b");
	expect("x 'a b' \"c d\"e", "x|a b|c de");
	expect("x a\\ b '\\' \"\\\"\"", "x|a b|\\|\"");
	expect("x '' y", "x||y");
}
END_TEST

START_TEST(what_is_not_closed_is_refused)
{
	static const char *const texts[] = { "'", "a \"b", "a\\" };
	struct err e;

	for (size_t i = 0; i < 3; i++) {
		own_clear(strv_clear) struct strv words = { 0 };
		ck_assert_int_lt(words_split(&words, texts[i], &e), 0);
		ck_assert_int_eq(e.kind, ERR_INVALID);
	}
}
END_TEST

START_TEST(joined_words_are_split_into_the_same)
{
	own_clear(strv_clear) struct strv words = { 0 }, again = { 0 };
	struct err e;

	strv_add(&words, "a");
	strv_add(&words, "");
	strv_add(&words, "b \"c\" \\ 'd'");
	strv_add(&words, ";");
	own_free char *line = words_join(&words);
	ck_assert_int_eq(words_split(&again, line, &e), 0);
	ck_assert_uint_eq(again.count, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(again.items[i], words.items[i]);
}
END_TEST

START_TEST(what_divides_is_no_word_in_quotes)
{
	const char *at = " a ';' ;b \\; ; c ;";
	static const char *const parts[] = { "a|;|;b|;", "c", "" };
	struct err e;

	for (size_t i = 0; i < 3; i++) {
		own_clear(strv_clear) struct strv words = { 0 };
		ck_assert_int_eq(words_split_until(&words, &at, ';', &e), 0);
		own_free char *line = strv_join(&words, "|");
		ck_assert_str_eq(line, parts[i]);
	}
	ck_assert_str_eq(at, "");
}
END_TEST

UNIT_MAIN("base/words", UNIT(blanks_divide_and_quotes_hold_together),
	  UNIT(what_is_not_closed_is_refused), UNIT(joined_words_are_split_into_the_same),
	  UNIT(what_divides_is_no_word_in_quotes))
