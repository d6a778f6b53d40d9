/* reserve.h - the host's ports that a container has, held as sockets: bound, so that no program of
 * the host and no other container gets them, but heard by nobody. They lie in the queue of a socket
 * pair (unix(7), SCM_RIGHTS), so that one descriptor holds any number of them, and go with it. */
#pragma once
#include <stdint.h>

#include "network/port.h"

struct err;

/* What holds them: what is sent to [0] lies in [1] for as long as that is open. */
struct network_reserve {
	int pair[2];
};
#define NETWORK_RESERVE_INIT                                                                       \
	{                                                                                          \
		.pair = { -1, -1 }                                                                 \
	}

int network_reserve_open(struct network_reserve *ret, struct err *e);
void network_reserve_close(struct network_reserve *reserve);

/* One port at all of these addresses (of one protocol; all bytes 0: each of the family), the first
 * of the range that is free at all of them; range.low 0: one of those that the kernel gives to
 * clients (ip_local_port_range). ERR_EXISTS: it is taken, the message says by which program of the
 * host where that can be seen. A protocol that this kernel lacks reserves nothing. */
int network_reserve_take(uint16_t *ret, struct network_reserve *reserve, int protocol,
			 const struct network_address *addresses, size_t count,
			 struct network_port_range range, struct err *e);

/* Gives back those of the protocol that are bound to this port. */
int network_reserve_drop(struct network_reserve *reserve, int protocol, uint16_t port,
			 struct err *e);
