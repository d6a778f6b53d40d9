/* The programs run where the kernel runs such: as the filter of a socket, whose verdict is how many
 * bytes of a packet go through. */
#include "network/guard.h"

#include <linux/pkt_cls.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/unit.h"

#define MAC   "\x02\x42\x0a\x63\x00\x02"
#define OTHER "\x02\x42\x0a\x63\x00\x03"
#define IP    "\x0a\x63\x00\x02"
#define ALIEN "\x0a\x63\x00\x03"
#define SUB   "\x0a\x05\x07\x09"
#define IP6   "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"
#define OWN6  "\xfe\x80\0\0\0\0\0\0\0\x42\x0a\xff\xfe\x63\0\x02"
#define BAD6  "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x03"
#define NO6   "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

enum { FRAME_MAX = 128 };

/* A pair whose second end has the guard of 10.99.0.2, fd00::2 and, for others, 10.5.0.0/16. */
static void make_guarded(int pair[2])
{
	struct network_address addresses[3];
	struct sock_filter program[NETWORK_GUARD_LENGTH_MAX];
	struct network_guard guard = { .addresses = addresses, .count = 3 };
	struct err e;

	memcpy(guard.mac, MAC, sizeof(guard.mac));
	ck_assert_int_eq(network_address_parse(&addresses[0], "10.99.0.2", &e), 0);
	ck_assert_int_eq(network_address_parse(&addresses[1], "fd00::2", &e), 0);
	ck_assert_int_eq(network_address_parse(&addresses[2], "10.5.0.0/16", &e), 0);
	int length = network_guard_program(program, &guard, &e);
	ck_assert_int_gt(length, 0);
	const struct sock_fprog filter = { (unsigned short)length, program };
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	ck_assert_int_eq(setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)),
			 0);
}

/* Does all of it go through? What is shot is cut to as many bytes as TC_ACT_SHOT is. */
static bool passes(const void *frame, size_t length)
{
	static int pair[2];
	char got[FRAME_MAX];

	if (!pair[0])
		make_guarded(pair);
	ck_assert_int_eq(send(pair[0], frame, length, 0), (ssize_t)length);
	ssize_t n = recv(pair[1], got, sizeof(got), MSG_DONTWAIT);
	ck_assert(n == (ssize_t)length || n == TC_ACT_SHOT);
	return n == (ssize_t)length;
}

static bool arp(const char *source, const char *mac, const char *ip)
{
	char frame[60] = "\xff\xff\xff\xff\xff\xff";

	memcpy(frame + 6, source, 6);
	memcpy(frame + 12, "\x08\x06\0\x01\x08\0\x06\x04\0\x01", 10);
	memcpy(frame + 22, mac, 6);
	memcpy(frame + 28, ip, 4);
	return passes(frame, 42);
}

static bool ip4(const char *source, int protocol, int port)
{
	char frame[100] = "\xff\xff\xff\xff\xff\xff" MAC "\x08\0\x45";

	frame[23] = (char)protocol;
	memcpy(frame + 26, source, 4);
	frame[14 + 20 + 3] = (char)port;
	return passes(frame, sizeof(frame));
}

static bool ip6(const char *source, int hops, int next, int type, const char *target)
{
	char frame[100] = "\x33\x33\0\0\0\x01" MAC "\x86\xdd\x60";

	frame[20] = (char)next;
	frame[21] = (char)hops;
	memcpy(frame + 22, source, 16);
	frame[54] = (char)type;
	memcpy(frame + 62, target, 16);
	return passes(frame, sizeof(frame));
}

START_TEST(its_own_addresses_pass)
{
	ck_assert(arp(MAC, MAC, IP));
	ck_assert(ip4(IP, 6, 80));
	ck_assert(ip6(IP6, 64, 6, 0, NO6));
	ck_assert(ip6(OWN6, 64, 6, 0, NO6));
	ck_assert(ip6(IP6, 255, 58, 136, IP6));
	ck_assert(ip6(OWN6, 255, 58, 135, BAD6));
}
END_TEST

