/* uplink.h - the network of an ordinary user's container, and its published ports, by a program
 * that carries its packets (network/uplink.h). */
#pragma once

struct container;
struct engine;
struct engine_connection;
struct err;

/* Starts it where the container is to have one; nothing is left of it on failure. run_fd: the run
 * folder, which gets ports.json and what is needed to end it (monitor/uplink.h). */
int engine_uplink_start(struct engine *engine, const struct container *c,
			const struct engine_connection *connection, int run_fd, struct err *e);
