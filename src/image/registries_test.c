#include "image/registries.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/unit.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char conf[] = "unqualified-search-registries = ['quay.io', 'docker.io']\n"
			   "short-name-mode = 'enforcing'\n"
			   "[aliases]\n"
			   "'debian' = 'docker.io/library/debian'\n"
			   "'tool/x' = 'ghcr.io/tool/x'\n"
			   "[[registry]]\n"
			   "prefix = 'example.com/foo'\n"
			   "location = 'internal.example:5000/bar'\n"
			   "insecure = true\n"
			   "[[registry.mirror]]\n"
			   "location = 'mirror.one/m'\n"
			   "[[registry.mirror]]\n"
			   "location = 'mirror.two'\n"
			   "insecure = true\n"
			   "pull-from-mirror = 'digest-only'\n"
			   "[[registry.mirror]]\n"
			   "location = 'mirror.three/t'\n"
			   "pull-from-mirror = 'tag-only'\n"
			   "[[registry]]\n"
			   "prefix = 'example.com/foo/bad'\n"
			   "blocked = true\n"
			   "[[registry]]\n"
			   "location = 'plain.example'\n"
			   "insecure = true\n"
			   "[[registry]]\n"
			   "prefix = '*.wild.example'\n"
			   "[[registry.mirror]]\n"
			   "location = 'm.example/wild'\n"
			   "[[registry]]\n"
			   "location = 'docker.io'\n"
			   "mirror-by-digest-only = true\n"
			   "[[registry.mirror]]\n"
			   "location = 'localhost:5000'\n";

static struct image_registries *load(const char *text)
{
	struct image_registries *registries = image_registries_new();
	struct err e = { 0 };

	ck_assert_msg(image_registries_add(registries, text, strlen(text), "test", &e) == 0, "%s",
		      e.text);
	return registries;
}

/* "host/path" of all, with "!" behind an insecure and "~" behind a mirror. */
static char *describe(const struct image_endpoints *endpoints)
{
	struct str s = { 0 };

	for (size_t i = 0; i < endpoints->items.count; i++) {
		const struct image_endpoint *p = &endpoints->items.items[i];
		str_addf(&s, "%s%s/%s%s%s", i ? " " : "", p->host, p->path, p->insecure ? "!" : "",
			 p->mirror ? "~" : "");
	}
	return str_take(&s);
}

static const struct {
	const char *name, *endpoints;
} resolved[] = {
	{ "other.example/a", "other.example/a" },
	{ "plain.example/a/b", "plain.example/a/b!" },
	{ "plain.example:5000/a", "plain.example:5000/a" },
	{ "example.com/foo", "mirror.one/m~ mirror.three/t~ internal.example:5000/bar!" },
	{ "example.com/foo/x", "mirror.one/m/x~ mirror.three/t/x~ internal.example:5000/bar/x!" },
	{ "example.com/foo/x@sha256:" HEX,
	  "mirror.one/m/x~ mirror.two/x!~ internal.example:5000/bar/x!" },
	{ "example.com/foox", "example.com/foox" },
	{ "example.com/foo/bad/x", NULL },
	{ "a.wild.example/x", "m.example/wild/x~ a.wild.example/x" },
	{ "a.b.wild.example/x", "m.example/wild/x~ a.b.wild.example/x" },
	{ "wild.example/x", "wild.example/x" },
	{ "evilwild.example/x", "evilwild.example/x" },
	{ "docker.io/a", "docker.io/library/a" },
	{ "docker.io/a@sha256:" HEX, "localhost:5000/library/a~ docker.io/library/a" },
};

START_TEST(a_name_has_its_places)
{
	own(image_registries_free) struct image_registries *registries = load(conf);
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	own_clear(image_registries_clear_endpoints) struct image_endpoints endpoints = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(image_reference_parse(&ref, resolved[_i].name, &e), 0);
	int r = image_registries_endpoints(registries, &ref, &endpoints, &e);
	if (!resolved[_i].endpoints) {
		ck_assert_int_lt(r, 0);
		ck_assert_int_eq(e.kind, ERR_PERMISSION);
		return;
	}
	ck_assert_msg(r == 0, "%s", e.text);
	own_free char *text = describe(&endpoints);
	ck_assert_str_eq(text, resolved[_i].endpoints);
}
END_TEST

