#include "system/nspawn_config.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

static int parse(struct nspawn_config *to, const char *text, struct err *e)
{
	return system_nspawn_config_parse(to, text, strlen(text), e);
}

START_TEST(keys_have_their_section_and_lines_go_on)
{
	own_clear(system_nspawn_config_clear) struct nspawn_config config = { 0 };
	struct err e;

	ck_assert_int_eq(parse(&config,
			       "# a\n[Exec]\nBoot = yes\n; b\nEnvironment=A=b \\\n# between\n"
			       " C=d\n\n[Files]\r\nBind=/x:/y\r\nBind=",
			       &e),
			 0);
	ck_assert_uint_eq(config.lines.count, 4);
	ck_assert_str_eq(config.lines.items[0].key, "Exec.Boot");
	ck_assert_str_eq(config.lines.items[0].value, "yes");
	ck_assert_int_eq(config.lines.items[0].number, 3);
	ck_assert_str_eq(config.lines.items[1].value, "A=b   C=d");
	ck_assert_str_eq(config.lines.items[2].key, "Files.Bind");
	ck_assert_str_eq(config.lines.items[2].value, "/x:/y");
	ck_assert_str_eq(config.lines.items[3].value, "");
}
END_TEST

static const struct {
	const char *text, *words;
} bad[] = {
	{ "Boot=yes", "line 1: 'Boot=yes' is in no section" },
	{ "[Exec]\nBoot", "line 2: 'Boot' is not KEY=VALUE" },
	{ "[Exec]\n=x", "line 2: '=x' is not KEY=VALUE" },
	{ "[Exec", "line 1: '[Exec' is not [SECTION]" },
	{ "[]", "is not [SECTION]" },
};

START_TEST(what_is_wrong_is_said_with_its_line)
{
	own_clear(system_nspawn_config_clear) struct nspawn_config config = { 0 };
	struct err e;

	ck_assert_int_lt(parse(&config, bad[_i].text, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, bad[_i].words));
}
END_TEST

UNIT_MAIN("system/nspawn_config", UNIT(keys_have_their_section_and_lines_go_on),
	  UNIT_LOOP(what_is_wrong_is_said_with_its_line, COUNT_OF(bad)))
