/* host.h - switches of this host (of the network namespace that we are in) which networks need. */
#pragma once
#include <stdbool.h>

struct err;

bool network_host_forwards(int family);

/* Has the host forward packets of the family. */
int network_host_forward(int family, struct err *e);

/* Has the host answer neighbour solicitations on the device for others (IPv6; ARP needs
 * nothing). */
int network_host_answer_ndp(const char *device, struct err *e);

/* Has the device take packets from and for 127.0.0.0/8: the host reaches published ports by it.
 * What it may get is bounded by the rules (rules.nft, chain raw). */
int network_host_route_localnet(const char *device, struct err *e);

/* Has a device that is ours alone use its link-local address at once, without asking who has it
 * (IPv6): until then it cannot ask for its neighbours. */
int network_host_trust_addresses(const char *device, struct err *e);
