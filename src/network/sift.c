#include "network/sift.h"

#include <assert.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/str.h"

/* A packet is of these kinds if its type of Ethernet and its protocol of IP are; 0: any. */
static const struct protocol {
	const char *name;
	unsigned type, number;
} protocols[] = {
	{ "arp", ETH_P_ARP, 0 },
	{ "ip", ETH_P_IP, 0 },
	{ "ip6", ETH_P_IPV6, 0 },
	{ "icmp", ETH_P_IP, IPPROTO_ICMP },
	{ "icmp6", ETH_P_IPV6, IPPROTO_ICMPV6 },
	{ "tcp", 0, IPPROTO_TCP },
	{ "udp", 0, IPPROTO_UDP },
	{ "sctp", 0, IPPROTO_SCTP },
};

enum { /* in a frame */
       AT_TYPE = 12,
       AT_ARP_SENDER = 28,
       AT_ARP_TARGET = 38,
       AT_IP4_FRAGMENT = 20,
       AT_IP4_PROTOCOL = 23,
       AT_IP4_SOURCE = 26,
       AT_IP4_TARGET = 30,
       AT_IP6_NEXT = 20,
       AT_IP6_SOURCE = 22,
       AT_IP6_TARGET = 38,
       AT_IP6_PORTS = 54,
};

struct program {
	struct sock_filter *code;
	unsigned length;
};

static const struct protocol *find(const char *name)
{
	static const struct protocol any;

	for (size_t i = 0; name && i < COUNT_OF(protocols); i++)
		if (str_equal(protocols[i].name, name))
			return &protocols[i];
	assert(!name); /* the command line knows the words */
	return &any;
}

/* ---- instructions ---- */

static void add(struct program *p, unsigned code, uint32_t k, unsigned yes, unsigned no)
{
	p->code[p->length++] = (struct sock_filter){ (uint16_t)code, (uint8_t)yes, (uint8_t)no, k };
}

static void load(struct program *p, unsigned size, uint32_t at)
{
	add(p, BPF_LD | size | BPF_ABS, at, 0, 0);
}

static void give(struct program *p, bool whole)
{
	add(p, BPF_RET | BPF_K, whole ? UINT32_MAX : 0, 0, 0);
}

/* What is in the accumulator is one of these, or the packet is not wanted. */
static void demand(struct program *p, const uint32_t *values, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		add(p, BPF_JMP | BPF_JEQ | BPF_K, values[i], count - i, 0);
	give(p, false);
}

static uint32_t word_of(const unsigned char *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Are the words at this place those of the address? If so, over what follows: so many. */
static void match(struct program *p, const struct network_address *address, uint32_t at,
		  unsigned over)
{
	unsigned words = network_address_length(address) / 4;

	for (unsigned i = 0; i < words; i++) {
		load(p, BPF_W, at + 4 * i);
		add(p, BPF_JMP | BPF_JEQ | BPF_K, word_of(address->bytes + 4 * i), 0,
		    2 * (words - 1 - i) + 1);
	}
	add(p, BPF_JMP | BPF_JA, over, 0, 0);
}

static void demand_host(struct program *p, const struct network_address *host, uint32_t source,
			uint32_t target)
{
	unsigned one = 2 * network_address_length(host) / 4 + 1;

	if (!host->family)
		return;
	match(p, host, source, one + 1);
	match(p, host, target, 1);
	give(p, false);
}

/* indexed: behind the header of IPv4, whose length is in the index. */
static void demand_port(struct program *p, uint16_t port, uint32_t at, bool indexed)
{
	unsigned mode = indexed ? BPF_IND : BPF_ABS;

	add(p, BPF_LD | BPF_H | mode, at, 0, 0);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, port, 3, 0);
	add(p, BPF_LD | BPF_H | mode, at + 2, 0, 0);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, port, 1, 0);
	give(p, false);
}

static void demand_number(struct program *p, uint32_t at, unsigned number, bool ports)
{
	static const uint32_t with_ports[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };
	const uint32_t one = number;

	if (!number && !ports)
		return;
	load(p, BPF_B, at);
	if (number)
		demand(p, &one, 1);
	else
		demand(p, with_ports, COUNT_OF(with_ports));
}

/* ---- kinds of packets ---- */

static void add_arp(struct program *p, const struct network_sift *sift)
{
	demand_host(p, &sift->host, AT_ARP_SENDER, AT_ARP_TARGET);
}

static void add_ip4(struct program *p, const struct network_sift *sift, unsigned number)
{
	demand_number(p, AT_IP4_PROTOCOL, number, sift->port);
	demand_host(p, &sift->host, AT_IP4_SOURCE, AT_IP4_TARGET);
	if (!sift->port)
		return;
	/* of a fragment the first alone has ports */
	load(p, BPF_H, AT_IP4_FRAGMENT);
	add(p, BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 0, 1);
	give(p, false);
	add(p, BPF_LDX | BPF_B | BPF_MSH, 14, 0, 0);
	demand_port(p, sift->port, 14, true);
}

static void add_ip6(struct program *p, const struct network_sift *sift, unsigned number)
{
	demand_number(p, AT_IP6_NEXT, number, sift->port);
	demand_host(p, &sift->host, AT_IP6_SOURCE, AT_IP6_TARGET);
	if (sift->port)
		demand_port(p, sift->port, AT_IP6_PORTS, false);
}

unsigned network_sift_program(struct sock_filter to[NETWORK_SIFT_LENGTH_MAX],
			      const struct network_sift *sift)
{
	static const unsigned types[] = { ETH_P_ARP, ETH_P_IP, ETH_P_IPV6 };
	const struct protocol *protocol = find(sift->protocol);
	struct program p = { .code = to };

	if (!sift->host.family && !sift->port && !sift->protocol)
		return 0;
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		bool six = types[i] == ETH_P_IPV6;
		if ((protocol->type && protocol->type != types[i]) ||
		    (types[i] == ETH_P_ARP && (sift->port || protocol->number)) ||
		    (sift->host.family && (sift->host.family == AF_INET6) != six))
			continue;
		load(&p, BPF_H, AT_TYPE);
		unsigned test = p.length;
		add(&p, BPF_JMP | BPF_JEQ | BPF_K, types[i], 0, 0);
		if (types[i] == ETH_P_ARP)
			add_arp(&p, sift);
		else if (six)
			add_ip6(&p, sift, protocol->number);
		else
			add_ip4(&p, sift, protocol->number);
		give(&p, true);
		to[test].jf = (uint8_t)(p.length - test - 1);
	}
	give(&p, false);
	return p.length;
}
