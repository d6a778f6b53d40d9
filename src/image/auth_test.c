#include "image/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "image/base64.h"

/* "u1:p1" and so on */
#define U1 "dTE6cDE="
#define U2 "dTI6cDI="
#define U3 "dTM6cDM="

static const struct {
	const char *text, *host, *path;
	const char *user, *password, *token, *helper;
} found[] = {
	{ "{\"auths\":{\"ghcr.io\":{\"auth\":\"" U1 "\"}}}", "ghcr.io", "a/b", "u1", "p1" },
	{ "{\"auths\":{\"ghcr.io\":{\"auth\":\"" U1 "\"},\"ghcr.io/a\":{\"auth\":\"" U2
	  "\"},\"ghcr.io/a/b/c\":{\"auth\":\"" U3 "\"}}}",
	  "ghcr.io", "a/b", "u2", "p2" },
	{ "{\"auths\":{\"ghcr.io/a\":{\"auth\":\"" U1 "\"}}}", "ghcr.io", "ab/c", NULL },
	{ "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"" U1 "\"}}}", "docker.io",
	  "library/x", "u1", "p1" },
	{ "{\"auths\":{\"https://h.io/v2/\":{\"auth\":\"" U1 "\"}}}", "h.io", "x", "u1", "p1" },
	{ "{\"auths\":{\"h.io\":{\"auth\":\"" U1 "\"}}}", "h.io:5000", "x", NULL },
	{ "{\"auths\":{\"h.io\":{\"username\":\"n\",\"password\":\"w:x\"}}}", "h.io", "x", "n",
	  "w:x" },
	{ "{\"auths\":{\"h.io\":{\"auth\":\"" U1 "\",\"identitytoken\":\"t\"}}}", "h.io", "x", NULL,
	  NULL, "t" },
	{ "{\"auths\":{\"h.io\":{}},\"credsStore\":\"desktop\"}", "h.io", "x", NULL, NULL, NULL,
	  "desktop" },
	{ "{\"auths\":{\"h.io\":{\"auth\":\"" U1 "\"}},\"credHelpers\":{\"h.io\":\"gcr\"}}", "h.io",
	  "x", NULL, NULL, NULL, "gcr" },
	{ "{\"credHelpers\":{\"h.io\":\"gcr\"}}", "other.io", "x", NULL },
	{ "{\"auths\":{\"h.io\":{\"auth\":\"dTE6\"}}}", "h.io", "x", "u1", "" },
	{ "{}", "h.io", "x", NULL },
};

START_TEST(the_nearest_entry_is_found)
{
	own_clear(image_auth_clear) struct image_auth auth = { 0 };
	own_free char *helper = NULL;
	struct err e = { 0 };
	int r = image_auth_parse(&auth, &helper, found[_i].text, strlen(found[_i].text),
				 found[_i].host, found[_i].path, "f", &e);

	ck_assert_msg(r >= 0, "%s", e.text);
	ck_assert_int_eq(r, found[_i].user || found[_i].token);
	ck_assert_pstr_eq(auth.user, found[_i].user);
	ck_assert_pstr_eq(auth.password, found[_i].password);
	ck_assert_pstr_eq(auth.token, found[_i].token);
	ck_assert_pstr_eq(helper, found[_i].helper);
}
END_TEST

static const char *const bad[] = {
	"",
	"[]",
	"{\"auths\":[]}",
	"{\"auths\":{\"h.io\":{\"auth\":1}}}",
	"{\"auths\":{\"h.io\":{\"auth\":\"***\"}}}",
	"{\"auths\":{\"h.io\":{\"auth\":\"bm9jb2xvbg==\"}}}",
	"{\"auths\":{\"h.io\":{\"auth\":\"YQBiOmM=\"}}}",
};

START_TEST(a_bad_file_is_refused_and_no_secret_is_told)
{
	struct image_auth auth = { 0 };
	own_free char *helper = NULL;
	struct err e = { 0 };

	ck_assert_int_lt(
		image_auth_parse(&auth, &helper, bad[_i], strlen(bad[_i]), "h.io", "x", "f", &e),
		0);
	ck_assert_ptr_null(auth.user);
	ck_assert_ptr_null(strstr(e.text, "bm9jb2xvbg"));
}
END_TEST

