/* guard.c - the program, from top to bottom:
 *
 * 1. the frame bears the container's MAC and no VLAN tag;
 * 2. ARP: sender's MAC and IP are the container's; or the sender has no IP yet (RFC 5227: a probe);
 * 3. IPv4: the source is the container's; or it has none yet and asks for one (DHCP);
 * 4. IPv6: what claims an address (neighbour advertisements, and the solicitations without a source
 *    by which one looks whether an address is free) claims one of the container's. Nobody is told
 *    of a router or a better way. Since neighbour discovery is believed only with a hop limit of
 *    255 (RFC 4861, section 7.1), no packet with that limit may hide what it is behind extension
 *    headers. Then the source, as above;
 * 5. all else is dropped.
 *
 * A load from beyond a packet's end would end the program as if with TC_ACT_OK: each part checks
 * the length first. The offsets are those of a frame with its 14 bytes of Ethernet. */
#include "network/guard.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

enum {
	AT_SOURCE_MAC = 6,
	AT_TYPE = 12,
	AT_ARP_KIND = 14, /* hardware, protocol, their lengths: 6 bytes */
	AT_ARP_MAC = 22,
	AT_ARP_IP = 28,
	ARP_BYTES = 42,
	AT_IP4_FRAGMENT = 20,
	AT_IP4_PROTOCOL = 23,
	AT_IP4_SOURCE = 26,
	IP4_BYTES = 34,
	DHCP_BYTES = 14 + 60 + 8, /* the longest header, and UDP's */
	AT_IP6_NEXT = 20,
	AT_IP6_HOPS = 21,
	AT_IP6_SOURCE = 22,
	IP6_BYTES = 54,
	AT_ICMP6_TYPE = 54,
	AT_ND_TARGET = 62,
	ND_BYTES = 78,
	PORT_DHCP_SERVER = 67,
	HOPS_OF_ND = 255,
};

struct program {
	struct sock_filter *to;
	unsigned length;
	bool full;
	const struct network_guard *guard;
	unsigned char link_address[16]; /* fe80:: of the MAC */
};

static void add(struct program *p, unsigned code, uint32_t k, unsigned yes, unsigned no)
{
	if (p->length == NETWORK_GUARD_LENGTH_MAX) {
		p->full = true;
		return;
	}
	p->to[p->length++] = (struct sock_filter){ (uint16_t)code, (uint8_t)yes, (uint8_t)no, k };
}

static void load(struct program *p, unsigned size, uint32_t at)
{
	add(p, BPF_LD | BPF_ABS | size, at, 0, 0);
}

/* What follows is done only if the value is equal; it is so many instructions long. */
static void only_if(struct program *p, uint32_t value, unsigned length)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, length);
}

static void drop(struct program *p)
{
	add(p, BPF_RET | BPF_K, (uint32_t)TC_ACT_SHOT, 0, 0);
}

static void pass(struct program *p)
{
	add(p, BPF_RET | BPF_K, (uint32_t)TC_ACT_UNSPEC, 0, 0);
}

static void demand(struct program *p, uint32_t value)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
	drop(p);
}

static void demand_length(struct program *p, uint32_t bytes)
{
	add(p, BPF_LD | BPF_W | BPF_LEN, 0, 0, 0);
	add(p, BPF_JMP | BPF_JGE | BPF_K, bytes, 1, 0);
	drop(p);
}

