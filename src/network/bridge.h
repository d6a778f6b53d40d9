/* bridge.h - a network of the driver "bridge" on this host, and a container's place in it. What it
 * is made of (the device, its addresses, forwarding, the rules) is looked at each time a container
 * joins, and what is missing is made: after a reboot, or when it was removed behind our back. */
#pragma once
#include "network/driver.h"

struct err;
struct network_namespace;
struct store;

extern const char *const network_bridge_options[];

/* Fills in what the person left open: an IPv4 subnet that nobody here uses, a gateway (the first
 * address), the bridge's name; and checks what was given. Under network_record_lock().
 * ERR_EXISTS: a subnet or a device is taken, the message says by whom; ERR_NO_SPACE. */
int network_bridge_plan(struct network *network, const struct networks *others, struct err *e);

/* Makes and mends all of it, one at a time; where nothing is missing nobody waits. Not under
 * network_record_lock(), which it takes. Returns the index of the bridge. ERR_EXISTS: the device is
 * another's. */
int network_bridge_ensure(const struct store *store, const struct network *network, struct err *e);

/* Removes device and rules; what is not there is fine. Whether containers hang on it is the
 * caller's affair. */
int network_bridge_remove(const struct network *network, struct err *e);

/* As network/driver.h says. */
int network_bridge_mend(const struct network *network, int bridge, const char *outer, bool hairpin,
			struct err *e);

/* Puts one end of a new pair into the namespace and sets it up there; sets the MAC it chose. */
int network_bridge_join(const struct network *network, int bridge,
			const struct network_namespace *namespace, struct network_member *member,
			struct err *e);
