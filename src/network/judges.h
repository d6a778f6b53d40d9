/* judges.h - who decides on this host about what comes in: the base chains of nftables, iptables'
 * among them, that hook into input. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/strv.h"

struct err;

struct network_judges {
	struct strv chains; /* "inet firewall input (policy drop, 4 rules)" */
	bool all_accept;    /* none of them has a rule, or drops by its policy */
};

/* Ours are left out. The caller clears chains. */
int network_judges_read(struct network_judges *ret, struct err *e);
