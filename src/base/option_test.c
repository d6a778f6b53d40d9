#include "base/option.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

struct sample {
	bool detach;
	bool interactive;
	bool tty;
	bool init;
	bool init_given;
	char *name;
	char *memory;
	char *when;
	struct strv env;
	struct strv publish;
	int64_t last;
	int64_t tail;
};

#define OPTIONS struct sample
static const struct option table[] = {
	OPTION_HEADING("Main"),
	{ "detach", 'd', OPTION_FLAG(detach), NULL, "return once it runs" },
	{ "interactive", 'i', OPTION_FLAG(interactive), NULL, "send input" },
	{ "tty", 't', OPTION_FLAG(tty), NULL, "give it a terminal" },
	{ "init", 0, OPTION_TOGGLE(init), NULL, "a PID 1 of ours" },
	{ "name", 0, OPTION_STRING(name), "NAME", "its name" },
	{ "memory", 'm', OPTION_STRING(memory), "SIZE", "limit" },
	{ "when", 0, OPTION_STRING(when), "WHEN", "one of three", "always|missing|never" },
	{ "env", 'e', OPTION_STRINGS(env), "KEY=VALUE", "variable" },
	{ "publish", 'p', OPTION_STRINGS(publish), "PORT", "hidden here", .hidden = true },
	{ "last", 'n', OPTION_INT(last), "N", "number" },
	{ "tail", 0, OPTION_COUNT(tail), "N", "number" },
	{ 0 },
};
#undef OPTIONS

/* What was parsed, as one line: easy to compare. */
static char *shown(const struct sample *s, const struct option_line *line)
{
	own_clear(str_clear) struct str to = { 0 };
	own_free char *env = strv_join(&s->env, ",");
	own_free char *publish = strv_join(&s->publish, ",");
	own_free char *args = strv_join(&line->args, ",");

	str_addf(&to, "%s%s%s", s->detach ? "d" : "", s->interactive ? "i" : "", s->tty ? "t" : "");
	if (s->init_given)
		str_addf(&to, " init=%d", s->init);
	str_addf(&to, s->name ? " name=%s" : "%s", s->name ? s->name : "");
	str_addf(&to, s->memory ? " memory=%s" : "%s", s->memory ? s->memory : "");
	str_addf(&to, s->when ? " when=%s" : "%s", s->when ? s->when : "");
	str_addf(&to, s->env.count ? " env=%s" : "%s", env);
	str_addf(&to, s->publish.count ? " publish=%s" : "%s", publish);
	if (s->last)
		str_addf(&to, " last=%lld", (long long)s->last);
	if (s->tail)
		str_addf(&to, " tail=%lld", (long long)s->tail);
	str_addf(&to, "%s |%s", line->help ? " help" : "", args);
	return str_take(&to);
}

static int parse(const char *words, enum option_mode mode, struct sample *s,
		 struct option_line *line, struct err *e)
{
	own_clear(strv_clear) struct strv v = { 0 };

	strv_split(&v, words, ' ');
	return option_parse(table, mode, v.items, v.count, s, line, e);
}

