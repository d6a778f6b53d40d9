#include "cli/detach.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/unit.h"

static const struct {
	const char *text;
	const char *keys; /* NULL: refused */
} spellings[] = {
	{ "ctrl-p,ctrl-q", "\x10\x11" },
	{ "a", "a" },
	{ "a,b,c", "abc" },
	{ "ctrl-A", "\x01" },
	{ "ctrl-z", "\x1a" },
	{ "ctrl-[", "\x1b" },
	{ "ctrl-\\", "\x1c" },
	{ "ctrl-]", "\x1d" },
	{ "ctrl-^", "\x1e" },
	{ "ctrl-_", "\x1f" },
	{ "ctrl-e,e", "\x05"
		      "e" },
	{ "", "" },
	{ "ctrl-", NULL },
	{ "ctrl-pp", NULL },
	{ "ctrl-1", NULL },
	{ "alt-x", NULL },
	{ "ab", NULL },
	{ "a,", NULL },
	{ ",", NULL },
	{ "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", NULL },
};

START_TEST(dockers_spellings_of_keys)
{
	struct cli_detach d = { 0 };
	struct err e;

	int r = cli_detach_parse(&d, spellings[_i].text, &e);
	if (!spellings[_i].keys) {
		ck_assert_msg(r < 0, "%s", spellings[_i].text);
		return;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_uint_eq(d.count, strlen(spellings[_i].keys));
	ck_assert(memcmp(d.keys, spellings[_i].keys, d.count) == 0);
}
END_TEST

/* Each word of typed is one read from the terminal. */
static const struct {
	const char *keys;
	const char *typed[4];
	const char *sent;
	bool detached;
} lines[] = {
	{ "ctrl-p,ctrl-q", { "ls\n" }, "ls\n", false },
	{ "ctrl-p,ctrl-q", { "\x10\x11" }, "", true },
	{ "ctrl-p,ctrl-q", { "\x10", "\x11" }, "", true },
	{ "ctrl-p,ctrl-q", { "a\x10", "\x11zzz" }, "a", true },
	{ "ctrl-p,ctrl-q", { "\x10x" }, "\x10x", false },
	{ "ctrl-p,ctrl-q", { "\x10", "x" }, "\x10x", false },
	{ "ctrl-p,ctrl-q", { "\x10\x10\x11" }, "\x10", true },
	{ "ctrl-p,ctrl-q", { "\x10", "\x10", "\x10", "\x11" }, "\x10\x10", true },
	{ "ctrl-p,ctrl-q", { "\x11\x10" }, "\x11", false },
	{ "a,a,b", { "aaab" }, "a", true },
	{ "a,b,a,c", { "abab", "ac" }, "ab", true },
	{ "x", { "abcx" }, "abc", true },
	{ "", { "\x10\x11" }, "\x10\x11", false },
};

START_TEST(what_is_no_detach_key_goes_on_unchanged)
{
	struct cli_detach d = { 0 };
	unsigned char out[100];
	char sent[400] = "";
	bool detached = false;
	struct err e;

	ck_assert_int_eq(cli_detach_parse(&d, lines[_i].keys, &e), 0);
	for (size_t i = 0; i < 4 && lines[_i].typed[i]; i++) {
		const char *typed = lines[_i].typed[i];
		size_t length;
		detached = cli_detach_filter(&d, (const unsigned char *)typed, strlen(typed), out,
					     &length);
		strncat(sent, (const char *)out, length);
	}
	ck_assert_str_eq(sent, lines[_i].sent);
	ck_assert_int_eq(detached, lines[_i].detached);
}
END_TEST

UNIT_MAIN("cli/detach", UNIT_LOOP(dockers_spellings_of_keys, COUNT_OF(spellings)),
	  UNIT_LOOP(what_is_no_detach_key_goes_on_unchanged, COUNT_OF(lines)))
