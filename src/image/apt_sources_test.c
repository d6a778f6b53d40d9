#include "image/apt_sources.h"

#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"

#define UBUNTU "/usr/share/keyrings/ubuntu-archive-keyring.gpg"
#define KEY    "/usr/share/keyrings/debian-archive-keyring.gpg"

static const struct {
	const char *list, *deb822, *distribution, *suite, *lines;
} rows[] = {
	{ "", "", "debian", "bookworm",
	  "deb [signed-by=" KEY "] http://ftp.debian.org/debian bookworm main\n"
	  "deb [signed-by=" KEY
	  "] http://security.debian.org/debian-security bookworm-security main\n" },
	{ "# deb http://commented/debian bookworm main\n"
	  "deb http://mirror.one/debian/ bookworm main contrib\n"
	  "deb-src http://mirror.two/debian bookworm main\n"
	  "deb [ arch=amd64 signed-by=/k.gpg ] https://sec.one/debian-security bookworm-security "
	  "main # x\n",
	  "", "debian", "trixie",
	  "deb [signed-by=" KEY "] http://mirror.one/debian trixie main\n"
	  "deb [signed-by=/k.gpg] https://sec.one/debian-security trixie-security main\n" },
	{ "",
	  "Types: deb deb-src\n# a comment\nURIs: http://m/debian\n"
	  "Suites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k2.gpg\n\n"
	  "Types: deb\nEnabled: no\nURIs: http://off/debian-security\nSuites: a-security\n",
	  "debian", "bookworm",
	  "deb [signed-by=/k2.gpg] http://m/debian bookworm main\n"
	  "deb [signed-by=/k2.gpg] http://m/debian bookworm-updates main\n"
	  "deb [signed-by=" KEY
	  "] http://security.debian.org/debian-security bookworm-security main\n" },
	{ "deb http://m/debian bookworm main\n", "", "debian", "sid",
	  "deb [signed-by=" KEY "] http://m/debian sid main\n" },
	{ "deb file:///srv/debian bookworm main\ndeb\ndeb x\n[\n",
	  "URIs: http://x/debian\nSuites: a\n :\n:", "debian", "sid",
	  "deb [signed-by=" KEY "] http://ftp.debian.org/debian sid main\n" },
	{ "deb http://m/ubuntu noble main\n", "", "ubuntu", "noble",
	  "deb [signed-by=" UBUNTU "] http://m/ubuntu noble main universe\n"
	  "deb [signed-by=" UBUNTU
	  "] http://security.ubuntu.com/ubuntu noble-security main universe\n" },
};

START_TEST(the_hosts_mirror_is_used_for_the_suite_that_is_wanted)
{
	own_clear(image_apt_sources_clear) struct image_apt_sources sources = { 0 };

	image_apt_sources_add_list(&sources, rows[_i].list);
	image_apt_sources_add_deb822(&sources, rows[_i].deb822);
	own_clear(image_apt_choice_clear) struct image_apt_choice choice = { 0 };
	const struct image_apt_wish wish = { .distribution = rows[_i].distribution,
					     .suite = rows[_i].suite,
					     .architecture = "amd64" };
	image_apt_sources_choose(&choice, &sources, &wish);
	ck_assert_pstr_eq(choice.lines, rows[_i].lines);
}
END_TEST

START_TEST(a_mirror_that_is_given_is_the_only_one)
{
	own_clear(image_apt_sources_clear) struct image_apt_sources sources = { 0 };
	own_clear(image_apt_choice_clear) struct image_apt_choice choice = { 0 };
	const struct image_apt_wish wish = { .distribution = "debian",
					     .suite = "bookworm",
					     .architecture = "arm64",
					     .mirror = "http://given/d",
					     .keyring = "/k" };

	image_apt_sources_add_list(&sources, rows[1].list);
	image_apt_sources_choose(&choice, &sources, &wish);
	ck_assert_str_eq(choice.lines, "deb [signed-by=/k] http://given/d bookworm main\n");
	ck_assert_str_eq(choice.uri, "http://given/d");
	ck_assert_str_eq(choice.keyring, "/k");
}
END_TEST

START_TEST(ubuntu_has_another_mirror_for_other_processors)
{
	own_clear(image_apt_sources_clear) struct image_apt_sources sources = { 0 };
	own_clear(image_apt_choice_clear) struct image_apt_choice choice = { 0 };
	const struct image_apt_wish wish = { .distribution = "ubuntu",
					     .suite = "noble",
					     .architecture = "arm64" };

	image_apt_sources_add_list(&sources, "deb http://m/ubuntu noble main\n");
	image_apt_sources_choose(&choice, &sources, &wish);
	ck_assert_str_eq(choice.uri, "http://ports.ubuntu.com/ubuntu-ports");
	ck_assert_str_eq(choice.keyring_package, "ubuntu-keyring");
}
END_TEST

UNIT_MAIN("image/apt_sources",
	  UNIT_LOOP(the_hosts_mirror_is_used_for_the_suite_that_is_wanted, COUNT_OF(rows)),
	  UNIT(a_mirror_that_is_given_is_the_only_one),
	  UNIT(ubuntu_has_another_mirror_for_other_processors))
