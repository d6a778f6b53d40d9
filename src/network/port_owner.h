/* port_owner.h - which program of this host has a port, by /proc. */
#pragma once
#include <stdint.h>

#include "network/address.h"

enum { NETWORK_PORT_OWNER_TEXT = 64 };

/* "nginx (process 4711)", or "a process that cannot be seen". 1; 0: no socket shows in /proc/net (a
 * TCP socket that is bound but does not listen never does). protocol: IPPROTO_*; sctp is not looked
 * up. */
int network_port_owner(char to[NETWORK_PORT_OWNER_TEXT], int protocol,
		       const struct network_address *address, uint16_t port);