static const struct {
	const char *words;
	const char *result;
} good[] = {
	{ "busybox", " |busybox" },
	{ "-d busybox", "d |busybox" },
	{ "--detach busybox", "d |busybox" },
	{ "--detach=true busybox", "d |busybox" },
	{ "--detach=false busybox", " |busybox" },
	{ "--detach=1 x", "d |x" },
	{ "--detach=F x", " |x" },
	{ "-d=false x", " |x" },
	{ "-d=true x", "d |x" },
	{ "-it busybox sh", "it |busybox,sh" },
	{ "-ti busybox", "it |busybox" },
	{ "-i -t busybox", "it |busybox" },
	{ "-itd busybox", "dit |busybox" },
	{ "-it=false x", "i |x" },
	{ "--name web busybox", " name=web |busybox" },
	{ "--name=web busybox", " name=web |busybox" },
	{ "--name= busybox", " name= |busybox" },
	{ "--name a --name b x", " name=b |x" },
	{ "--name=a=b x", " name=a=b |x" },
	{ "--name -x y", " name=-x |y" },
	{ "--name -- y", " name=-- |y" },
	{ "-m 512m x", " memory=512m |x" },
	{ "-m512m x", " memory=512m |x" },
	{ "-m=512m x", " memory=512m |x" },
	{ "-dm 512m x", "d memory=512m |x" },
	{ "-dm512m x", "d memory=512m |x" },
	{ "--memory=512m x", " memory=512m |x" },
	{ "-e A=1 -e B=2 x", " env=A=1,B=2 |x" },
	{ "-eA=1 x", " env=A=1 |x" },
	{ "-e=A=1 x", " env=A=1 |x" },
	{ "--env A=1 --env=B x", " env=A=1,B |x" },
	{ "-e A= x", " env=A= |x" },
	{ "-e  x", " env= |x" },
	{ "-p 80:80 x", " publish=80:80 |x" },
	{ "-itp80:80 x", "it publish=80:80 |x" },
	{ "--init x", " init=1 |x" },
	{ "--no-init x", " init=0 |x" },
	{ "--init=false x", " init=0 |x" },
	{ "--no-init --init x", " init=1 |x" },
	{ "--when always x", " when=always |x" },
	{ "-n 5", " last=5 |" },
	{ "-n -1", " last=-1 |" },
	{ "-n5", " last=5 |" },
	{ "--tail 9223372036854775807", " tail=9223372036854775807 |" },
	{ "busybox -d", " |busybox,-d" },
	{ "busybox sh -c x --name y", " |busybox,sh,-c,x,--name,y" },
	{ "-- -d", " |-d" },
	{ "-d -- busybox -- x", "d |busybox,--,x" },
	{ "- x", " |-,x" },
	{ "--help", " help |" },
	{ "-h", " help |" },
	{ "-dh x", "d help |x" },
	{ "x --help", " |x,--help" },
};

START_TEST(dockers_spellings_are_understood)
{
	struct sample s = { 0 };
	struct option_line line = { 0 };
	struct err e;

	ck_assert_msg(parse(good[_i].words, OPTION_FIRST, &s, &line, &e) == 0, "%s: %s",
		      good[_i].words, e.text);
	own_free char *result = shown(&s, &line);
	ck_assert_str_eq(result, good[_i].result);
	option_clear(table, &s);
	ck_assert_ptr_null(s.name);
	ck_assert_ptr_null(s.env.items);
	strv_clear(&line.args);
}
END_TEST

static const struct {
	const char *words;
	const char *message;
	const char *hint;
} bad[] = {
	{ "--nmae web x", "unknown option --nmae", "did you mean --name?" },
	{ "--nmae=web x", "unknown option --nmae", "did you mean --name?" },
	{ "--memroy 1g x", "unknown option --memroy", "did you mean --memory?" },
	{ "--publsh 80 x", "unknown option --publsh", "" },
	{ "--zzz x", "unknown option --zzz", "" },
	{ "--no-detach x", "unknown option --no-detach", "" },
	{ "-z x", "unknown option -z", "" },
	{ "-itz x", "unknown option -z in -itz", "" },
	{ "---name x", "unknown option ---name", "did you mean --name?" },
	{ "--=x", "unknown option --", "" },
	{ "--name", "--name needs a value: --name NAME", "" },
	{ "-m", "--memory needs a value: --memory SIZE", "" },
	{ "-im", "--memory needs a value", "" },
	{ "--detach=yes x", "--detach: 'yes' is neither true nor false", "" },
	{ "--detach= x", "--detach: '' is neither true nor false", "" },
	{ "-d=on x", "--detach: 'on' is neither true nor false", "" },
	{ "--init=2 x", "--init: '2' is neither", "" },
	{ "--when sometimes x", "--when: 'sometimes' is not one of always|missing|never", "" },
	{ "--when alwa x", "not one of", "" },
	{ "--when always|missing x", "not one of", "" },
	{ "--when= x", "--when: '' is not one of", "" },
	{ "-n x", "--last: 'x' is not a whole number", "" },
	{ "-n 1.5", "--last: '1.5' is not a whole number", "" },
	{ "--last=", "--last: '' is not a number", "" },
	{ "--tail -1", "--tail: '-1' is not between 0", "" },
	{ "--tail 9223372036854775808", "is more than", "" },
	{ "--Name x", "unknown option --Name", "did you mean --name?" },
};

