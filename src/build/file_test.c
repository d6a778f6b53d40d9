#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/unit.h"
#include "build/file.h"

/* Each instruction as NAME{flags}rest, or NAME[words] of an array; here-documents as <name:text>;
 * after "!" an error that has this text. */
static const struct {
	const char *text;
	const char *result;
} rows[] = {
	{ "FROM a", "FROM{}a\n" },
	{ "from a\n  run x y  \n", "FROM{}a\nRUN{}x y\n" },
	{ "FROM a\r\nRUN x\r\n", "FROM{}a\nRUN{}x\n" },
	{ "\xef\xbb\xbf"
	  "FROM a",
	  "FROM{}a\n" },
	{ "# just words\n# escape=`\nFROM a\nRUN a \\\n b", "FROM{}a\nRUN{}a  b\n" },
	{ "# escape=`\nFROM a\nRUN a `\n b \\\nUSER c", "FROM{}a\nRUN{}a  b \\\nUSER{}c\n" },
	{ "#escape = `  \n# syntax = x/y:1\n#check=skip=all\nFROM a`\nb", "FROM{}ab\n" },
	{ "# escape=`\n# Escape=`\nFROM a", "!twice" },
	{ "# escape=x\nFROM a", "!only \\ or `" },
	{ "\n# escape=`\nFROM a\\\nb", "FROM{}ab\n" },
	{ "# unknown=1\n# escape=`\nFROM a\\\nb", "FROM{}ab\n" },
	{ "FROM a\n# comment\n   # another\nRUN x \\\n# between\n  # more\n\n   \n y\n",
	  "FROM{}a\nRUN{}x  y\n" },
	{ "FROM a\nRUN x \\  \ny", "FROM{}a\nRUN{}x y\n" },
	{ "FROM a\nRUN x \\\\\nUSER y", "FROM{}a\nRUN{}x \\\\\nUSER{}y\n" },
	{ "FROM a\nRUN x \\", "FROM{}a\nRUN{}x\n" },
	{ "FROM a\nRUN x # no comment", "FROM{}a\nRUN{}x # no comment\n" },
	{ "FROM a\nRUN --mount=type=cache,target=/x --network=none y",
	  "FROM{}a\nRUN{mount=type=cache,target=/x network=none}y\n" },
	{ "FROM a\nRUN --mount=\"type=cache,target=/a b\" y",
	  "FROM{}a\nRUN{mount=type=cache,target=/a b}y\n" },
	{ "FROM a\nRUN -- --mount=x", "FROM{}a\nRUN{}--mount=x\n" },
	{ "FROM a\nRUN --mnt=x y", "!line 2: RUN: no such flag --mnt" },
	{ "FROM a\nCOPY --link --chown=1:2 x y", "FROM{}a\nCOPY{link chown=1:2}(x)(y)\n" },
	{ "FROM a\nCOPY \"a b\" c\\ d /", "FROM{}a\nCOPY{}(\"a b\")(c\\ d)(/)\n" },
	{ "FROM a\nCOPY [\"a b\", \"c\"]", "FROM{}a\nCOPY[a b][c]\n" },
	{ "FROM a\nCMD [ \"x\" , \"\\u00e9\\n\" ]", "FROM{}a\nCMD[x][é\n]\n" },
	{ "FROM a\nCMD [\"x\", 1]", "FROM{}a\nCMD{}[\"x\", 1]\n" },
	{ "FROM a\nCMD ['x']", "FROM{}a\nCMD{}['x']\n" },
	{ "FROM a\nCMD []", "FROM{}a\nCMD\n" },
	{ "FROM a\nSHELL sh -c", "!SHELL" },
	{ "FROM a\nRUN", "!line 2: RUN: it says nothing" },
	{ "FROM a\nRUNX y", "!line 2: RUNX: no such instruction" },
	{ "FROM a\nRUN <<EOF\na\n\tb\n# c\n\\\nEOF\nUSER x",
	  "FROM{}a\nRUN{}<<EOF<EOF:a\n\tb\n# c\n\\\n>\nUSER{}x\n" },
	{ "FROM a\nRUN <<-EOF\n\ta\n\t\tb\n\tEOF", "FROM{}a\nRUN{}<<-EOF<EOF:a\nb\n>\n" },
	{ "FROM a\nRUN cat <<'A' 3<<\"B\"\n1\nA\n2\nB",
	  "FROM{}a\nRUN{}cat <<'A' 3<<\"B\"<A':1\n><B':2\n>\n" },
	{ "FROM a\nCOPY <<x <<y /\n1\nx\n2\ny", "FROM{}a\nCOPY{}(<<x)(<<y)(/)<x:1\n><y:2\n>\n" },
	{ "FROM a\nRUN cat <<<x\nRUN echo '<<EOF'", "FROM{}a\nRUN{}cat <<<x\nRUN{}echo '<<EOF'\n" },
	{ "FROM a\nRUN <<E\nE\n\nRUN 3<<F\nF", "FROM{}a\nRUN{}<<E<E:>\nRUN{}3<<F<F:>\n" },
	{ "FROM a\nRUN <<-E\n\tx\nE\nUSER y", "FROM{}a\nRUN{}<<-E<E:x\n>\nUSER{}y\n" },
	{ "FROM a\nCOPY <<X <<Y /d\nY\nX\nX\nY", "FROM{}a\nCOPY{}(<<X)(<<Y)(/d)<X:Y\n><Y:X\n>\n" },
	{ "FROM a\nRUN <<C python3\nprint('x')\nC", "FROM{}a\nRUN{}<<C python3<C:print('x')\n>\n" },
	{ "FROM a\nCOPY <<f.txt /d\nx\nf.txt", "FROM{}a\nCOPY{}(<<f.txt)(/d)<f.txt:x\n>\n" },
	{ "FROM a\nRUN <<eo'f'\nx\neof", "FROM{}a\nRUN{}<<eo'f'<eof':x\n>\n" },
	{ "FROM a\nRUN <<eo\\'f\nx\neo'f", "FROM{}a\nRUN{}<<eo\\'f<eo'f:x\n>\n" },
	{ "FROM a\nRUN <<'e'o\\'f\nx\neo'f", "FROM{}a\nRUN{}<<'e'o\\'f<eo'f':x\n>\n" },
	{ "FROM a\nRUN <<'one two'\nx\none two", "FROM{}a\nRUN{}<<'one two'<one two':x\n>\n" },
	{ "FROM a\nRUN <<$E\n$E", "FROM{}a\nRUN{}<<$E<$E:>\n" },
	{ "FROM a\nRUN <<  E\nx\nE", "FROM{}a\nRUN{}<<  E<E:x\n>\n" },
	{ "FROM a\nRUN <<- E > f\n\tx\nE", "FROM{}a\nRUN{}<<- E > f<E:x\n>\n" },
	{ "FROM a\nRUN \"<<E\"\nRUN [\"<<E\"]\nRUN a<b",
	  "FROM{}a\nRUN{}\"<<E\"\nRUN[<<E]\nRUN{}a<b\n" },
	{ "FROM a\nRUN x \\\n#c\n\\\n\n # d\n\n y", "FROM{}a\nRUN{}x  y\n" },
	{ "FROM a\nONBUILD RUN <<E\nx\nE", "FROM{}a\nONBUILD{}RUN <<E<E:x\n>\n" },
	{ "ARG A=1\nFROM a:${A} AS b\nFROM --platform=$B b",
	  "ARG{}A=1\nFROM{}a:${A} AS b\nFROM{platform=$B}b\n" },
	{ "FROM a\nENV x <<EOF", "FROM{}a\nENV{}x <<EOF\n" },
	{ "FROM a\nRUN <<EOF\nx", "!no line 'EOF'" },
	{ "", "!no instruction" },
	{ "# only\n\n", "!no instruction" },
};

