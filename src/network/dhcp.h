/* dhcp.h - a booted system that asks for its address by DHCP is told the one that it has, by a
 * program for the kernel (bpf(2), for cls_bpf) on the host's end of its veth pair: its question
 * gets no further, and nothing listens for it. RFC 2131. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "network/address.h"
#include "network/link.h"

struct err;
struct network_member;

struct network_dhcp {
	unsigned char mac[NETWORK_MAC];
	struct network_address address; /* the container's IPv4 address, with its subnet's prefix */
	struct network_address router;  /* who answers */
	bool default_route;             /* and the router leads everywhere */
	uint32_t mtu;                   /* 0: the device's own */
};

/* What the member of a network is told, one router each of its addresses. false: nothing, it is no
 * system, or has no IPv4 address. */
bool network_dhcp_plan(struct network_dhcp *ret, const struct network_member *member,
		       const struct network_address *routers, uint32_t mtu);

/* For the device with this index, which the answer leaves by. Its descriptor, the caller's. */
int network_dhcp_load(const struct network_dhcp *answer, int index, struct err *e);

/* The frame that the answer is, but for its kind, transaction and flags; renewal: to who has the
 * address already, or else to all. */
enum { NETWORK_DHCP_FRAME = 342 }; /* headers, and the least that BOOTP has: RFC 1542, 2.1 */
void network_dhcp_frame(unsigned char to[NETWORK_DHCP_FRAME], const struct network_dhcp *answer,
			bool renewal);