static void write_program(const char *folder, const char *name, const char *text)
{
	own_free char *path = mem_format("%s/%s", folder, name);
	own_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
}

static const struct {
	const char *program;
	int r;
	const char *said;
} helpers[] = {
	{ "#!/bin/sh\nread h || :\n[ \"$1 $h\" = 'get h.io' ] && "
	  "echo '{\"Username\":\"u\",\"Secret\":\"s\"}'\n",
	  1, "u" },
	{ "#!/bin/sh\necho '{\"Username\":\"<token>\",\"Secret\":\"s\"}'\n", 1, NULL },
	{ "#!/bin/sh\necho 'credentials not found in native keychain'; exit 1\n", 0, NULL },
	{ "#!/bin/sh\necho 'locked'; exit 1\n", -EPERM, "locked" },
	{ "#!/bin/sh\nexec head -c 100000 /dev/zero\n", -EINVAL, "more than 64 KiB" },
	{ "#!/bin/sh\necho nonsense\n", -EBADMSG, "not JSON" },
};

START_TEST(a_helper_is_asked_with_its_arguments_and_bounds)
{
	char folder[] = "/tmp/holm-auth-XXXXXX";
	struct image_auth_files files = { NULL };
	own_clear(image_auth_clear) struct image_auth auth = { 0 };
	struct err e = { 0 };

	ck_assert_ptr_nonnull(mkdtemp(folder));
	own_free char *file = mem_format("%s/auth.json", folder);
	own_free char *path = mem_format("%s:%s", folder, getenv("PATH"));
	write_program(folder, "auth.json", "{\"credsStore\":\"test\"}");
	write_program(folder, "docker-credential-test", helpers[_i].program);
	setenv("PATH", path, 1);
	files.file = file;
	int r = image_auth_find(&auth, &files, "h.io", "x", &e);
	ck_assert_msg(r == helpers[_i].r, "%d: %s", r, e.text);
	if (r == 1)
		ck_assert_pstr_eq(auth.user, helpers[_i].said);
	else if (r < 0)
		ck_assert_msg(strstr(e.text, helpers[_i].said), "%s", e.text);
	ck_assert_int_eq(fd_remove_tree_at(AT_FDCWD, folder, &e), 0);
}
END_TEST

static const char *const names[] = { "../x", "a b", "", "a/b", "$(x)" };

START_TEST(a_helper_has_a_name_and_not_a_path)
{
	own_free char *text = mem_format("{\"credHelpers\":{\"h.io\":\"%s\"}}", names[_i]);
	char file[] = "/tmp/holm-auth-XXXXXX";
	own_fd int fd = mkstemp(file);
	struct image_auth_files files = { file };
	struct image_auth auth = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
	int r = image_auth_find(&auth, &files, "h.io", "x", &e);
	unlink(file);
	ck_assert_int_eq(r, *names[_i] ? -EINVAL : 0);
}
END_TEST

START_TEST(base64_goes_there_and_back)
{
	own_clear(str_clear) struct str text = { 0 }, back = { 0 };
	unsigned char bytes[100];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 37 + (size_t)_i);
	image_base64_add(&text, bytes, (size_t)_i);
	ck_assert_uint_eq(text.length, (size_t)(_i + 2) / 3 * 4);
	ck_assert_int_eq(image_base64_decode(&back, text.text ? text.text : ""), 0);
	ck_assert_uint_eq(back.length, (size_t)_i);
	ck_assert_mem_eq(back.text ? back.text : "", bytes, (size_t)_i);
}
END_TEST

UNIT_MAIN("image/auth", UNIT_LOOP(the_nearest_entry_is_found, COUNT_OF(found)),
	  UNIT_LOOP(a_bad_file_is_refused_and_no_secret_is_told, COUNT_OF(bad)),
	  UNIT_LOOP(a_helper_is_asked_with_its_arguments_and_bounds, COUNT_OF(helpers)),
	  UNIT_LOOP(a_helper_has_a_name_and_not_a_path, COUNT_OF(names)),
	  UNIT_LOOP(base64_goes_there_and_back, 20))
