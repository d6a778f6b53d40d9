/* connect.h - a container comes into a network, or leaves it, while it runs or not. Recorded
 * first; one that runs has, or loses, the device at once. Nothing in it is executed or asked. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"

struct engine;
struct err;

struct connect_options {
	char *ip;
	char *ip6;
	char *mac_address;
	char *gw_priority;
	struct strv alias;
	struct strv link; /* CONTAINER[:NAME] */
	struct strv driver_opt;
	bool force; /* disconnect: what is not there any more is no error */
};

/* ERR_EXISTS: it is in the network; ERR_STATE: it has no network of its own; what engine_start()
 * fails with. */
int engine_connect(struct engine *engine, const char *network, const char *name,
		   const struct connect_options *o, struct err *e);

/* ERR_NOT_FOUND: it is not in the network. */
int engine_disconnect(struct engine *engine, const char *network, const char *name,
		      const struct connect_options *o, struct err *e);

struct network_update_options {
	struct strv
		dns_add; /* name servers, "1.1.1.1": those who are in it and run ask them at once */
	struct strv dns_drop;
	char *publish_mode; /* "firewall", "open": for those who start from now on */
};

int engine_connect_update(struct engine *engine, const char *network,
			  const struct network_update_options *o, struct err *e);
