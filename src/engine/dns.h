/* dns.h - what the name servers of containers work by (dns/names.h, dns/config.h): what a container
 * is called in its networks, for those who are in them; and for its own name server which these
 * networks are, and whom to ask about all else. */
#pragma once
#include "engine/container.h"

struct engine;
struct engine_places;
struct err;

/* Turns what --link says into ids. ERR_NOT_FOUND. */
int engine_dns_resolve_links(struct engine *engine, struct container *c, struct err *e);

/* Before a start, and whenever one of them changes while it runs. run_fd: its run folder, with its
 * places. */
int engine_dns_write(struct engine *engine, const struct container *c,
		     const struct engine_places *places, int run_fd, struct err *e);

/* The same from what network.json says, of one that may run: after a change of its record. */
int engine_dns_refresh(struct engine *engine, const struct container *c, struct err *e);

/* Is not called anything in this network any more. */
void engine_dns_remove(struct engine *engine, const char *id, const char *network);

/* All of a network that is removed. */
void engine_dns_remove_network(struct engine *engine, const char *network);

/* The names in this network: that of the container first. */
void engine_dns_names(struct strv *to, const struct container *c, const char *network);