static const struct {
	const char *conf, *name, *meant;
} shorts[] = {
	{ conf, "debian:12", "docker.io/library/debian:12" },
	{ conf, "tool/x", "ghcr.io/tool/x:latest" },
	{ conf, "app", "quay.io/app:latest docker.io/library/app:latest" },
	{ conf, "org/app:1", "quay.io/org/app:1 docker.io/org/app:1" },
	{ conf, "quay.io/app", "quay.io/app:latest" },
	{ conf, "app@sha256:" HEX, "quay.io/app@sha256:" HEX " docker.io/library/app@sha256:" HEX },
	{ "", "app", "docker.io/library/app:latest" },
	{ "unqualified-search-registries = []", "app", NULL },
};

START_TEST(a_short_name_means_what_the_file_says)
{
	own(image_registries_free) struct image_registries *registries = load(shorts[_i].conf);
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	own_clear(image_registries_clear_references) struct image_references list = { 0 };
	own_clear(str_clear) struct str s = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(image_reference_parse(&ref, shorts[_i].name, &e), 0);
	int r = image_registries_expand(registries, &ref, &list, &e);
	if (!shorts[_i].meant) {
		ck_assert_int_lt(r, 0);
		ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
		return;
	}
	ck_assert_msg(r == 0, "%s", e.text);
	for (size_t i = 0; i < list.items.count; i++) {
		own_free char *name = image_reference_format(&list.items.items[i]);
		str_addf(&s, "%s%s", i ? " " : "", name);
	}
	ck_assert_str_eq(s.text, shorts[_i].meant);
}
END_TEST

static const struct {
	const char *text, *message;
} bad[] = {
	{ "[registries.search]\nregistries = ['x']", "version 1" },
	{ "[[registry]]\ninsecure = true", "neither prefix nor location" },
	{ "[[registry]]\nlocation = 1", "registry: [0]: location: not a string" },
	{ "short-name-mode = 'x'", "short-name-mode" },
	{ "[[registry]]\nlocation='a'\n[[registry.mirror]]\ninsecure=true", "without a location" },
	{ "[[registry]]\nlocation='a'\nmirror=[{location='b', pull-from-mirror='x'}]",
	  "pull-from-mirror" },
	{ "unqualified-search-registries = 'docker.io'", "not an array" },
};

START_TEST(a_bad_file_is_refused)
{
	own(image_registries_free) struct image_registries *registries = image_registries_new();
	struct err e = { 0 };

	ck_assert_int_lt(
		image_registries_add(registries, bad[_i].text, strlen(bad[_i].text), "f", &e), 0);
	ck_assert_msg(strstr(e.text, bad[_i].message), "%s", e.text);
	ck_assert_msg(strstr(e.text, "f: "), "%s", e.text);
}
END_TEST

START_TEST(a_later_file_replaces_the_same_prefix)
{
	own(image_registries_free) struct image_registries *registries = load(conf);
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	own_clear(image_registries_clear_endpoints) struct image_endpoints endpoints = { 0 };
	static const char more[] = "[[registry]]\nlocation = 'plain.example'\n"
				   "[[registry.mirror]]\nlocation = 'm'\n";
	struct err e = { 0 };

	ck_assert_int_eq(image_registries_add(registries, more, strlen(more), "more", &e), 0);
	ck_assert_int_eq(image_reference_parse(&ref, "plain.example/x", &e), 0);
	ck_assert_int_eq(image_registries_endpoints(registries, &ref, &endpoints, &e), 0);
	own_free char *text = describe(&endpoints);
	ck_assert_str_eq(text, "m/x~ plain.example/x");
	ck_assert_int_eq(image_registries_short_names(registries), IMAGE_SHORT_NAMES_ENFORCING);
}
END_TEST

UNIT_MAIN("image/registries", UNIT_LOOP(a_name_has_its_places, COUNT_OF(resolved)),
	  UNIT_LOOP(a_short_name_means_what_the_file_says, COUNT_OF(shorts)),
	  UNIT_LOOP(a_bad_file_is_refused, COUNT_OF(bad)),
	  UNIT(a_later_file_replaces_the_same_prefix))