static uint32_t word_at(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static void demand_mac(struct program *p, uint32_t at)
{
	const unsigned char *mac = p->guard->mac;

	load(p, BPF_W, at);
	demand(p, word_at(mac));
	load(p, BPF_H, at + 4);
	demand(p, (uint32_t)(mac[4] << 8 | mac[5]));
}

/* ---- a part that some packets skip ---- */

/* Begins one that is for packets alone whose accumulator has this value. */
static unsigned begin_part(struct program *p, uint32_t value)
{
	only_if(p, value, 1);
	add(p, BPF_JMP | BPF_JA, 1, 0, 0); /* over the next */
	add(p, BPF_JMP | BPF_JA, 0, 0, 0); /* over the part */
	return p->length - 1;
}

static void end_part(struct program *p, unsigned start)
{
	if (!p->full)
		p->to[start].k = p->length - start - 1;
}

/* ---- addresses ---- */

static uint32_t mask_of(unsigned prefix, unsigned word)
{
	unsigned bits = prefix > word * 32 ? prefix - word * 32 : 0;

	return bits >= 32 ? UINT32_MAX : bits == 0 ? 0 : ~(UINT32_MAX >> bits);
}

/* How many instructions match() takes for the words from this one on. */
static unsigned match_length(unsigned prefix, unsigned word)
{
	unsigned length = 0;

	for (; prefix > word * 32; word++)
		length += mask_of(prefix, word) == UINT32_MAX ? 2 : 3;
	return length;
}

/* What follows, one instruction, is done only if the packet has an address of the subnet there. */
static void match(struct program *p, uint32_t at, const unsigned char *bytes, unsigned prefix)
{
	for (unsigned word = 0; prefix > word * 32; word++) {
		uint32_t mask = mask_of(prefix, word);
		load(p, BPF_W, at + word * 4);
		if (mask != UINT32_MAX)
			add(p, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
		only_if(p, word_at(bytes + (size_t)word * 4) & mask,
			match_length(prefix, word + 1) + 1);
	}
}

/* Drops, or passes if so is said, what has none of the family's addresses there; goes on with the
 * others. */
enum verdict { OTHERS_DROP, OURS_PASS };

static void check_address(struct program *p, uint32_t at, int family, enum verdict verdict)
{
	unsigned jumps[NETWORK_GUARD_ADDRESSES_MAX + 1], count = 0;

	for (size_t i = 0; i <= p->guard->count; i++) {
		const struct network_address *address = &p->guard->addresses[i];
		if (i == p->guard->count && family == AF_INET6)
			match(p, at, p->link_address, 128);
		else if (i < p->guard->count && address->family == family)
			match(p, at, address->bytes, address->prefix);
		else
			continue;
		if (verdict == OURS_PASS) {
			pass(p);
		} else {
			jumps[count++] = p->length;
			add(p, BPF_JMP | BPF_JA, 0, 0, 0);
		}
	}
	if (verdict == OTHERS_DROP)
		drop(p);
	while (count > 0)
		end_part(p, jumps[--count]);
}

/* ---- protocols ---- */

static void add_arp(struct program *p)
{
	demand_length(p, ARP_BYTES);
	load(p, BPF_W, AT_ARP_KIND);
	demand(p, ARPHRD_ETHER << 16 | ETH_P_IP);
	load(p, BPF_H, AT_ARP_KIND + 4);
	demand(p, 0x0604);
	demand_mac(p, AT_ARP_MAC);
	load(p, BPF_W, AT_ARP_IP);
	only_if(p, 0, 1);
	pass(p);
	check_address(p, AT_ARP_IP, AF_INET, OTHERS_DROP);
	pass(p);
}

static void add_ip4(struct program *p)
{
	demand_length(p, IP4_BYTES);
	check_address(p, AT_IP4_SOURCE, AF_INET, OURS_PASS);
	load(p, BPF_W, AT_IP4_SOURCE);
	demand(p, 0);
	demand_length(p, DHCP_BYTES);
	load(p, BPF_B, AT_IP4_PROTOCOL);
	demand(p, IPPROTO_UDP);
	load(p, BPF_H, AT_IP4_FRAGMENT);
	add(p, BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 0, 1);
	drop(p);
	add(p, BPF_LDX | BPF_B | BPF_MSH, 14, 0, 0);
	add(p, BPF_LD | BPF_H | BPF_IND, 14 + 2, 0, 0);
	demand(p, PORT_DHCP_SERVER);
	pass(p);
}

/* With the hop limit in the accumulator. */
static void add_discovery(struct program *p)
{
	static const uint8_t extensions[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT,
					      IPPROTO_AH, IPPROTO_DSTOPTS };
	static const uint8_t of_routers[] = { ND_ROUTER_ADVERT, ND_REDIRECT };

	unsigned part = begin_part(p, HOPS_OF_ND);
	load(p, BPF_B, AT_IP6_NEXT);
	for (size_t i = 0; i < sizeof(extensions); i++) {
		only_if(p, extensions[i], 1);
		drop(p);
	}
	unsigned icmp = begin_part(p, IPPROTO_ICMPV6);
	demand_length(p, AT_ICMP6_TYPE + 8);
	load(p, BPF_B, AT_ICMP6_TYPE);
	for (size_t i = 0; i < sizeof(of_routers); i++) {
		only_if(p, of_routers[i], 1);
		drop(p);
	}
	unsigned advert = begin_part(p, ND_NEIGHBOR_ADVERT);
	demand_length(p, ND_BYTES);
	check_address(p, AT_ND_TARGET, AF_INET6, OTHERS_DROP);
	end_part(p, advert);
	end_part(p, icmp);
	end_part(p, part);
}

/* From nowhere come reports of listeners (behind a hop-by-hop header: RFC 3810, section 5),
 * requests for routers, and the question whether an address is free. */
static void add_ip6_from_nowhere(struct program *p)
{
	static const unsigned char nowhere[16] = { 0 };

	match(p, AT_IP6_SOURCE, nowhere, 128);
	add(p, BPF_JMP | BPF_JA, 1, 0, 0);
	drop(p);
	load(p, BPF_B, AT_IP6_NEXT);
	only_if(p, IPPROTO_HOPOPTS, 1);
	pass(p);
	demand(p, IPPROTO_ICMPV6);
	demand_length(p, AT_ICMP6_TYPE + 8);
	load(p, BPF_B, AT_ICMP6_TYPE);
	only_if(p, ND_ROUTER_SOLICIT, 1);
	pass(p);
	demand(p, ND_NEIGHBOR_SOLICIT);
	demand_length(p, ND_BYTES);
	check_address(p, AT_ND_TARGET, AF_INET6, OTHERS_DROP);
	pass(p);
}

static void add_ip6(struct program *p)
{
	demand_length(p, IP6_BYTES);
	load(p, BPF_B, AT_IP6_HOPS);
	add_discovery(p);
	check_address(p, AT_IP6_SOURCE, AF_INET6, OURS_PASS);
	add_ip6_from_nowhere(p);
}

static void add_type(struct program *p, uint16_t type, void (*part)(struct program *p))
{
	load(p, BPF_H, AT_TYPE);
	unsigned start = begin_part(p, type);
	part(p);
	end_part(p, start);
}

static void set_link_address(struct program *p)
{
	const unsigned char *mac = p->guard->mac;
	const unsigned char bytes[16] = {
		0xfe,   0x80,   0,      0,    0,    0,      0,      0,
		mac[0], mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]
	};

	memcpy(p->link_address, bytes, sizeof(bytes));
	p->link_address[8] ^= 2;
}

int network_guard_program(struct sock_filter to[NETWORK_GUARD_LENGTH_MAX],
			  const struct network_guard *guard, struct err *e)
{
	struct program p = { .to = to, .guard = guard };

	if (guard->count > NETWORK_GUARD_ADDRESSES_MAX)
		return err_set(e, ERR_INVALID, "%zu permitted addresses: at most %d", guard->count,
			       NETWORK_GUARD_ADDRESSES_MAX);
	set_link_address(&p);
	demand_length(&p, ETH_HLEN);
	load(&p, BPF_W, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
	demand(&p, 0);
	demand_mac(&p, AT_SOURCE_MAC);
	add_type(&p, ETH_P_ARP, add_arp);
	add_type(&p, ETH_P_IP, add_ip4);
	add_type(&p, ETH_P_IPV6, add_ip6);
	drop(&p);
	if (p.full)
		return err_set(e, ERR_INVALID, "%zu permitted addresses: too many", guard->count);
	return (int)p.length;
}
