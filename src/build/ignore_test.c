#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/strv.h"
#include "base/unit.h"
#include "build/ignore.h"

static const struct {
	const char *patterns;
	const char *path;
	bool ignored;
} rows[] = {
	{ "a", "a", true },
	{ "a", "a/b", true },
	{ "a", "b/a", false },
	{ "/a/", "a", true },
	{ "./a/../b", "b", true },
	{ "*/a", "b/a", true },
	{ "*/a", "b/c/a", false },
	{ "*/*/a", "b/c/a", true },
	{ "*.go", "x.go", true },
	{ "*.go", "d/x.go", false },
	{ "**/*.go", "x.go", true },
	{ "**/*.go", "a/b/x.go", true },
	{ "**", "a/b", true },
	{ "a/**", "a/b/c", true },
	{ "a/**", "a", false },
	{ "a/**/z", "a/z", true },
	{ "a/**/z", "a/b/c/z", true },
	{ "a/**/z", "az", false },
	{ "**/a/**/b", "x/a/y/b", true },
	{ "a?c", "abc", true },
	{ "a?c", "a/c", false },
	{ "[a-c]x", "bx", true },
	{ "[^a-c]x", "bx", false },
	{ "[^a-c]x", "dx", true },
	{ "a[]]", "a]", true },
	{ "\\*", "*", true },
	{ "\\*", "a", false },
	{ "# a\n \nb", "# a", false },
	{ " # a", "# a", true },
	{ "  b  ", "b", true },
	{ "*\n!a", "a", false },
	{ "*\n!a", "b", true },
	{ "*\n!a\na/x", "a/x", true },
	{ "*\n!a\na/x", "a/y", false },
	{ "d\n!d/keep", "d/keep", false },
	{ "d\n!d/keep", "d/other", true },
	{ "*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true },
	{ "*.md\n!README*.md\nREADME-secret.md", "README.md", false },
	{ "! a", "a", false },
	{ ".", "a", false },
	{ "\xef\xbb\xbf"
	  "a",
	  "a", true },
	{ "a\r\nb\r\n", "a", true },
	{ "**/a", "a", true },
	{ "**a", "b/ca", true },
	{ "a**", "ab/c", true },
	{ "a/**/b/**/c", "a/b/c", true },
	{ "**/*.txt\n!**/keep.txt", "a/b/keep.txt", false },
	{ "**/*.txt\n!**/keep.txt", "a/b/other.txt", true },
	{ "**\n!a/b", "a/b", false },
	{ "**\n!a/b", "a/b/c", false },
	{ "**\n!a/b", "a/c", true },
	{ "a/*\n!a/b\na/b/c", "a/b/c", true },
	{ "!a\na", "a", true },
	{ "../a", "a", true },
	{ "a/..", "a", false },
	{ "a?", "a\xc3\xa9", true },
	{ "a??", "a\xc3\xa9", false },
	{ "a?b*",
	  "a\xc3\xa9"
	  "bc",
	  true },
	{ "[^a]x", "\xc3\xa9x", true },
};

static bool is_ignored(const struct build_ignore *ignore, const char *path)
{
	own_free bool *matched = mem_new(ignore->patterns.count + 1, sizeof(bool));
	own_free char *copy = mem_text(path);
	bool ignored = false;

	for (char *slash = strchr(copy, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		ignored = build_ignore_match(ignore, copy, matched);
		if (!slash)
			return ignored;
		*slash = '/';
	}
}

START_TEST(paths_are_ignored_as_by_docker)
{
	own_clear(build_ignore_clear) struct build_ignore ignore = { 0 };
	struct err e;

	ck_assert_int_eq(
		build_ignore_parse(&ignore, "f", rows[_i].patterns, strlen(rows[_i].patterns), &e),
		0);
	ck_assert_msg(is_ignored(&ignore, rows[_i].path) == rows[_i].ignored, "%s: %s",
		      rows[_i].patterns, rows[_i].path);
}
END_TEST

START_TEST(bad_patterns_are_refused_with_their_line)
{
	static const char *const bad[] = { "[", "[a", "[z-a]", "a\\", "!", "[]" };

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		own_clear(build_ignore_clear) struct build_ignore ignore = { 0 };
		own_free char *text = mem_format("x\n%s", bad[i]);
		struct err e;
		ck_assert_msg(build_ignore_parse(&ignore, "f", text, strlen(text), &e) < 0, "%s",
			      bad[i]);
		ck_assert(strstr(e.text, "f: line 2") != NULL);
	}
}
END_TEST

/* What a backtracking matcher would take years for. */
START_TEST(a_hostile_pattern_costs_its_length)
{
	own_clear(build_ignore_clear) struct build_ignore ignore = { 0 };
	static const char pattern[] = "**/a*a*a*a*a*a*a*a*a*a*/**/a*a*a*a*a*a*a*/**/b";
	static const char path[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/aaaaaaaaaaaaaaaaaaaa/"
				   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/aaaaaaaaaaaaaaaaaaaa/a";
	struct err e;

	ck_assert_int_eq(build_ignore_parse(&ignore, "f", pattern, strlen(pattern), &e), 0);
	ck_assert(!is_ignored(&ignore, path));
}
END_TEST

UNIT_MAIN("build/ignore", UNIT_LOOP(paths_are_ignored_as_by_docker, COUNT_OF(rows)),
	  UNIT(bad_patterns_are_refused_with_their_line), UNIT(a_hostile_pattern_costs_its_length))
