/* routed.h - networks of the driver "routed": no bridge, and no address translation. Each container
 * has a link to the host alone, and the host a route to each of its addresses; LXC's mode "router".
 * The addresses may be of the host's own subnet: the host answers for them on the parent device
 * (proxy ARP and NDP). */
#pragma once
#include "network/driver.h"

extern const char *const network_routed_options[];

/* As network/driver.h says. */
int network_routed_plan(struct network *network, const struct networks *others, struct err *e);
int network_routed_ensure(const struct store *store, const struct network *network, struct err *e);
int network_routed_join(const struct network *network, int parent,
			const struct network_namespace *namespace, struct network_member *member,
			struct err *e);
void network_routed_leave(const struct network *network, const struct network_left *left);
