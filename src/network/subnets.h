/* subnets.h - the subnets of a network: chosen and checked when it is made, read when somebody
 * joins it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "network/record.h"

struct err;

/* What a record's texts say. */
struct network_subnets {
	struct network_address subnets[NETWORK_SUBNETS_MAX];
	/* with the subnet's prefix; family 0: there is none */
	struct network_address gateways[NETWORK_SUBNETS_MAX];
	size_t count;
};

/* ERR_CORRUPT, ERR_INVALID. */
int network_subnets_read(struct network_subnets *ret, const struct network *network, struct err *e);

struct network_subnets_wish {
	bool gateway;       /* each has one: the first address, where nothing else was said */
	bool named;         /* none is chosen: without a --subnet it has no addresses */
	const char *parent; /* a device whose own subnets these may be; NULL: they are nobody's */
};

/* Chooses an IPv4 subnet where the person named none, fills in what was left open and checks what
 * was given, against the other networks and what this host (the namespace of socket) has
 * addresses in or routes to. Under network_record_lock(). ERR_EXISTS: one is taken, the message
 * says by whom; ERR_NO_SPACE: none is free. */
int network_subnets_plan(struct network *network, const struct networks *others, int socket,
			 const struct network_subnets_wish *wish, struct err *e);

/* When the network's device is made: has another one of this host an address in its subnets, which
 * it had not when the network was? ERR_EXISTS. */
int network_subnets_check_free(const struct network_subnets *subnets, int socket, struct err *e);
