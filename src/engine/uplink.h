/* uplink.h - the network of an ordinary user's container by a program that carries its packets
 * (network/uplink.h): its own one, or that of all the user's networks (engine/user_network.h); and
 * the published ports of both, at which holm-proxy listens (network/proxy.h). */
#pragma once
#include <stdbool.h>

struct container;
struct engine;
struct engine_connection;
struct engine_places;
struct engine_port_list;
struct err;

/* Starts it where the container is to have one; nothing is left of it on failure. run_fd: the run
 * folder, which gets ports.json and what is needed to end it (monitor/uplink.h). */
int engine_uplink_start(struct engine *engine, const struct container *c,
			const struct engine_connection *connection, int run_fd, struct err *e);

/* Which ports of the host those are that c asks for, with places in the user's networks or none.
 * The caller clears *to. ERR_EXISTS: one is taken. ERR_PERMISSION: not for this user. */
int engine_uplink_plan(struct engine_port_list *to, struct engine *engine,
		       const struct container *c, const struct engine_places *places,
		       struct err *e);

/* Publishes what c asks for, and writes ports.json. On failure nothing is left of it. */
int engine_uplink_publish_all(struct engine *engine, const struct container *c,
			      const struct engine_connection *connection, int run_fd,
			      struct err *e);

/* Are its ports, while it runs, a program's affair? */
bool engine_uplink_has(const struct engine *engine, const struct container *c);

/* More of a container that runs. What was published of those that failed, and ports that go, the
 * caller ends (engine_ports_drop()). */
int engine_uplink_publish(struct engine *engine, const char *id,
			  const struct engine_port_list *ports, struct err *e);
