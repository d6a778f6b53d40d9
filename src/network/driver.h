/* driver.h - the kinds of networks, Docker's "drivers": a table of what each does when a network is
 * made and removed, and when a container joins it. What a container has in a network goes with its
 * network namespace; what lies elsewhere on the host is taken back by leave. */
#pragma once
#include <stdbool.h>

#include "network/lease.h"
#include "network/link.h"
#include "network/record.h"

struct err;
struct network_namespace;
struct store;

/* A container's place in a network. */
struct network_member {
	const struct store *store;
	const char *id;                          /* of the container */
	const char *device;                      /* inside: "eth0" */
	const struct network_address *addresses; /* one a subnet, with prefixes */
	size_t count;
	bool default_route;
	bool boots;                     /* a system, which may ask for its addresses by DHCP */
	bool hairpin;                   /* it has published ports, and may come to itself by them */
	unsigned char mac[NETWORK_MAC]; /* all 0: from the first address; set to what it is */
	const struct shape_map *options; /* of this place; NULL: none */
	char outer[NETWORK_LINK_NAME];   /* set: the device's other end here; "": there is none */
};

/* What is left of a place when its container has ended: as engine/network.h notes it. */
struct network_left {
	const struct store *store;
	const char *id; /* of the container */
	const char *outer;
	const struct strv *addresses; /* with prefixes */
};

struct network_driver {
	const char *name;
	/* -o that it understands, besides what all do: mtu, publish-mode; ends with NULL */
	const char *const *options;

	bool controls; /* what a container sends and how fast (control.h, limit.h) */

	/* Fills in what the person left open and checks what was given. Under
	 * network_record_lock(). ERR_EXISTS: it is taken, the message says by whom. */
	int (*plan)(struct network *network, const struct networks *others, struct err *e);

	/* Makes and mends what of it lies on this host; where nothing is missing nobody waits. Not
	 * under network_record_lock(), which it takes. Returns the index of its device. */
	int (*ensure)(const struct store *store, const struct network *network, struct err *e);

	/* Takes back what the container with this id, which does not run yet, or one that lives no
	 * more has left where nobody noted it. NULL: nothing can be. */
	void (*reclaim)(const struct network *network, const struct store *store, const char *id,
			network_lease_live *live, void *arg);

	int (*join)(const struct network *network, int device,
		    const struct network_namespace *namespace, struct network_member *member,
		    struct err *e);

	/* The device was made anew, and the outer end of a place in it, which is there, hangs on
	 * nothing. NULL: it never does. */
	int (*mend)(const struct network *network, int device, const char *outer, bool hairpin,
		    struct err *e);

	/* NULL: nothing is left. What another one has taken since is left alone. */
	void (*leave)(const struct network *network, const struct network_left *left);

	/* Removes what ensure made; what is not there is fine. NULL: nothing to remove. Whether
	 * containers are in it is the caller's affair. */
	int (*remove)(const struct network *network, struct err *e);
};

/* ERR_INVALID: there is none of this name; the message lists those there are. */
int network_driver_find(const struct network_driver **ret, const char *name, struct err *e);

/* ERR_INVALID: an option that the driver does not understand. */
int network_driver_check_options(const struct network_driver *driver, const struct network *network,
				 struct err *e);
