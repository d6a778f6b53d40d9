/* dhcp.c - what one container is told is known before it asks: the whole frame lies ready in a map,
 * once as for all and once as for who has the address already, and three things of the question go
 * into it. The message type is the first option, where all known clients have it; a question of
 * another make goes on to the bridge. The lease has no end: the address is the container's as long
 * as it lives. */
#include "network/dhcp.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "network/driver.h"
#include "network/program.h"
#include "network/resolver.h"

enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5 }; /* RFC 2132, 9.6 */
enum { PORT_SERVER = 67, PORT_CLIENT = 68, COOKIE = 0x63825363 };

enum { /* in the frame */
       AT_IP = 14,
       AT_UDP = AT_IP + 20,
       AT_BOOTP = AT_UDP + 8,
       AT_XID = AT_BOOTP + 4,
       AT_FLAGS = AT_BOOTP + 10,
       AT_YIADDR = AT_BOOTP + 16,
       AT_SIADDR = AT_BOOTP + 20,
       AT_CHADDR = AT_BOOTP + 28,
       AT_COOKIE = AT_BOOTP + 236,
       AT_OPTIONS = AT_COOKIE + 4,
       AT_TYPE = AT_OPTIONS + 2,
};

/* ---- the frame ---- */

static void put16(unsigned char *to, unsigned value)
{
	to[0] = (unsigned char)(value >> 8);
	to[1] = (unsigned char)value;
}