static void show_instruction(struct str *to, const struct build_instruction *at)
{
	own_free char *flags = strv_join(&at->flags, " ");

	str_add(to, build_file_name(at->kind));
	if (!at->json)
		str_addf(to, "{%s}", flags);
	if (!at->json && !at->words.count)
		str_add(to, at->rest);
	for (size_t i = 0; i < at->words.count; i++)
		str_addf(to, at->json ? "[%s]" : "(%s)", at->words.items[i]);
	for (size_t i = 0; i < at->heredocs.count; i++)
		str_addf(to, "<%s%s:%s>", at->heredocs.items[i].name,
			 at->heredocs.items[i].quoted ? "'" : "", at->heredocs.items[i].text);
	str_add_char(to, '\n');
}

START_TEST(files_are_taken_apart)
{
	own_clear(build_file_clear) struct build_file file = { 0 };
	own_clear(str_clear) struct str shown = { 0 };
	struct err e;

	int r = build_file_parse(&file, "Dockerfile", rows[_i].text, strlen(rows[_i].text), &e);
	if (rows[_i].result[0] == '!') {
		ck_assert_msg(r < 0, "%s: accepted", rows[_i].text);
		ck_assert_msg(strstr(e.text, rows[_i].result + 1) != NULL, "%s", e.text);
		return;
	}
	ck_assert_msg(r == 0, "%s: %s", rows[_i].text, e.text);
	for (size_t i = 0; i < file.items.count; i++)
		show_instruction(&shown, &file.items.items[i]);
	ck_assert_str_eq(shown.text, rows[_i].result);
}
END_TEST

START_TEST(lines_are_counted)
{
	static const char text[] = "# c\nFROM a\n\nRUN x \\\n# c\n  y\nRUN <<E\n1\n2\nE\nUSER z\n";
	static const int lines[][2] = { { 2, 2 }, { 4, 6 }, { 7, 10 }, { 11, 11 } };
	own_clear(build_file_clear) struct build_file file = { 0 };
	struct err e;

	ck_assert_int_eq(build_file_parse(&file, "f", text, strlen(text), &e), 0);
	ck_assert_uint_eq(file.items.count, COUNT_OF(lines));
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		ck_assert_int_eq(file.items.items[i].line, lines[i][0]);
		ck_assert_int_eq(file.items.items[i].last_line, lines[i][1]);
	}
}
END_TEST

START_TEST(hostile_files_are_refused)
{
	own_clear(build_file_clear) struct build_file nul = { 0 }, wide = { 0 };
	own_clear(str_clear) struct str text = { 0 };
	struct err e;

	ck_assert_int_lt(build_file_parse(&nul, "f", "FROM a\0b", 8, &e), 0);
	ck_assert(strstr(e.text, "NUL") != NULL);
	str_add(&text, "FROM a\nRUN x");
	for (int i = 0; i < 100000; i++)
		str_add(&text, " \\\n 0123456789");
	ck_assert_int_lt(build_file_parse(&wide, "f", text.text, text.length, &e), 0);
}
END_TEST

UNIT_MAIN("build/file", UNIT_LOOP(files_are_taken_apart, COUNT_OF(rows)), UNIT(lines_are_counted),
	  UNIT(hostile_files_are_refused))
