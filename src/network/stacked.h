/* stacked.h - networks of the drivers "macvlan", "ipvlan" and "vlan": a container's device sits
 * on top of one of the host's, its parent, and is a neighbour of the parent's neighbours. The
 * host itself and its firewall have no part in it. */
#pragma once
#include "network/driver.h"

extern const char *const network_stacked_macvlan_options[];
extern const char *const network_stacked_ipvlan_options[];
extern const char *const network_stacked_vlan_options[];

/* As network/driver.h says. */
int network_stacked_plan(struct network *network, const struct networks *others, struct err *e);
int network_stacked_ensure(const struct store *store, const struct network *network, struct err *e);
int network_stacked_join(const struct network *network, int parent,
			 const struct network_namespace *namespace, struct network_member *member,
			 struct err *e);
int network_stacked_remove(const struct network *network, struct err *e);
