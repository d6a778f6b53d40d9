#include "image/policy.h"

#include <check.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/strv.h"
#include "base/unit.h"
#include "image/claim.h"
#include "image/gpgv.h"
#include "image/reference.h"

START_TEST(the_scopes_of_an_image_begin_with_its_name_and_end_with_its_domains)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	own_clear(strv_clear) struct strv scopes = { 0 };
	struct err e;

	ck_assert_int_eq(image_reference_parse(&ref, "a.b.example:5000/x/y/z:1", &e), 0);
	image_policy_scopes(&scopes, &ref);
	own_free char *all = strv_join(&scopes, " ");
	ck_assert_str_eq(all, "a.b.example:5000/x/y/z:1 a.b.example:5000/x/y/z "
			      "a.b.example:5000/x/y a.b.example:5000/x a.b.example:5000 "
			      "*.b.example:5000 *.example:5000");
}
END_TEST

START_TEST(the_scopes_of_a_path_end_below_the_root)
{
	own_clear(strv_clear) struct strv scopes = { 0 };

	image_policy_path_scopes(&scopes, "/a/b", "n:1");
	own_free char *all = strv_join(&scopes, " ");
	ck_assert_str_eq(all, "/a/b:n:1 /a/b /a");
}
END_TEST

static const struct {
	enum image_policy_match match;
	const char *name, *prefix, *asked, *is;
	bool matches;
} names[] = {
	{ IMAGE_POLICY_REPO_DIGEST_OR_EXACT, NULL, NULL, "busybox:1", "docker.io/library/busybox:1",
	  true },
	{ IMAGE_POLICY_REPO_DIGEST_OR_EXACT, NULL, NULL, "busybox", "busybox", false },
	{ IMAGE_POLICY_REPO_DIGEST_OR_EXACT, NULL, NULL, "a.b/x:1", "a.b/x:1@junk", false },
	{ IMAGE_POLICY_EXACT, NULL, NULL, "a.b/x:1", "a.b/x:1", true },
	{ IMAGE_POLICY_EXACT, NULL, NULL, "a.b/x:1", "a.b/x:2", false },
	{ IMAGE_POLICY_REPOSITORY, NULL, NULL, "a.b/x:1", "a.b/x", true },
	{ IMAGE_POLICY_REPOSITORY, NULL, NULL, "a.b/x:1", "a.b/xx", false },
	{ IMAGE_POLICY_EXACT_REFERENCE, "c.d/y:2", NULL, "a.b/x:1", "c.d/y:2", true },
	{ IMAGE_POLICY_EXACT_REFERENCE, "c.d/y:2", NULL, "a.b/x:1", "a.b/x:1", false },
	{ IMAGE_POLICY_EXACT_REPOSITORY, "c.d/y", NULL, "a.b/x:1", "c.d/y:9", true },
	{ IMAGE_POLICY_REMAP, "a.b", "c.d/m", "a.b/x:1", "c.d/m/x:1", true },
	{ IMAGE_POLICY_REMAP, "a.b/x", "c.d/m", "a.b/x:1", "c.d/m:1", true },
	{ IMAGE_POLICY_REMAP, "a.b/x", "c.d/m", "a.b/xx:1", "c.d/mx:1", false },
	{ IMAGE_POLICY_REMAP, "a.b/x", "c.d/m", "a.b/xx:1", "a.b/xx:1", true },
};

START_TEST(a_signed_name_counts_where_the_identity_says_so)
{
	own_clear(image_reference_clear) struct image_reference ref = { 0 };
	struct image_policy_requirement q = { .match = names[_i].match,
					      .name = (char *)names[_i].name,
					      .signed_prefix = (char *)names[_i].prefix };
	struct err e;

	ck_assert_int_eq(image_reference_parse(&ref, names[_i].asked, &e), 0);
	ck_assert_int_eq(image_policy_matches(&q, &ref, names[_i].is), names[_i].matches);
}
END_TEST

#define GOOD                                                                                       \
	"[GNUPG:] PLAINTEXT 62 0 \n[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 00 a\n[GNUPG:] VALIDSIG 00\n"

static const struct {
	const char *status;
	bool good;
} statuses[] = {
	{ GOOD, true },
	{ "", false },
	{ GOOD GOOD, false },
	{ GOOD "[GNUPG:] BADSIG 00 a\n", false },
	{ GOOD "[GNUPG:] REVKEYSIG 00 a\n", false },
	{ GOOD "[GNUPG:] EXPKEYSIG 00 a\n", false },
	{ GOOD "[GNUPG:] PLAINTEXT 62 0 \n", false },
	{ "[GNUPG:] GOODSIG 00 a\n[GNUPG:] VALIDSIG 00\n[GNUPG:] NEWSIG\n", false },
	{ "gpgv: " GOOD, false },
};

START_TEST(one_good_signature_and_nothing_else_is_good)
{
	struct err e;

	ck_assert_int_eq(image_gpgv_judge(statuses[_i].status, &e) == 0, statuses[_i].good);
}
END_TEST

#define CRITICAL(more)                                                                             \
	"{\"critical\":{\"identity\":{\"docker-reference\":\"a/b:1\"},\"image\":{\"docker-"        \
	"manifest-digest\":\"sha256:0\"},\"type\":\"atomic container signature\"" more

static const struct {
	const char *text;
	bool good;
} claims[] = {
	{ CRITICAL("}}"), true },
	{ CRITICAL("},\"optional\":{\"creator\":\"x\"}}"), true },
	{ CRITICAL("},\"optional\":null}"), true },
	{ CRITICAL(",\"more\":1}}"), false },
	{ CRITICAL("},\"more\":1}"), false },
	{ "{\"critical\":{}}", false },
	{ "[]", false },
};

START_TEST(what_was_signed_has_to_be_understood_whole)
{
	own_clear(image_claim_clear) struct image_claim claim = { 0 };
	struct err e;
	int r = image_claim_parse(&claim, claims[_i].text, strlen(claims[_i].text), &e);

	ck_assert_int_eq(r == 0, claims[_i].good);
}
END_TEST

UNIT_MAIN("image/policy", UNIT(the_scopes_of_an_image_begin_with_its_name_and_end_with_its_domains),
	  UNIT(the_scopes_of_a_path_end_below_the_root),
	  UNIT_LOOP(a_signed_name_counts_where_the_identity_says_so, COUNT_OF(names)),
	  UNIT_LOOP(one_good_signature_and_nothing_else_is_good, COUNT_OF(statuses)),
	  UNIT_LOOP(what_was_signed_has_to_be_understood_whole, COUNT_OF(claims)))