/* RFC 1071, of a header that is 0 where the sum is to be. */
static unsigned checksum(const unsigned char *header, size_t length)
{
	unsigned sum = 0;

	for (size_t i = 0; i < length; i += 2)
		sum += (unsigned)header[i] << 8 | header[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void add_headers(unsigned char *frame, const struct network_dhcp *answer, bool renewal)
{
	unsigned char *ip = frame + AT_IP, *udp = frame + AT_UDP;

	memcpy(frame, answer->mac, NETWORK_MAC);
	frame[NETWORK_MAC] = 0x02; /* nobody's in particular; it is never asked for */
	memcpy(frame + NETWORK_MAC + 2, answer->router.bytes, 4);
	put16(frame + 12, ETH_P_IP);
	ip[0] = 0x45;
	put16(ip + 2, NETWORK_DHCP_FRAME - AT_IP);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, answer->router.bytes, 4);
	memset(ip + 16, 0xff, 4);
	if (renewal)
		memcpy(ip + 16, answer->address.bytes, 4);
	put16(ip + 10, checksum(ip, 20));
	put16(udp, PORT_SERVER);
	put16(udp + 2, PORT_CLIENT);
	put16(udp + 4, NETWORK_DHCP_FRAME - AT_UDP); /* and 0, no sum: RFC 768 */
}

static unsigned char *add_option(unsigned char *at, unsigned char option, const void *value,
				 unsigned char length)
{
	at[0] = option;
	at[1] = length;
	memcpy(at + 2, value, length);
	return at + 2 + length;
}

/* RFC 2132. */
static void add_options(unsigned char *frame, const struct network_dhcp *answer)
{
	static const unsigned char forever[4] = { 0xff, 0xff, 0xff, 0xff }, unset = 0;
	uint8_t prefix = answer->address.prefix;
	const uint32_t mask = htonl(prefix ? ~UINT32_C(0) << (32 - prefix) : 0);
	const uint16_t mtu = htons((uint16_t)answer->mtu);
	const in_addr_t resolver = inet_addr(NETWORK_RESOLVER);

	unsigned char *at = add_option(frame + AT_OPTIONS, 53, &unset, 1);
	at = add_option(at, 54, answer->router.bytes, 4);
	at = add_option(at, 51, forever, sizeof(forever));
	at = add_option(at, 1, &mask, sizeof(mask));
	if (answer->default_route)
		at = add_option(at, 3, answer->router.bytes, 4);
	at = add_option(at, 6, &resolver, sizeof(resolver));
	if (answer->mtu && answer->mtu <= UINT16_MAX)
		at = add_option(at, 26, &mtu, sizeof(mtu));
	*at = 255;
}

void network_dhcp_frame(unsigned char to[NETWORK_DHCP_FRAME], const struct network_dhcp *answer,
			bool renewal)
{
	const uint32_t cookie = htonl(COOKIE);

	memset(to, 0, NETWORK_DHCP_FRAME);
	add_headers(to, answer, renewal);
	to[AT_BOOTP] = 2; /* an answer, by Ethernet */
	to[AT_BOOTP + 1] = 1;
	to[AT_BOOTP + 2] = NETWORK_MAC;
	memcpy(to + AT_YIADDR, answer->address.bytes, 4);
	memcpy(to + AT_SIADDR, answer->router.bytes, 4);
	memcpy(to + AT_CHADDR, answer->mac, NETWORK_MAC);
	memcpy(to + AT_COOKIE, &cookie, sizeof(cookie));
	add_options(to, answer);
}

bool network_dhcp_plan(struct network_dhcp *ret, const struct network_member *member,
		       const struct network_address *routers, uint32_t mtu)
{
	for (size_t i = 0; member->boots && i < member->count; i++) {
		if (member->addresses[i].family != AF_INET || routers[i].family != AF_INET)
			continue;
		*ret = (struct network_dhcp){
			.address = member->addresses[i],
			.router = routers[i],
			.default_route = member->default_route,
			.mtu = mtu,
		};
		memcpy(ret->mac, member->mac, sizeof(ret->mac));
		return true;
	}
	return false;
}

/* ---- the program ---- */

/* Below the frame pointer. */
enum { HEADERS = -32, BOOTP = -48, OPTION = -56 };

#define OP                 NETWORK_OP
#define SET(d, i)          OP(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define COPY(d, s)         OP(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD(d, i)          OP(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define CALL(function)     OP(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##function)
#define STACK(size, d, at) OP(BPF_LDX | (size) | BPF_MEM, d, BPF_REG_10, at, 0)
#define END(verdict)       SET(0, verdict), OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* Jumps over the two of END. */
#define UNLESS_EQUAL(d, i, verdict) OP(BPF_JMP | BPF_JEQ | BPF_K, d, 0, 2, i), END(verdict)
/* Bytes of the packet to the stack, and back. */
#define LOAD(to, from, length)                                                                     \
	COPY(1, 6), SET(2, from), COPY(3, BPF_REG_10), ADD(3, to), SET(4, length),                 \
		CALL(skb_load_bytes), UNLESS_EQUAL(0, 0, TC_ACT_UNSPEC)
#define STORE(to, from, length)                                                                    \
	COPY(1, 6), SET(2, to), COPY(3, BPF_REG_10), ADD(3, from), SET(4, length), SET(5, 0),      \
		CALL(skb_store_bytes), UNLESS_EQUAL(0, 0, TC_ACT_SHOT)

static int load(int map, int index, struct err *e)
{
	const struct bpf_insn program[] = {
		COPY(6, 1),
		OP(BPF_LDX | BPF_W | BPF_MEM, 2, 6, offsetof(struct __sk_buff, protocol), 0),
		UNLESS_EQUAL(2, htons(ETH_P_IP), TC_ACT_UNSPEC),
		/* UDP to the server's port, whole, with a header of the usual length */
		LOAD(HEADERS, AT_IP, 28),
		STACK(BPF_B, 2, HEADERS),
		UNLESS_EQUAL(2, 0x45, TC_ACT_UNSPEC),
		STACK(BPF_B, 2, HEADERS + 9),
		UNLESS_EQUAL(2, IPPROTO_UDP, TC_ACT_UNSPEC),
		STACK(BPF_H, 2, HEADERS + 6),
		OP(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, htons(0x3fff)),
		UNLESS_EQUAL(2, 0, TC_ACT_UNSPEC),
		STACK(BPF_H, 2, HEADERS + 22),
		UNLESS_EQUAL(2, htons(PORT_SERVER), TC_ACT_UNSPEC),
		/* a question, whose first option says of what kind */
		LOAD(BOOTP, AT_BOOTP, 16),
		LOAD(OPTION, AT_COOKIE, 7),
		STACK(BPF_B, 2, BOOTP),
		UNLESS_EQUAL(2, 1, TC_ACT_UNSPEC),
		STACK(BPF_W, 2, OPTION),
		UNLESS_EQUAL(2, (int32_t)htonl(COOKIE), TC_ACT_UNSPEC),
		STACK(BPF_H, 2, OPTION + 4),
		UNLESS_EQUAL(2, htons(0x3501), TC_ACT_UNSPEC),
		/* its answer: to RELEASE and others there is none */
		STACK(BPF_B, 2, OPTION + 6),
		SET(7, OFFER),
		OP(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 4, DISCOVER),
		SET(7, ACK),
		UNLESS_EQUAL(2, REQUEST, TC_ACT_SHOT),
		OP(BPF_STX | BPF_B | BPF_MEM, BPF_REG_10, 7, OPTION + 6, 0),
		/* 8: the frame, for who has an address already the second */
		OP(BPF_LD | BPF_DW | BPF_IMM, 8, BPF_PSEUDO_MAP_VALUE, 0, map),
		OP(0, 0, 0, 0, 0),
		STACK(BPF_W, 2, BOOTP + 12),
		OP(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1, 0),
		ADD(8, NETWORK_DHCP_FRAME),
		COPY(1, 6),
		SET(2, NETWORK_DHCP_FRAME),
		SET(3, 0),
		CALL(skb_change_tail),
		UNLESS_EQUAL(0, 0, TC_ACT_SHOT),
		COPY(1, 6),
		SET(2, 0),
		COPY(3, 8),
		SET(4, NETWORK_DHCP_FRAME),
		SET(5, 0),
		CALL(skb_store_bytes),
		UNLESS_EQUAL(0, 0, TC_ACT_SHOT),
		STORE(AT_TYPE, OPTION + 6, 1),
		STORE(AT_XID, BOOTP + 4, 4),
		STORE(AT_FLAGS, BOOTP + 10, 2),
		SET(1, index),
		SET(2, 0),
		CALL(redirect),
		OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	return network_program_load(program, COUNT_OF(program), e);
}

int network_dhcp_load(const struct network_dhcp *answer, int index, struct err *e)
{
	unsigned char frames[2][NETWORK_DHCP_FRAME];

	network_dhcp_frame(frames[0], answer, false);
	network_dhcp_frame(frames[1], answer, true);
	own_fd int map = network_program_map(frames, sizeof(frames), e);
	return map < 0 ? map : load(map, index, e);
}
