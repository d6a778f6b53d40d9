#include "network/dhcp.h"

#include <string.h>

#include "base/err.h"
#include "base/unit.h"

static void make(unsigned char frame[NETWORK_DHCP_FRAME], const char *address, bool renewal)
{
	struct network_dhcp answer = { .mac = "\x02\x42\x0a\x63\x00\x02", .default_route = true };
	struct err e;

	ck_assert_int_eq(network_address_parse(&answer.address, address, &e), 0);
	ck_assert_int_eq(network_address_parse(&answer.router, "10.99.0.1", &e), 0);
	answer.mtu = 1400;
	network_dhcp_frame(frame, &answer, renewal);
}

static unsigned sum(const unsigned char *bytes, size_t length)
{
	unsigned total = 0;

	for (size_t i = 0; i < length; i += 2)
		total += (unsigned)bytes[i] << 8 | bytes[i + 1];
	return (total & 0xffff) + (total >> 16);
}

static bool has(const unsigned char frame[NETWORK_DHCP_FRAME], const char *option, size_t length)
{
	return memmem(frame + 282, NETWORK_DHCP_FRAME - 282, option, length) != NULL;
}

START_TEST(the_frame_is_an_answer_to_the_container_with_a_checksum)
{
	unsigned char frame[NETWORK_DHCP_FRAME];

	make(frame, "10.99.0.2/24", false);
	ck_assert_mem_eq(frame, "\x02\x42\x0a\x63\x00\x02", 6);
	ck_assert_mem_eq(frame + 26, "\x0a\x63\x00\x01\xff\xff\xff\xff", 8);
	ck_assert_uint_eq(sum(frame + 14, 20), 0xffff);
	ck_assert_mem_eq(frame + 58, "\x0a\x63\x00\x02", 4);
	ck_assert(has(frame, "\x35\x01\x00\x36\x04\x0a\x63\x00\x01\x33\x04\xff\xff\xff\xff", 15));
	ck_assert(has(frame, "\x01\x04\xff\xff\xff\x00\x03\x04\x0a\x63\x00\x01", 12));
	ck_assert(has(frame, "\x06\x04\x7f\x00\x00\x0b\x1a\x02\x05\x78\xff", 11));
}
END_TEST

START_TEST(a_renewal_goes_to_the_address_itself)
{
	unsigned char frame[NETWORK_DHCP_FRAME];

	make(frame, "10.99.0.2/32", true);
	ck_assert_mem_eq(frame + 30, "\x0a\x63\x00\x02", 4);
	ck_assert_uint_eq(sum(frame + 14, 20), 0xffff);
	ck_assert(has(frame, "\x01\x04\xff\xff\xff\xff", 6));
}
END_TEST

UNIT_MAIN("network/dhcp", UNIT(the_frame_is_an_answer_to_the_container_with_a_checksum),
	  UNIT(a_renewal_goes_to_the_address_itself))
