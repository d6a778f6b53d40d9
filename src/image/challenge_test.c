#include "image/challenge.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"

static const struct {
	const char *header;
	bool bearer;
	const char *realm, *service, *scope;
} good[] = {
	{ "Bearer realm=\"https://auth.x/token\",service=\"x\",scope=\"repository:a/b:pull\"", true,
	  "https://auth.x/token", "x", "repository:a/b:pull" },
	{ "bearer REALM = \"r\" , unknown=1, service=s", true, "r", "s", NULL },
	{ "Bearer realm=https://auth.x/t,scope=\"a b\"", true, "https://auth.x/t", NULL, "a b" },
	{ "Basic realm=\"Registry Realm\"", false, "Registry Realm", NULL, NULL },
	{ "Basic", false, NULL, NULL, NULL },
	{ "Basic realm=\"a\\\"b\"", false, "a\"b", NULL, NULL },
	{ "Basic realm=x, Bearer realm=y", true, "y", NULL, NULL },
	{ "Negotiate abc==, Basic realm=x", false, "x", NULL, NULL },
	{ "Negotiate, Bearer realm=y", true, "y", NULL, NULL },
	{ "Bearer service=x, Basic realm=z", false, "z", NULL, NULL },
	{ "Bearer realm=one, realm=two", true, "one", NULL, NULL },
	{ " , Basic realm=\"\"", false, "", NULL, NULL },
};

START_TEST(a_challenge_is_understood)
{
	own_clear(image_challenge_clear) struct image_challenge c = { 0 };
	char *items[] = { (char *)good[_i].header, NULL };
	struct strv headers = { items, 1 };
	struct err e = { 0 };

	ck_assert_msg(image_challenge_parse(&c, &headers, &e) == 0, "%s", e.text);
	ck_assert_int_eq(c.bearer, good[_i].bearer);
	ck_assert_pstr_eq(c.realm, good[_i].realm);
	ck_assert_pstr_eq(c.service, good[_i].service);
	ck_assert_pstr_eq(c.scope, good[_i].scope);
}
END_TEST

static const char *const bad[] = {
	"",
	"Negotiate",
	"Digest realm=\"x\", nonce=\"y\"",
	"Bearer service=\"x\"",
	"Bearer realm=\"x",
	"Bearer realm=\"x\\",
	"Bearer realm=",
	"Bearer realm=\"a\nb\"",
	"\"",
	"=",
	"Bearer realm=x, =y",
};

START_TEST(a_useless_challenge_is_an_error)
{
	own_clear(image_challenge_clear) struct image_challenge c = { 0 };
	char *items[] = { (char *)bad[_i], NULL };
	struct strv headers = { items, 1 };
	struct err e = { 0 };

	ck_assert_int_lt(image_challenge_parse(&c, &headers, &e), 0);
	ck_assert_ptr_null(c.realm);
}
END_TEST

START_TEST(a_value_is_bounded)
{
	char text[6000] = "Bearer realm=\"";
	char *items[] = { text, NULL };
	struct strv headers = { items, 1 };
	struct image_challenge c;
	struct err e;

	memset(text + strlen(text), 'a', sizeof(text) - strlen(text) - 1);
	ck_assert_int_lt(image_challenge_parse(&c, &headers, &e), 0);
}
END_TEST

UNIT_MAIN("image/challenge", UNIT_LOOP(a_challenge_is_understood, COUNT_OF(good)),
	  UNIT_LOOP(a_useless_challenge_is_an_error, COUNT_OF(bad)), UNIT(a_value_is_bounded))
