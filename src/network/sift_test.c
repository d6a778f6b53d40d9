/* The programs run where the kernel runs such: as the filter of a socket. */
#include "network/sift.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/unit.h"

#define MACS "\x02\x42\x0a\x63\0\x02\x02\x42\x0a\x63\0\x01"
/* 10.99.0.1, port 1025, to 10.99.0.2, port 80 */
#define IP4(protocol, fragment)                                                                    \
	MACS "\x08\0\x45\0\0\x28\0\0" fragment "\x40" protocol "\0\0\x0a\x63\0\x01\x0a\x63\0\x02"
#define PORTS "\x04\x01\0\x50"
#define TAIL  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define IP6                                                                                        \
	MACS "\x86\xdd\x60\0\0\0\0\x14\x11\x40\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"                \
	     "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"
#define ARP                                                                                        \
	MACS "\x08\x06\0\x01\x08\0\x06\x04\0\x01\x02\x42\x0a\x63\0\x01\x0a\x63\0\x01\0\0\0\0\0\0"  \
	     "\x0a\x63\0\x02"

#define TCP4   IP4("\x06", "\0\0") PORTS TAIL
#define UDP4   IP4("\x11", "\0\0") PORTS TAIL
#define LATER4 IP4("\x11", "\x20\x05") PORTS TAIL
#define UDP6   IP6 PORTS TAIL

static bool wanted(const char *host, uint16_t port, const char *protocol, const void *frame,
		   size_t length)
{
	struct sock_filter program[NETWORK_SIFT_LENGTH_MAX];
	struct network_sift sift = { .port = port, .protocol = protocol };
	char buffer[128];
	struct err e;
	int pair[2];

	if (host)
		ck_assert_int_eq(network_address_parse(&sift.host, host, &e), 0);
	unsigned count = network_sift_program(program, &sift);
	ck_assert_uint_gt(count, 0);
	ck_assert_uint_le(count, NETWORK_SIFT_LENGTH_MAX);
	const struct sock_fprog filter = { (unsigned short)count, program };
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	ck_assert_int_eq(setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)),
			 0);
	/* what the filter refuses fails at the sender */
	ssize_t sent = send(pair[0], frame, length, MSG_DONTWAIT);
	ssize_t n = sent < 0 ? -1 : recv(pair[1], buffer, sizeof(buffer), MSG_DONTWAIT);
	close(pair[0]);
	close(pair[1]);
	return n == (ssize_t)length;
}
#define WANTED(host, port, protocol, frame) wanted(host, port, protocol, frame, sizeof(frame) - 1)

START_TEST(hosts_are_told_apart_in_both_directions)
{
	ck_assert(WANTED("10.99.0.1", 0, NULL, TCP4));
	ck_assert(WANTED("10.99.0.2", 0, NULL, TCP4));
	ck_assert(!WANTED("10.99.0.3", 0, NULL, TCP4));
	ck_assert(WANTED("10.99.0.2", 0, NULL, ARP));
	ck_assert(!WANTED("10.99.0.3", 0, NULL, ARP));
	ck_assert(WANTED("fd00::1", 0, NULL, UDP6));
	ck_assert(WANTED("fd00::2", 0, NULL, UDP6));
	ck_assert(!WANTED("fd00::3", 0, NULL, UDP6));
	ck_assert(!WANTED("10.99.0.2", 0, NULL, UDP6));
}
END_TEST

START_TEST(ports_are_of_either_end_and_of_no_later_fragment)
{
	ck_assert(WANTED(NULL, 80, NULL, TCP4));
	ck_assert(WANTED(NULL, 1025, NULL, UDP4));
	ck_assert(!WANTED(NULL, 81, NULL, TCP4));
	ck_assert(!WANTED(NULL, 80, NULL, LATER4));
	ck_assert(WANTED(NULL, 80, NULL, UDP6));
	ck_assert(!WANTED(NULL, 80, NULL, ARP));
	ck_assert(!WANTED(NULL, 80, "tcp", UDP4));
	ck_assert(WANTED("10.99.0.2", 80, "udp", UDP4));
}
END_TEST

START_TEST(protocols_have_the_names_that_tcpdump_gives_them)
{
	ck_assert(WANTED(NULL, 0, "tcp", TCP4));
	ck_assert(!WANTED(NULL, 0, "tcp", UDP4));
	ck_assert(WANTED(NULL, 0, "udp", UDP6));
	ck_assert(WANTED(NULL, 0, "ip6", UDP6));
	ck_assert(!WANTED(NULL, 0, "ip", UDP6));
	ck_assert(WANTED(NULL, 0, "arp", ARP));
	ck_assert(!WANTED(NULL, 0, "icmp", TCP4));
}
END_TEST

UNIT_MAIN("network/sift", UNIT(hosts_are_told_apart_in_both_directions),
	  UNIT(ports_are_of_either_end_and_of_no_later_fragment),
	  UNIT(protocols_have_the_names_that_tcpdump_gives_them))
