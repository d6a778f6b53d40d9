#include "wire/dbus_address.h"

#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/unit.h"

static const struct {
	const char *address;
	const char *name; /* of length bytes behind the family; NULL: refused */
	size_t length;
} samples[] = {
	{ "unix:path=/run/bus", "/run/bus", 9 },
	{ "unix:abstract=/tmp/x", "\0/tmp/x", 7 },
	{ "unix:guid=0123,path=/run/bus", "/run/bus", 9 },
	{ "unix:path=/run/bus,guid=0123", "/run/bus", 9 },
	{ "unix:path=/run/a%2cb%3Bc%25", "/run/a,b;c%", 12 },
	{ "unix:path=/run/a%20b", "/run/a b", 9 },
	{ "unix:path=", NULL, 0 },
	{ "unix:", NULL, 0 },
	{ "", NULL, 0 },
	{ "unix:path=/a%", NULL, 0 },
	{ "unix:path=/a%2", NULL, 0 },
	{ "unix:path=/a%zz", NULL, 0 },
	{ "unix:path=/a%00", NULL, 0 },
	{ "tcp:host=localhost,port=1", NULL, 0 },
	{ "unix:runtime=yes", NULL, 0 },
};

START_TEST(an_address_leads_to_a_socket)
{
	struct sockaddr_un name;
	socklen_t length = 0;
	struct err e;

	int r = wire_dbus_address_parse(&name, &length, samples[_i].address, &e);
	if (!samples[_i].name) {
		ck_assert_int_eq(e.kind, ERR_INVALID);
		ck_assert_int_lt(r, 0);
		return;
	}
	ck_assert_msg(r == 0, "%s", samples[_i].address);
	ck_assert_int_eq(name.sun_family, AF_UNIX);
	ck_assert_uint_eq(length, offsetof(struct sockaddr_un, sun_path) + samples[_i].length);
	ck_assert_int_eq(memcmp(name.sun_path, samples[_i].name, samples[_i].length), 0);
}
END_TEST

START_TEST(a_name_of_107_bytes_is_the_longest)
{
	char address[200] = "unix:path=";
	struct sockaddr_un name;
	socklen_t length;
	struct err e;

	memset(address + strlen("unix:path="), 'x', 107);
	ck_assert_int_eq(wire_dbus_address_parse(&name, &length, address, &e), 0);
	ck_assert_uint_eq(strlen(name.sun_path), 107);
	address[strlen("unix:path=") + 107] = 'x';
	ck_assert_int_lt(wire_dbus_address_parse(&name, &length, address, &e), 0);
}
END_TEST

UNIT_MAIN("wire/dbus_address", UNIT_LOOP(an_address_leads_to_a_socket, COUNT_OF(samples)),
	  UNIT(a_name_of_107_bytes_is_the_longest))
