/* pair.h - a veth pair with one end in a container's network namespace: what bridges and routed
 * networks have in common. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "network/driver.h"

struct err;
struct network_namespace;

/* The address that is told to the neighbours, if nobody wanted another: it follows from the IP
 * address, and says (by its first byte) that nobody sold it. */
void network_pair_mac(unsigned char to[NETWORK_MAC], const struct network_address *address);

struct network_pair {
	int bridge;    /* index; 0: the outer end is a port of none */
	bool isolated; /* as in network/link.h */
	uint32_t mtu;
};

/* Puts one end of a new pair into the namespace; the other one is up. Sets the member's outer and
 * the MAC it chose. */
int network_pair_make(int socket, const struct network_pair *pair,
		      const struct network_namespace *namespace, struct network_member *member,
		      struct err *e);
