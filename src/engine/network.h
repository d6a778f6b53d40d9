/* network.h - a container's places in networks: checked when it is created, taken at each start.
 * The namespace that they are in is made here and kept by the monitor: with it all of it goes by
 * itself, and the addresses are free again once the monitor is gone (network/lease.h). */
#pragma once
#include "engine/container.h"
#include "network/namespace.h"
#include "network/resolver.h"

struct engine;
struct err;
struct spec_context;

/* One place that has been taken: network.json in the run folder has a list of these. */
struct engine_place {
	char *network;         /* its name */
	char *id;              /* the network's */
	char *driver;          /* the same */
	bool default_route;    /* the container's way to the world */
	char *device;          /* "eth0" */
	char *outer;           /* its other end on the host; NULL: there is none */
	char *mac;             /* "02:42:0a:63:00:02" */
	bool leaves;           /* something of it stays on the host when it ends */
	struct strv addresses; /* "10.99.0.2/24" */
	struct strv gateways;  /* "10.99.0.1"; "": the subnet has none */
	bool internal;         /* the network has no way to others */
	bool publish_open;     /* its ports are open to all, unless the container says otherwise */
	struct strv dns;       /* the network's own name servers; empty: the host's */
};

struct engine_places {
	SHAPE_LIST_OF(struct engine_place) items;
};

void engine_network_places_clear(struct engine_places *places);

/* That in the network of this name; NULL: there is none. */
struct engine_place *engine_network_find_place(const struct engine_places *places,
					       const char *network);

struct engine_connection {
	struct network_namespace namespace; /* fd -1: the container is in no network */
	int user_fd;                        /* the user namespace that owns it; -1: ours */
	int user_network; /* keeps an ordinary user's networks (engine/user_network.h); or -1 */
	struct engine_places places;
	struct network_resolver resolver; /* where its name server listens */
};
#define ENGINE_CONNECTION_INIT                                                                     \
	{                                                                                          \
		.namespace = NETWORK_NAMESPACE_INIT, .user_fd = -1, .user_network = -1,            \
		.resolver = NETWORK_RESOLVER_INIT                                                  \
	}

void engine_network_close(struct engine_connection *connection);

/* Do all of its networks exist? The default one always does. ERR_NOT_FOUND. */
int engine_network_resolve(struct engine *engine, const struct container *c, struct err *e);

/* Makes the namespace and puts the container into its networks; names the namespaces in the context
 * as the monitor will know them. The caller closes *ret, after a failure, too. */
int engine_network_connect(struct engine_connection *ret, struct engine *engine,
			   const struct container *c, struct spec_context *context, struct err *e);

/* One more place, for c->network.endpoints.items[number], also of a container that runs: its
 * namespace and its places are in *to. */
int engine_network_join(struct engine_connection *to, struct engine *engine,
			const struct container *c, size_t number, struct err *e);

/* What of a place lies outside of the namespace. */
void engine_network_leave_place(struct engine *engine, const char *id,
				const struct engine_place *place);

/* network.json of a container's run folder, for those who ask later; no such file: no places. */
int engine_network_places_write(struct engine *engine, int run_fd,
				const struct engine_places *places, struct err *e);
int engine_network_places_read(struct engine_places *ret, struct engine *engine, const char *id,
			       struct err *e);

/* Takes back what the places of a container that has ended left on the host: folder is its
 * $run/containers/.dead-ID. */
int engine_network_leave(struct engine *engine, const char *folder, struct err *e);

/* Does the container with this id live, or is it being started? */
bool engine_network_is_live(void *engine, const char *id);
