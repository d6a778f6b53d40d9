#include "image/proxy.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"
#include "image/url.h"

static const struct {
	const char *text, *host;
	int port;
	bool excepted;
} exceptions[] = {
	{ "", "a.example", 443, false },
	{ "*", "a.example", 443, true },
	{ "example.com", "example.com", 443, true },
	{ "example.com", "EXAMPLE.com", 443, true },
	{ "example.com", "a.example.com", 443, true },
	{ "example.com", "badexample.com", 443, false },
	{ "example.com", "example.com.evil", 443, false },
	{ ".example.com", "example.com", 443, false },
	{ ".example.com", "a.b.example.com", 443, true },
	{ "*.example.com", "a.example.com", 443, true },
	{ "*.example.com", "example.com", 443, false },
	{ " x, example.com ,y", "example.com", 443, true },
	{ "example.com:5000", "example.com", 5000, true },
	{ "example.com:5000", "example.com", 443, false },
	{ "10.0.0.0/8", "10.255.3.4", 443, true },
	{ "10.0.0.0/8", "11.0.0.1", 443, false },
	{ "192.168.16.0/20", "192.168.31.1", 443, true },
	{ "192.168.16.0/20", "192.168.32.1", 443, false },
	{ "0.0.0.0/0", "8.8.8.8", 443, true },
	{ "0.0.0.0/0", "name.example", 443, false },
	{ "10.0.0.0/33", "10.0.0.1", 443, false },
	{ "10.0.0.0/", "10.0.0.1", 443, false },
	{ "192.0.2.1", "192.0.2.1", 443, true },
	{ "192.0.2.1:80", "192.0.2.1", 443, false },
	{ "192.0.2.1", "192.0.2.11", 443, false },
	{ "2.1", "192.0.2.1", 443, true }, /* a name like any other, to Go as well */
	{ "2001:db8::/32", "2001:db8::5", 443, true },
	{ "2001:db8::5", "2001:db8:0::5", 443, true },
	{ "[2001:db8::5]:5000", "2001:db8::5", 5000, true },
	{ "[2001:db8::5]:5000", "2001:db8::5", 443, false },
	{ "::/0", "10.0.0.1", 443, false },
	{ ",,.,*.,:,/,[],:80", "a.example", 80, false },
};

START_TEST(no_proxy_takes_in_what_it_says)
{
	ck_assert_msg(image_proxy_excepts(exceptions[_i].text, exceptions[_i].host,
					  exceptions[_i].port) == exceptions[_i].excepted,
		      "'%s' and %s", exceptions[_i].text, exceptions[_i].host);
}
END_TEST

static const struct {
	const char *environment[3];
	const char *url, *proxy;
} chosen[] = {
	{ { NULL }, "https://a.example/", NULL },
	{ { "HTTPS_PROXY=one" }, "https://a.example/", "one" },
	{ { "https_proxy=one" }, "https://a.example/", "one" },
	{ { "HTTPS_PROXY=one" }, "http://a.example/", NULL },
	{ { "HTTP_PROXY=one" }, "http://a.example/", "one" },
	{ { "http_proxy=one" }, "http://a.example/", "one" },
	{ { "http_proxy=one" }, "https://a.example/", NULL },
	{ { "HTTP_PROXY=", "http_proxy=two" }, "http://a.example/", "two" },
	{ { "all_proxy=any" }, "https://a.example/", "any" },
	{ { "all_proxy=any", "https_proxy=one" }, "https://a.example/", "one" },
	{ { "https_proxy=one", "NO_PROXY=a.example" }, "https://a.example/", NULL },
	{ { "https_proxy=one", "no_proxy=b.example" }, "https://a.example/", "one" },
	{ { "https_proxy=one", "no_proxy=a.example:5000" }, "https://a.example:5000/", NULL },
	{ { "http_proxy=one" }, "http://127.0.0.1:5000/", NULL },
	{ { "http_proxy=one" }, "http://localhost/", NULL },
	{ { "https_proxy=one" }, "https://[::1]/", NULL },
};

START_TEST(the_environment_names_the_proxy)
{
	own_clear(image_url_clear) struct image_url url = { 0 };
	struct err e;

	clearenv();
	for (size_t i = 0; i < 3 && chosen[_i].environment[i]; i++)
		putenv((char *)chosen[_i].environment[i]);
	ck_assert_int_eq(image_url_parse(&url, chosen[_i].url, NULL, &e), 0);
	struct image_proxy proxy = image_proxy_for(&url);
	if (!chosen[_i].proxy) {
		ck_assert_ptr_null(proxy.address);
		return;
	}
	ck_assert_str_eq(proxy.address, chosen[_i].proxy);
	ck_assert_ptr_nonnull(strstr(proxy.variable, "roxy") ?: strstr(proxy.variable, "ROXY"));
}
END_TEST

UNIT_MAIN("image/proxy", UNIT_LOOP(no_proxy_takes_in_what_it_says, COUNT_OF(exceptions)),
	  UNIT_LOOP(the_environment_names_the_proxy, COUNT_OF(chosen)))
