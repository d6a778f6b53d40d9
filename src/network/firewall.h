/* firewall.h - what nftables does for bridges: the one table `inet holm` with rules that never
 * change and sets that say for which bridges and subnets they hold. The table is made by nft(8),
 * once, and whether it still knows a bridge is asked in one message each time a container joins. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "network/address.h"

struct err;

/* Of the family inet; those of ip and ip6 (loop.h) have the same name. */
#define NETWORK_FIREWALL_TABLE "holm"

struct network_firewall {
	const char *bridge;
	bool internal; /* forwards nothing */
	bool apart;    /* nor anything from one of its containers to another */
	const struct network_address *subnets;
	size_t count;
};

/* Is the bridge one of those that the rules hold for? One message to the kernel. */
bool network_firewall_knows(const char *bridge);

/* Is the table there? If not, those of other networks and ports are gone, too. */
bool network_firewall_stands(void);

/* Of an earlier version's table, which knows the bridge, makes ours: its elements are gone then. */
int network_firewall_renew(const char *bridge, struct err *e);

/* Makes the table where it is not there. */
int network_firewall_make(struct err *e);

/* Makes or mends the table and has it know the bridge; by one at a time. ERR_UNSUPPORTED: there is
 * no nft, or no nftables in the kernel. */
int network_firewall_ensure(const struct network_firewall *firewall, struct err *e);

/* Forgets the bridge; no table or no such bridge is fine. */
int network_firewall_remove(const struct network_firewall *firewall, struct err *e);

/* Has the host forward packets of the family for bridges and veth pairs alone: it is no router
 * between its other devices. The table is there. */
int network_firewall_close(int family, struct err *e);

/* The text that nft(8) is given: the table too, with all its rules, or the bridge alone. The
 * caller frees. Pure. */
char *network_firewall_text(const struct network_firewall *firewall, bool table);

/* Gives nft(8) this text, as one transaction. ERR_UNSUPPORTED, also for what the kernel refuses. */
int network_firewall_load(const char *text, struct err *e);
