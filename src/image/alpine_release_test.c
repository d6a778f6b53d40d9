#include "image/alpine_release.h"

#include <string.h>

#include "base/err.h"
#include "base/unit.h"

#define HEX       "0a6c278a906bb7dc1c14f3dae426b4494280cdc421697977459bd37f91287d09"
#define FILE_NAME "alpine-minirootfs-3.20.3-x86_64.tar.gz"

static const char releases[] = "---\n-\n"
			       "  title: \"Standard\"\n"
			       "  desc: |\n"
			       "    Alpine as it was intended.\n"
			       "    flavor: alpine-minirootfs\n"
			       "  flavor: alpine-standard\n"
			       "  file: alpine-standard-3.20.3-x86_64.iso\n"
			       "  sha256: 1111\n"
			       "-\n"
			       "  title: \"Mini root filesystem\"\n"
			       "  branch: v3.20\n"
			       "  flavor: alpine-minirootfs\n"
			       "  file: " FILE_NAME "\n"
			       "  sha256: " HEX "\n"
			       "-\n"
			       "  flavor: alpine-netboot\n"
			       "  file: other\n";

START_TEST(the_mini_root_filesystem_of_a_branch_is_found)
{
	struct alpine_release release;
	struct err e;

	ck_assert_int_eq(image_alpine_release_find(&release, releases, strlen(releases), &e), 0);
	ck_assert_str_eq(release.file, FILE_NAME);
	ck_assert_str_eq(release.digest, "sha256:" HEX);
}
END_TEST

static const char *const bad[] = {
	"",
	"-\n  flavor: alpine-standard\n  file: " FILE_NAME "\n  sha256: " HEX "\n",
	"-\n  flavor: alpine-minirootfs\n  file: ../" FILE_NAME "\n  sha256: " HEX "\n",
	"-\n  flavor: alpine-minirootfs\n  file: passwd\n  sha256: " HEX "\n",
	"-\n  flavor: alpine-minirootfs\n  file: " FILE_NAME "\n",
	"-\n  flavor: alpine-minirootfs\n  file: " FILE_NAME "\n-\n  sha256: " HEX "\n",
	"-\n  flavor: alpine-minirootfs\n  file: " FILE_NAME "\n  sha256: " HEX "0\n",
	"-\n  flavor: alpine-minirootfs\n  file: alpine-minirootfs-a?b.tar.gz\n  sha256: " HEX "\n",
};

START_TEST(what_names_none_is_refused)
{
	struct alpine_release release;
	struct err e;

	ck_assert_int_lt(image_alpine_release_find(&release, bad[_i], strlen(bad[_i]), &e), 0);
}
END_TEST

START_TEST(a_checksum_is_of_the_file_that_it_names)
{
	static const char text[] = HEX "  " FILE_NAME "\n";
	struct alpine_release release;
	struct err e;

	ck_assert_int_eq(image_alpine_release_checksum(&release, FILE_NAME, text, strlen(text), &e),
			 0);
	ck_assert_str_eq(release.digest, "sha256:" HEX);
	ck_assert_int_lt(image_alpine_release_checksum(&release, "alpine-minirootfs-x.tar.gz", text,
						       strlen(text), &e),
			 0);
	ck_assert_int_lt(image_alpine_release_checksum(&release, FILE_NAME, "x", 1, &e), 0);
}
END_TEST

UNIT_MAIN("image/alpine_release", UNIT(the_mini_root_filesystem_of_a_branch_is_found),
	  UNIT_LOOP(what_names_none_is_refused, sizeof(bad) / sizeof(*bad)),
	  UNIT(a_checksum_is_of_the_file_that_it_names))
