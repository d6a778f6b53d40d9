#include "image/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"

static const struct {
	const char *text, *base, *whole, *host;
	int port;
} good[] = {
	{ "https://Example.com/a?b#c", NULL, "https://Example.com/a?b", "example.com", 443 },
	{ "http://127.0.0.1:5000/v2/", NULL, "http://127.0.0.1:5000/v2/", "127.0.0.1", 5000 },
	{ "https://[::1]:5000/", NULL, "https://[::1]:5000/", "::1", 5000 },
	{ "/other", "https://h:1/a/b", "https://h:1/other", "h", 1 },
	{ "//else/x", "https://h/a", "https://else/x", "else", 443 },
	{ "http://elsewhere/x", "https://h/a", "http://elsewhere/x", "elsewhere", 80 },
};

START_TEST(an_address_is_taken_apart)
{
	own_clear(image_url_clear) struct image_url url = { 0 };
	struct err e = { 0 };

	ck_assert_msg(image_url_parse(&url, good[_i].text, good[_i].base, &e) == 0, "%s", e.text);
	ck_assert_str_eq(url.text, good[_i].whole);
	ck_assert_str_eq(url.host, good[_i].host);
	ck_assert_int_eq(url.port, good[_i].port);
}
END_TEST

static const char *const bad[] = {
	"",
	"file:///etc/passwd",
	"gopher://x/",
	"ftp://x/",
	"https://user@host/",
	"https://user:password@host/",
	"https://",
	"relative",
	"https://h:99999/",
	"https://a b/",
	"https://h\r\nX: y/",
};

START_TEST(a_bad_address_is_refused)
{
	struct image_url url = { 0 };
	struct err e;

	ck_assert_msg(image_url_parse(&url, bad[_i], NULL, &e) < 0, "%s", bad[_i]);
	ck_assert_ptr_null(url.text);
}
END_TEST

static const struct {
	const char *from, *to;
	bool local_allowed, taken;
} steps[] = {
	{ "https://r/a", "https://cdn/b", false, true },
	{ "https://r/a", "http://cdn/b", false, false },
	{ "https://r/a", "http://cdn/b", true, false },
	{ "http://r/a", "https://cdn/b", false, true },
	{ "https://r/a", "https://localhost/b", false, false },
	{ "https://r/a", "https://127.0.0.1/b", false, false },
	{ "https://r/a", "https://127.1/b", false, false },
	{ "https://r/a", "https://2130706433/b", false, false },
	{ "https://r/a", "https://0x7f000001/b", false, false },
	{ "https://r/a", "https://0.0.0.0/b", false, false },
	{ "https://r/a", "https://169.254.169.254/latest", false, false },
	{ "https://r/a", "https://[::1]/b", false, false },
	{ "https://r/a", "https://[::]/b", false, false },
	{ "https://r/a", "https://[::ffff:127.0.0.1]/b", false, false },
	{ "https://r/a", "https://[fe80::1]/b", false, false },
	{ "https://r/a", "https://[fd00:ec2::254]/b", false, false },
	{ "https://r/a", "https://10.0.0.1/b", false, true },
	{ "http://127.0.0.1:5000/a", "http://127.0.0.1:5001/b", true, true },
	{ "https://r/a", "https://localhost.example/b", false, true },
	{ "https://r/a", "https://x.localhost/b", false, false },
};

START_TEST(a_registry_does_not_send_us_just_anywhere)
{
	own_clear(image_url_clear) struct image_url from = { 0 }, to = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(image_url_parse(&from, steps[_i].from, NULL, &e), 0);
	ck_assert_int_eq(image_url_parse(&to, steps[_i].to, NULL, &e), 0);
	int r = image_url_check_step(&from, &to, steps[_i].local_allowed, &e);
	ck_assert_msg((r == 0) == steps[_i].taken, "%s: %s", steps[_i].to, e.text);
}
END_TEST

START_TEST(a_name_that_became_a_local_number_is_told)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	v4.sin_addr.s_addr = htonl(0xa9fea9fe);
	ck_assert(image_url_address_is_local((struct sockaddr *)&v4));
	v4.sin_addr.s_addr = htonl(0x08080808);
	ck_assert(!image_url_address_is_local((struct sockaddr *)&v4));
	ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6.sin6_addr), 1);
	ck_assert(image_url_address_is_local((struct sockaddr *)&v6));
	ck_assert_int_eq(inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr), 1);
	ck_assert(!image_url_address_is_local((struct sockaddr *)&v6));
}
END_TEST

START_TEST(credentials_belong_to_scheme_host_and_port)
{
	static const char *const texts[] = { "https://h/a", "https://H:443/b", "http://h/a",
					     "https://h:444/a", "https://g/a" };
	struct image_url urls[COUNT_OF(texts)];
	struct err e;

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		ck_assert_int_eq(image_url_parse(&urls[i], texts[i], NULL, &e), 0);
	ck_assert(image_url_same_origin(&urls[0], &urls[1]));
	for (size_t i = 2; i < COUNT_OF(texts); i++)
		ck_assert(!image_url_same_origin(&urls[0], &urls[i]));
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		image_url_clear(&urls[i]);
}
END_TEST

UNIT_MAIN("image/url", UNIT_LOOP(an_address_is_taken_apart, COUNT_OF(good)),
	  UNIT_LOOP(a_bad_address_is_refused, COUNT_OF(bad)),
	  UNIT_LOOP(a_registry_does_not_send_us_just_anywhere, COUNT_OF(steps)),
	  UNIT(a_name_that_became_a_local_number_is_told),
	  UNIT(credentials_belong_to_scheme_host_and_port))
