/* sift.h - which packets a capture is about, as a classic BPF program for its socket: the kernel
 * throws the others away before anybody is woken. Pure. */
#pragma once
#include <linux/filter.h>
#include <stdint.h>

#include "network/address.h"

enum { NETWORK_SIFT_LENGTH_MAX = 96 };

/* All of these at once, of a frame of Ethernet. */
struct network_sift {
	struct network_address host; /* from or to it; family 0: any */
	uint16_t port;               /* from or to it, of TCP, UDP or SCTP; 0: any */
	const char *protocol;        /* arp, ip, ip6, icmp, icmp6, tcp, udp, sctp; NULL: any */
};

/* How many instructions there are; 0: everything is wanted. */
unsigned network_sift_program(struct sock_filter to[NETWORK_SIFT_LENGTH_MAX],
			      const struct network_sift *sift);
