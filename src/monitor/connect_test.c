#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/unit.h"
#include "monitor/connect.h"

static const struct {
	const char *text;
	bool good, http;
	const char *host;
	unsigned port;
	const char *path;
} rows[] = {
	{ "tcp://127.0.0.1:5432", true, false, "127.0.0.1", 5432, "" },
	{ "http://127.0.0.1:80/a?b=c", true, true, "127.0.0.1", 80, "/a?b=c" },
	{ "http://[::1]:8080", true, true, "::1", 8080, "/" },
	{ "tcp://[fe80::1]:1", true, false, "fe80::1", 1, "" },
	{ "http://127.0.0.1/", false },
	{ "http://localhost:80/", false },
	{ "http://127.0.0.1:0/", false },
	{ "http://127.0.0.1:65536/", false },
	{ "http://127.0.0.1:-1/", false },
	{ "http://::1:80/", false },
	{ "http://[127.0.0.1]:80/", false },
	{ "http://[]:80/", false },
	{ "https://127.0.0.1:80/", false },
	{ "tcp://:1", false },
	{ "", false },
	{ "tcp://", false },
};

START_TEST(addresses_are_read)
{
	struct monitor_connect_address a;
	struct err e;
	int r = monitor_connect_parse(&a, rows[_i].text, &e);

	ck_assert_msg((r == 0) == rows[_i].good, "%s", rows[_i].text);
	if (r < 0) {
		ck_assert_int_eq(e.kind, ERR_INVALID);
		return;
	}
	ck_assert(a.http == rows[_i].http);
	ck_assert_str_eq(a.host, rows[_i].host);
	ck_assert_uint_eq(a.port, rows[_i].port);
	ck_assert_str_eq(a.path, rows[_i].path);
}
END_TEST

UNIT_MAIN("monitor/connect", UNIT_LOOP(addresses_are_read, COUNT_OF(rows)))
