#include "image/reference.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"
#include "image/source.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *text, *full, *familiar;
} good[] = {
	{ "nginx", "docker.io/library/nginx:latest", "nginx:latest" },
	{ "nginx:1.25", "docker.io/library/nginx:1.25", "nginx:1.25" },
	{ "a/b", "docker.io/a/b:latest", "a/b:latest" },
	{ "docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest" },
	{ "index.docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest" },
	{ "ghcr.io/a/b/c:1", "ghcr.io/a/b/c:1", "ghcr.io/a/b/c:1" },
	{ "localhost/a", "localhost/a:latest", "localhost/a:latest" },
	{ "localhost:5000/a:b", "localhost:5000/a:b", "localhost:5000/a:b" },
	{ "localhost:5000", "docker.io/library/localhost:5000", "localhost:5000" },
	{ "[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest" },
	{ "[fe80::1]/a", "[fe80::1]/a:latest", "[fe80::1]/a:latest" },
	{ "Host/a", "Host/a:latest", "Host/a:latest" },
	{ "a__b", "docker.io/library/a__b:latest", "a__b:latest" },
	{ "a---b.c_d", "docker.io/library/a---b.c_d:latest", "a---b.c_d:latest" },
	{ "a@sha256:" HEX, "docker.io/library/a@sha256:" HEX, "a@sha256:" HEX },
	{ "a:t@sha256:" HEX, "docker.io/library/a@sha256:" HEX, "a@sha256:" HEX },
	{ "a:_T.-9", "docker.io/library/a:_T.-9", "a:_T.-9" },
	{ "docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c:latest" },
};

START_TEST(a_good_name_gets_its_defaults)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	struct err e = { 0 };

	ck_assert_msg(image_reference_parse(&ref, good[_i].text, &e) == 0, "%s", e.text);
	own_free char *full = image_reference_format(&ref);
	ck_assert_str_eq(full, good[_i].full);
	ck_assert_str_eq(image_reference_familiar(full), good[_i].familiar);
	own_clear(image_reference_clear) struct image_reference again = { 0 };
	ck_assert_int_eq(image_reference_parse(&again, full, &e), 0);
	own_free char *twice = image_reference_format(&again);
	ck_assert_str_eq(twice, full);
}
END_TEST

static const struct {
	const char *text, *message;
} bad[] = {
	{ "", "empty name at byte 0" },
	{ "Nginx", "upper case at byte 0" },
	{ "ngInx", "upper case at byte 2" },
	{ "a/", "expected a lower-case letter or a digit at byte 2" },
	{ "/a", "expected a lower-case letter or a digit at byte 0" },
	{ "a//b", "at byte 2" },
	{ "../x", "malformed host name at byte 0" },
	{ "a/../x", "at byte 2" },
	{ "a/.", "at byte 2" },
	{ "a..b", "at byte 2" },
	{ "a___b", "at byte 3" },
	{ "a-", "at byte 2" },
	{ "-a", "at byte 0" },
	{ "a:", "empty tag at byte 2" },
	{ "a:-t", "a tag begins with" },
	{ "a:b/c", "expected a digit of the port" },
	{ "a:b:c", "unexpected character" },
	{ "a:t t", "unexpected character in the tag" },
	{ "a@", "expected a sha256: digest" },
	{ "a@md5:1234", "expected a sha256: digest" },
	{ "a@sha256:1234", "64 lower-case hex digits" },
	{ "a@sha256:../../../../../../../../../../../../../../../../../../../x", "64 lower-case" },
	{ "a@sha256:" HEX "0", "64 lower-case" },
	{ "a@sha256:" HEX "@sha256:" HEX, "64 lower-case" },
	{ "h.o:/a", "expected a port" },
	{ "h.o:99999/a", "port above 65535" },
	{ "h.o:9x/a", "expected a digit" },
	{ "-h.o/a", "malformed host name" },
	{ "h-.o/a", "malformed host name" },
	{ "[::1/a", "expected an IPv6" },
	{ "[]:5/a", "expected an IPv6" },
	{ "a b", "unexpected character" },
	{ "a\nb", "unexpected character" },
	{ "\xff", "expected a lower-case" },
	{ HEX, "this is an image id" },
};

