/* network_limits.h - the limits of a container that lie in the host's nftables (network/limit.h):
 * put in with its places, written down for its monitor, which takes them back (monitor/rules.h). */
#pragma once

struct container;
struct engine;
struct engine_places;
struct engine_rows;
struct err;

/* Those of these places, and no others from now on. */
int engine_network_limits_set(struct engine *engine, const struct container *c,
			      const struct engine_places *places, int run_fd, struct err *e);

/* Puts those of these containers, which run, in again, where they have gone. */
int engine_network_limits_restore(struct engine *engine, const struct engine_rows *rows,
				  struct err *e);
