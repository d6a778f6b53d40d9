#include "network/address.h"

#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/unit.h"

static struct network_address address(const char *text)
{
	struct network_address ret;
	struct err e;

	ck_assert_msg(network_address_parse(&ret, text, &e) == 0, "%s", e.text);
	return ret;
}

static void ck_text(struct network_address found, const char *text)
{
	char shown[NETWORK_ADDRESS_TEXT];

	network_address_format(shown, &found, strchr(text, '/'));
	ck_assert_str_eq(shown, text);
}

START_TEST(an_address_is_printed_as_it_was_read)
{
	static const char *const texts[] = { "10.99.0.2/24", "0.0.0.0/0", "255.255.255.255",
					     "fd00::1/64",   "::",        "1:2:3:4:5:6:7:8/128" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		ck_text(address(texts[i]), texts[i]);
	ck_assert_uint_eq(address("10.0.0.1").prefix, 32);
	ck_assert_uint_eq(address("fd00::1").prefix, 128);
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
	static const char *const texts[] = { "",           "10.0.0",      "10.0.0.0/33",
					     "10.0.0.0/",  "10.0.0.0/-1", "10.0.0.256",
					     "fd00::/129", "web",         "10.0.0.0/8x",
					     "1.2.3.4 ",   "fe80::1%eth0" };
	struct network_address unused;
	struct err e;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		ck_assert_msg(network_address_parse(&unused, texts[i], &e) < 0, "%s", texts[i]);
}
END_TEST

START_TEST(a_subnet_has_no_bit_behind_its_prefix)
{
	struct network_address subnet;
	struct err e;

	ck_assert_int_eq(network_address_parse_subnet(&subnet, "10.99.0.0/23", &e), 0);
	ck_assert_int_lt(network_address_parse_subnet(&subnet, "10.99.1.0/23", &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "10.99.0.0/23"));
	ck_assert_int_lt(network_address_parse_subnet(&subnet, "10.99.0.0", &e), 0);
}
END_TEST

START_TEST(subnets_hold_addresses_and_overlap)
{
	struct network_address wide = address("10.0.0.0/8"), narrow = address("10.99.0.0/24");
	struct network_address inside = address("10.99.0.7"), outside = address("11.0.0.1");
	struct network_address six = address("fd00::/8");

	ck_assert(network_address_holds(&wide, &narrow));
	ck_assert(!network_address_holds(&narrow, &wide));
	ck_assert(network_address_holds(&narrow, &inside));
	ck_assert(!network_address_holds(&wide, &outside));
	ck_assert(!network_address_holds(&six, &inside));
	ck_assert(network_address_overlaps(&narrow, &wide));
	ck_assert(!network_address_overlaps(&narrow, &outside));
}
END_TEST

START_TEST(the_addresses_of_a_subnet_are_counted)
{
	struct network_address subnet = address("10.99.0.0/23"), six = address("fd00::/64");
	struct network_address pair = address("10.0.0.0/31"), one = address("10.0.0.0/32");

	ck_assert_uint_eq(network_address_hosts(&subnet), 510);
	ck_assert_uint_eq(network_address_hosts(&six), (UINT64_C(1) << 32) - 1);
	ck_assert_uint_eq(network_address_hosts(&pair), 0);
	ck_assert_uint_eq(network_address_hosts(&one), 0);
	ck_text(network_address_nth(&subnet, 1), "10.99.0.1/23");
	ck_text(network_address_nth(&subnet, 510), "10.99.1.254/23");
	ck_text(network_address_nth(&six, 65536), "fd00::1:0/64");
}
END_TEST

UNIT_MAIN("network/address", UNIT(an_address_is_printed_as_it_was_read),
	  UNIT(what_is_no_address_is_refused), UNIT(a_subnet_has_no_bit_behind_its_prefix),
	  UNIT(subnets_hold_addresses_and_overlap), UNIT(the_addresses_of_a_subnet_are_counted))
