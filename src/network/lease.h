/* lease.h - which container has which address of a network: leases/NETWORK/ADDRESS in the run
 * folder, a link that names the container's id. Nobody gives one back: a lease whose container does
 * not live any more is taken by the next who wants it, so that no crash can lose one, and the end
 * of a container costs nothing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "network/address.h"

struct err;
struct store;

/* Does the container with this id live, or is it being started? */
typedef bool network_lease_live(void *arg, const char *id);

struct network_lease_request {
	const char *network; /* its name */
	const char *id;      /* of the container */
	struct network_address subnet;
	struct network_address range;        /* within it, of which one is chosen */
	struct network_address gateway;      /* never given out; family 0: none */
	struct network_address wanted;       /* this one and no other; family 0: any */
	const struct network_address *never; /* these neither */
	size_t never_count;
	network_lease_live *live;
	void *arg;
};

/* Takes an address, with the subnet's prefix. The one that is chosen follows from the id: a
 * container that is started again has the same, unless another took it meanwhile. ERR_EXISTS: the
 * wanted one is another's, the message says whose; ERR_NO_SPACE: all are. */
int network_lease_take(struct network_address *ret, const struct store *store,
		       const struct network_lease_request *request, struct err *e);

/* Holds the network's leases as they are until the descriptor, the caller's, is closed. */
int network_lease_lock(const struct store *store, const char *network, struct err *e);

/* Under that lock: is the address (a prefix does not count) the container's? */
bool network_lease_has(int lock, const char *address, const char *id);

/* Gives one back of a container that lives on; another's is left alone. */
int network_lease_release(const struct store *store, const char *network, const char *id,
			  const char *address, struct err *e);

/* Calls each for every lease of the network, also those of containers that have ended. */
int network_lease_list(const struct store *store, const char *network,
		       void (*each)(void *arg, const char *address, const char *id), void *arg,
		       struct err *e);

/* All of a network that is removed. */
int network_lease_remove(const struct store *store, const char *network, struct err *e);
