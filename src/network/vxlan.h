/* vxlan.h - networks of the driver "vxlan": a bridge on each of several hosts, and a tunnel between
 * them (RFC 7348), so that their containers are neighbours. What passes between the hosts is
 * neither encrypted nor authenticated. */
#pragma once
#include "network/driver.h"

extern const char *const network_vxlan_options[];

/* As network/driver.h says. */
int network_vxlan_plan(struct network *network, const struct networks *others, struct err *e);
int network_vxlan_ensure(const struct store *store, const struct network *network, struct err *e);
int network_vxlan_remove(const struct network *network, struct err *e);
