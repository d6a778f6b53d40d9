#include "system/lxc_config.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"

static int add(struct lxc_config *to, const char *text, struct err *e)
{
	return system_lxc_config_add(to, "config", text, strlen(text), 0, e);
}

START_TEST(lines_are_keys_and_values_with_their_places)
{
	own_clear(system_lxc_config_clear) struct lxc_config config = { 0 };
	struct err e;

	ck_assert_int_eq(add(&config,
			     "# one\n\nlxc.uts.name = \"a b\"\n"
			     "  lxc.environment=A=b = c  \r\nlxc.cap.drop =\nlxc.uts.name=last",
			     &e),
			 0);
	ck_assert_uint_eq(config.lines.count, 4);
	ck_assert_str_eq(config.lines.items[0].value, "a b");
	ck_assert_int_eq(config.lines.items[0].number, 3);
	ck_assert_str_eq(config.lines.items[1].value, "A=b = c");
	ck_assert_str_eq(config.lines.items[2].value, "");
	ck_assert_str_eq(system_lxc_config_get(&config, "lxc.uts.name"), "last");
	ck_assert_ptr_null(system_lxc_config_get(&config, "lxc.uts"));
}
END_TEST

static const struct {
	const char *text, *key;
} renamed[] = {
	{ "lxc.utsname = a", "lxc.uts.name" },
	{ "lxc.rootfs = /x", "lxc.rootfs.path" },
	{ "lxc.id_map = u 0 1 2", "lxc.idmap" },
	{ "lxc.mount = /fstab", "lxc.mount.fstab" },
	{ "lxc.mount.entry = x", "lxc.mount.entry" },
	{ "lxc.limit.nofile = 5", "lxc.prlimit.nofile" },
	{ "lxc.network.3.link = br0", "lxc.net.3.link" },
	{ "lxc.network.type = veth\nlxc.network.type = veth\nlxc.network.ipv4 = 1.2.3.4",
	  "lxc.net.1.ipv4.address" },
	{ "lxc.haltsignal = SIGPWR", "lxc.signal.halt" },
};

START_TEST(names_of_before_are_those_of_today)
{
	own_clear(system_lxc_config_clear) struct lxc_config config = { 0 };
	struct err e;

	ck_assert_int_eq(add(&config, renamed[_i].text, &e), 0);
	ck_assert_str_eq(config.lines.items[config.lines.count - 1].key, renamed[_i].key);
}
END_TEST

static const struct {
	const char *text, *words;
} bad[] = {
	{ "lxc.uts.name", "config, line 1: 'lxc.uts.name' is not KEY = VALUE" },
	{ "\n\nuts = x", "config, line 3: 'uts' is no key" },
	{ "lxc.include = relative", "not an absolute path" },
	{ "lxc.include = /nowhere/at/all", "No such file" },
};

START_TEST(what_is_wrong_is_said_with_its_line)
{
	own_clear(system_lxc_config_clear) struct lxc_config config = { 0 };
	struct err e;

	ck_assert_int_lt(add(&config, bad[_i].text, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, bad[_i].words));
}
END_TEST

START_TEST(what_a_package_may_add_need_not_be_there)
{
	own_clear(system_lxc_config_clear) struct lxc_config config = { 0 };
	struct err e;

	ck_assert_int_eq(add(&config, "lxc.include = /usr/share/lxc/config/none.conf.d/", &e), 0);
	ck_assert_int_lt(add(&config, "lxc.include = /usr/share/lxc/../../../nowhere", &e), 0);
}
END_TEST

UNIT_MAIN("system/lxc_config", UNIT(lines_are_keys_and_values_with_their_places),
	  UNIT_LOOP(names_of_before_are_those_of_today, COUNT_OF(renamed)),
	  UNIT_LOOP(what_is_wrong_is_said_with_its_line, COUNT_OF(bad)),
	  UNIT(what_a_package_may_add_need_not_be_there))
