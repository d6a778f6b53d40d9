/* networks.h - networks as people name them: created, listed, shown, removed. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"
#include "engine/network.h"
#include "network/record.h"

struct engine;
struct err;
struct json_object;

struct networks_create_options {
	char *driver;
	struct strv subnet; /* each with the gateway and the range that lie in it */
	struct strv gateway;
	struct strv ip_range;
	struct strv label;
	struct strv option; /* -o KEY=VALUE */
	bool internal;
	bool ipv6;
};

/* *ret_id is the caller's. ERR_EXISTS, ERR_INVALID. */
int engine_networks_create(struct engine *engine, const char *name,
			   const struct networks_create_options *o, char **ret_id, struct err *e);

/* The record of a network, by name or the beginning of its id; the default one is made where it is
 * not there. The caller clears. */
int engine_networks_read(struct network *to, struct engine *engine, const char *name,
			 struct err *e);

/* Docker's JSON of all of them, with those that are no networks (host, none); the caller's. */
int engine_networks_list(struct engine *engine, struct json_object **ret, struct err *e);

/* A container that runs, with its places. */
struct engine_member {
	struct container container;
	struct engine_places places;
};

struct engine_members {
	SHAPE_LIST_OF(struct engine_member) items;
};

/* All those that are in some network. The caller clears. */
void engine_networks_members(struct engine_members *ret, struct engine *engine);
void engine_networks_members_clear(struct engine_members *members);

/* For those who look behind: an object for each network, and for each place that a running
 * container has in it, with Network, Driver, Container, Device, Outer, MAC, Addresses, Permits,
 * Limits, Refused, Rules; the caller's. */
int engine_networks_list_places(struct engine *engine, struct json_object **ret, struct err *e);

/* The same of one, with the containers that are in it. */
int engine_networks_inspect(struct engine *engine, const char *name, struct json_object **ret,
			    struct err *e);

/* Makes and mends what the host has of all networks that are in use, and of all published ports:
 * after somebody flushed the rules or removed a device. */
int engine_networks_reload(struct engine *engine, struct err *e);

/* ERR_STATE: containers use it, the message says which. */
int engine_networks_remove(struct engine *engine, const char *name, bool force, struct err *e);

/* Those that no container names; adds their names to *done. */
int engine_networks_prune(struct engine *engine, struct strv *done, struct err *e);
