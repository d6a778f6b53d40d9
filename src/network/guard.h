/* guard.h - permitted addresses: a filter on the host's end of a veth pair that lets from the
 * container only what bears the MAC and the IP addresses that it was given, in IP, in ARP and in
 * neighbour discovery, and no frames of any other protocol. It is a program for the kernel's packet
 * filter (classic BPF, linux/filter.h) that hangs on the device and goes with it: nothing has to be
 * taken back (decision 0032). */
#pragma once
#include <linux/filter.h>
#include <stddef.h>

#include "network/link.h"

struct err;

enum {
	NETWORK_GUARD_ADDRESSES_MAX = 64,
	NETWORK_GUARD_LENGTH_MAX = 2048, /* of the program; the kernel's: BPF_MAXINSNS, 4096 */
};

struct network_guard {
	unsigned char mac[NETWORK_MAC];
	/* each alone or, with a shorter prefix, all of a subnet: a container that routes for
	 * others. IPv6 addresses of the link follow from the MAC (RFC 4291, appendix A). */
	const struct network_address *addresses;
	size_t count;
};

/* Pure. Returns its length. ERR_INVALID: too many addresses. What the program returns is for the
 * kernel's traffic control: TC_ACT_SHOT, or TC_ACT_UNSPEC to go on. */
int network_guard_program(struct sock_filter to[NETWORK_GUARD_LENGTH_MAX],
			  const struct network_guard *guard, struct err *e);
