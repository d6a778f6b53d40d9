#include "runtime/apparmor.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/unit.h"

START_TEST(the_profile_is_named_and_speaks_of_itself)
{
	own_free char *text = runtime_apparmor_text("mine");

	ck_assert(!strncmp(text, "profile mine flags=", 19));
	ck_assert_ptr_nonnull(strstr(text, "\n  signal (send, receive) peer=mine,\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n  deny mount,\n"));
	ck_assert_ptr_null(strstr(text, "NAME"));
}
END_TEST

START_TEST(a_system_may_mount_and_set_its_network)
{
	own_free char *text = runtime_apparmor_text(RUNTIME_APPARMOR_SYSTEM);

	ck_assert_ptr_nonnull(strstr(text, "\n  mount,\n"));
	ck_assert_ptr_null(strstr(text, "deny mount"));
	ck_assert_ptr_null(strstr(text, "deny /proc/sys/[^k]**"));
	ck_assert_ptr_nonnull(strstr(text, "\n  deny /proc/sys/[^kn]** w,\n"));
}
END_TEST

START_TEST(the_parser_understands_it)
{
	static const char *const names[] = { RUNTIME_APPARMOR_DEFAULT, RUNTIME_APPARMOR_SYSTEM };
	own_free char *text = runtime_apparmor_text(names[_i]);

	if (access("/usr/sbin/apparmor_parser", X_OK) < 0)
		unit_skip("no apparmor_parser here");
	/* reads and compiles, and gives nothing to the kernel */
	FILE *parser = popen("/usr/sbin/apparmor_parser --skip-kernel-load --skip-cache "
			     "--quiet >/dev/null",
			     "w");
	ck_assert_ptr_nonnull(parser);
	ck_assert_int_ge(fputs(text, parser), 0);
	ck_assert_int_eq(pclose(parser), 0);
}
END_TEST

UNIT_MAIN("runtime/apparmor", UNIT(the_profile_is_named_and_speaks_of_itself),
	  UNIT(a_system_may_mount_and_set_its_network), UNIT_LOOP(the_parser_understands_it, 2))