START_TEST(addresses_of_others_are_shot)
{
	ck_assert(!arp(OTHER, MAC, IP));
	ck_assert(!arp(MAC, OTHER, IP));
	ck_assert(!arp(MAC, MAC, ALIEN));
	ck_assert(!ip4(ALIEN, 6, 80));
	ck_assert(!ip6(BAD6, 64, 6, 0, NO6));
}
END_TEST

START_TEST(what_is_permitted_besides_passes)
{
	ck_assert(arp(MAC, MAC, SUB));
	ck_assert(ip4(SUB, 6, 80));
	ck_assert(!ip4("\x0a\x06\0\x01", 6, 80));
}
END_TEST

START_TEST(without_an_address_one_may_ask_for_one)
{
	ck_assert(arp(MAC, MAC, "\0\0\0\0"));
	ck_assert(ip4("\0\0\0\0", 17, 67));
	ck_assert(!ip4("\0\0\0\0", 17, 53));
	ck_assert(!ip4("\0\0\0\0", 6, 67));
	ck_assert(ip6(NO6, 255, 58, 135, IP6));
	ck_assert(ip6(NO6, 255, 58, 133, NO6));
	ck_assert(ip6(NO6, 1, 0, 0, NO6));
	ck_assert(!ip6(NO6, 255, 58, 135, BAD6));
	ck_assert(!ip6(NO6, 64, 17, 0, NO6));
}
END_TEST

START_TEST(neighbour_discovery_claims_nothing_foreign)
{
	ck_assert(!ip6(IP6, 255, 58, 136, BAD6));
	ck_assert(!ip6(OWN6, 255, 58, 134, NO6)); /* a router's advertisement */
	ck_assert(!ip6(OWN6, 255, 58, 137, NO6)); /* a redirect */
	ck_assert(!ip6(IP6, 255, 60, 136, IP6));  /* behind an extension header */
	ck_assert(!ip6(IP6, 255, 44, 136, IP6));
	ck_assert(ip6(IP6, 64, 44, 0, NO6)); /* a fragment of anything else */
}
END_TEST

START_TEST(other_protocols_and_stumps_are_shot)
{
	char frame[60] = "\xff\xff\xff\xff\xff\xff" MAC "\x81\0";

	ck_assert(!passes(frame, sizeof(frame)));
	memcpy(frame + 12, "\x08\0\x45", 3);
	memcpy(frame + 26, IP, 4);
	ck_assert(!passes(frame, 33));
	ck_assert(passes(frame, 34));
	memcpy(frame + 12, "\x86\xdd", 2);
	ck_assert(!passes(frame, 40));
	memcpy(frame + 12, "\x08\x06", 2);
	ck_assert(!passes(frame, 41));
	ck_assert(!passes(frame, 13));
}
END_TEST

START_TEST(too_many_addresses_are_refused)
{
	struct network_address addresses[NETWORK_GUARD_ADDRESSES_MAX + 1] = { 0 };
	struct sock_filter program[NETWORK_GUARD_LENGTH_MAX];
	struct network_guard guard = { .addresses = addresses };
	struct err e;

	for (size_t i = 0; i < COUNT_OF(addresses); i++)
		ck_assert_int_eq(network_address_parse(&addresses[i], "fd00::/63", &e), 0);
	guard.count = NETWORK_GUARD_ADDRESSES_MAX;
	ck_assert_int_gt(network_guard_program(program, &guard, &e), 0);
	guard.count++;
	ck_assert_int_lt(network_guard_program(program, &guard, &e), 0);
	ck_assert_int_eq(e.kind, ERR_INVALID);
}
END_TEST

UNIT_MAIN("network/guard", UNIT(its_own_addresses_pass), UNIT(addresses_of_others_are_shot),
	  UNIT(what_is_permitted_besides_passes), UNIT(without_an_address_one_may_ask_for_one),
	  UNIT(neighbour_discovery_claims_nothing_foreign),
	  UNIT(other_protocols_and_stumps_are_shot), UNIT(too_many_addresses_are_refused))
