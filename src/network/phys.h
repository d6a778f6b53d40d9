/* phys.h - networks of the driver "phys": a device of the host moves into the one container that
 * is in the network, and comes back at its end. */
#pragma once
#include "network/driver.h"

extern const char *const network_phys_options[];

/* As network/driver.h says. */
int network_phys_plan(struct network *network, const struct networks *others, struct err *e);
int network_phys_ensure(const struct store *store, const struct network *network, struct err *e);
int network_phys_join(const struct network *network, int index,
		      const struct network_namespace *namespace, struct network_member *member,
		      struct err *e);
void network_phys_reclaim(const struct network *network, const struct store *store, const char *id,
			  network_lease_live *live, void *arg);
void network_phys_leave(const struct network *network, const struct network_left *left);