START_TEST(a_wrong_option_is_named_with_what_it_takes)
{
	struct sample s = { 0 };
	struct option_line line = { 0 };
	struct err e;

	ck_assert_msg(parse(bad[_i].words, OPTION_FIRST, &s, &line, &e) < 0, "%s", bad[_i].words);
	ck_assert_msg(strstr(e.text, bad[_i].message), "%s", e.text);
	ck_assert_str_eq(e.hint, bad[_i].hint);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_int_eq(err_exit_status(&e), 125);
	option_clear(table, &s);
	strv_clear(&line.args);
}
END_TEST

START_TEST(options_may_follow_arguments_where_no_command_of_a_container_does)
{
	struct sample s = { 0 };
	struct option_line line = { 0 };
	struct err e;

	ck_assert_int_eq(parse("web -d db --name x -- -t", OPTION_ANYWHERE, &s, &line, &e), 0);
	own_free char *result = shown(&s, &line);
	ck_assert_str_eq(result, "d name=x |web,db,-t");
	option_clear(table, &s);
	strv_clear(&line.args);
}
END_TEST

START_TEST(a_command_without_options_still_has_help)
{
	struct option_line line = { 0 };
	char help[] = "--help", other[] = "--all";
	struct err e;

	ck_assert_int_eq(
		option_parse(NULL, OPTION_ANYWHERE, (char *[]){ help }, 1, NULL, &line, &e), 0);
	ck_assert(line.help);
	ck_assert_int_lt(
		option_parse(NULL, OPTION_ANYWHERE, (char *[]){ other }, 1, NULL, &line, &e), 0);
	strv_clear(&line.args);
}
END_TEST

START_TEST(help_lists_what_is_not_hidden_in_aligned_columns)
{
	own_clear(str_clear) struct str s = { 0 };

	option_help(table, &s);
	ck_assert_msg(strstr(s.text, "\nMain:\n"
				     "  -d, --detach          return once it runs\n"),
		      "%s", s.text);
	ck_assert(strstr(s.text, "      --name NAME       its name\n"));
	ck_assert(strstr(s.text, "  -e, --env KEY=VALUE   variable\n"));
	ck_assert_ptr_null(strstr(s.text, "publish"));
}
END_TEST

START_TEST(the_man_page_escapes_what_scdoc_would_take_for_markup)
{
	static const struct option odd[] = {
		{ "odd", 'o', OPTION_TYPE_STRING, 0, 0, "A_B", "takes a_b *c*" },
		{ 0 },
	};
	own_clear(str_clear) struct str s = { 0 };

	option_man(odd, &s);
	ck_assert_str_eq(s.text, "*-o*, *--odd* _A\\_B_\n\tTakes a\\_b \\*c\\*.\n\n");
}
END_TEST

static const struct {
	const char *word, *candidate;
	bool near;
} words[] = {
	{ "nmae", "name", true },   { "name", "name", true },      { "stpo", "stop", true },
	{ "strat", "start", true }, { "rn", "rm", true },          { "rn", "run", true },
	{ "x", "ps", false },       { "image", "images", true },   { "imgae", "images", true },
	{ "foo", "bar", false },    { "remove", "rename", false }, { "inspcet", "inspect", true },
	{ "", "run", false },
};

START_TEST(a_slip_of_the_finger_is_near_and_another_word_is_not)
{
	const char *best = NULL;

	nearest_offer(&best, words[_i].word, words[_i].candidate);
	ck_assert_msg((best != NULL) == words[_i].near, "%s %s", words[_i].word,
		      words[_i].candidate);
}
END_TEST

START_TEST(very_long_words_are_far_from_everything)
{
	char *word = mem_new(1, 1000);
	const char *best = NULL;

	memset(word, 'a', 999);
	nearest_offer(&best, word, word);
	ck_assert_ptr_null(best);
	free(word);
}
END_TEST

UNIT_MAIN("base/option", UNIT_LOOP(dockers_spellings_are_understood, COUNT_OF(good)),
	  UNIT_LOOP(a_wrong_option_is_named_with_what_it_takes, COUNT_OF(bad)),
	  UNIT(options_may_follow_arguments_where_no_command_of_a_container_does),
	  UNIT(a_command_without_options_still_has_help),
	  UNIT(help_lists_what_is_not_hidden_in_aligned_columns),
	  UNIT(the_man_page_escapes_what_scdoc_would_take_for_markup),
	  UNIT_LOOP(a_slip_of_the_finger_is_near_and_another_word_is_not, COUNT_OF(words)),
	  UNIT(very_long_words_are_far_from_everything))