START_TEST(a_bad_name_is_refused_with_its_place)
{
	struct image_reference ref = { .tag = (char *)"untouched" };
	struct err e = { 0 };

	ck_assert_int_lt(image_reference_parse(&ref, bad[_i].text, &e), 0);
	ck_assert_int_eq(e.kind, ERR_INVALID);
	ck_assert_msg(strstr(e.text, bad[_i].message), "%s", e.text);
	ck_assert_str_eq(ref.tag, "untouched");
}
END_TEST

START_TEST(lengths_are_bounded)
{
	char text[400] = "a:";
	struct image_reference ref;
	struct err e;

	memset(text + 2, 't', 129);
	ck_assert_int_lt(image_reference_parse(&ref, text, &e), 0);
	ck_assert_msg(strstr(e.text, "128"), "%s", e.text);
	memset(text, 'a', 300);
	ck_assert_int_lt(image_reference_parse(&ref, text, &e), 0);
	ck_assert_msg(strstr(e.text, "255"), "%s", e.text);
}
END_TEST

static const struct {
	const char *text;
	enum image_transport transport;
	const char *path, *name, *stored;
} sources[] = {
	{ "nginx", IMAGE_FROM_REGISTRY, NULL, "nginx", "docker.io/library/nginx:latest" },
	{ "docker://a.b/c:1", IMAGE_FROM_REGISTRY, NULL, "a.b/c:1", "a.b/c:1" },
	{ "oci:/d", IMAGE_FROM_OCI, "/d", NULL, NULL },
	{ "oci:/d:v1", IMAGE_FROM_OCI, "/d", "v1", NULL },
	{ "oci-archive:f.tar", IMAGE_FROM_OCI_ARCHIVE, "f.tar", NULL, NULL },
	{ "docker-archive:f:a:b", IMAGE_FROM_DOCKER_ARCHIVE, "f", "a:b", NULL },
	{ "dir:/srv/a:b", IMAGE_FROM_DIR, "/srv/a:b", NULL, NULL },
	{ "template:debian/bookworm", IMAGE_FROM_TEMPLATE, "debian/bookworm", NULL,
	  "template:debian/bookworm" },
};

START_TEST(a_source_is_split)
{
	own_clear(image_source_clear) struct image_source source = { 0 };
	struct err e = { 0 };

	ck_assert_msg(image_source_parse(&source, sources[_i].text, &e) == 0, "%s", e.text);
	ck_assert_int_eq(source.transport, sources[_i].transport);
	ck_assert_pstr_eq(source.path, sources[_i].path);
	ck_assert_pstr_eq(source.name, sources[_i].name);
	own_free char *stored = image_source_stored_name(&source);
	ck_assert_pstr_eq(stored, sources[_i].stored);
}
END_TEST

static const char *const bad_sources[] = {
	"oci:",
	"oci::x",
	"dir:",
	"template:",
	"template:/x",
	"template:debian/",
	"template:debian//system",
	"template:a/b/c",
	"template:a/../b",
	"template:debian/-o",
	"template:A/b",
	"docker://",
	"docker:///a",
};

START_TEST(a_bad_source_is_refused)
{
	struct image_source source = { 0 };
	struct err e;

	ck_assert_int_lt(image_source_parse(&source, bad_sources[_i], &e), 0);
	ck_assert_int_eq(e.kind, ERR_INVALID);
}
END_TEST

UNIT_MAIN("image/reference", UNIT_LOOP(a_good_name_gets_its_defaults, COUNT_OF(good)),
	  UNIT_LOOP(a_bad_name_is_refused_with_its_place, COUNT_OF(bad)), UNIT(lengths_are_bounded),
	  UNIT_LOOP(a_source_is_split, COUNT_OF(sources)),
	  UNIT_LOOP(a_bad_source_is_refused, COUNT_OF(bad_sources)))
