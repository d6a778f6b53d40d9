/* ports.h - the published ports of a container that runs: reserved on the host, translated by
 * nftables, written down in its run folder (ports.json for people, rules for its monitor, which
 * takes them back: monitor/rules.h). */
#pragma once
#include "engine/container.h"
#include "network/reserve.h"

struct engine;
struct engine_places;
struct engine_rows;
struct err;

/* One that is published now. */
struct engine_port {
	char *address; /* of the host: "0.0.0.0" and "::" are all of them */
	int64_t host_port;
	int64_t port; /* of the container */
	char *protocol;
	char *target; /* the container's address; "": it is in no network that has one */
	bool judged;  /* the host's input rules say who may */
};

struct engine_port_list {
	SHAPE_LIST_OF(struct engine_port) items; /* by port, protocol and address */
};

void engine_ports_clear(struct engine_port_list *ports);

/* Publishes what c asks for, at the addresses of its first place that forwards. Nothing is left of
 * it on failure. The caller closes *ret, also then; the monitor gets it. ERR_EXISTS: the host's
 * port is taken, the message says by whom. */
int engine_ports_publish(struct network_reserve *ret, struct engine *engine,
			 const struct container *c, const struct engine_places *places, int run_fd,
			 struct err *e);

/* Takes the rules back that the run folder names: of a start that failed before its monitor lived.
 */
void engine_ports_withdraw(int run_fd);

/* Those of the container with this id; none where it does not run. The caller clears. */
int engine_ports_read(struct engine_port_list *ret, struct engine *engine, const char *id,
		      struct err *e);

/* The same, and those that it holds on the host for when it is in a network again. */
int engine_ports_read_held(struct engine_port_list *ret, struct engine *engine, const char *id,
			   struct err *e);
bool engine_ports_leads(const struct engine_port *port);

/* ports.json alone, where no rules are needed. */
int engine_ports_write_list(int run_fd, const struct engine_port_list *ports, struct err *e);

/* The parts of it: both files of a run folder, and the rules themselves. */
int engine_ports_write(int run_fd, const struct engine_port_list *ports, struct err *e);
int engine_ports_translate(struct engine *engine, const struct engine_port_list *ports,
			   struct err *e);

/* Those of them that NAT does not reach: starts what carries their connections, and ends it. They
 * are those at ::1; or, with the network namespace of an ordinary user's container, all. Of a
 * failure some may be left, for the caller to end. */
int engine_ports_carry(int run_fd, int namespace_fd, const struct engine_port_list *ports,
		       struct err *e);
void engine_ports_drop(int run_fd, const struct engine_port_list *ports);

/* Puts the rules of these containers, which run, in again, where they have gone. */
int engine_ports_restore(struct engine *engine, const struct engine_rows *rows, struct err *e);

/* Of a container, whether it runs or not: publishes more, or takes back what it publishes, each as
 * for --publish; to take back, what is left out (the address, the host's port) is any. All or
 * none, and recorded for the next starts. ERR_STATE: it has no network of its own. ERR_NOT_FOUND:
 * it publishes nothing of the kind. */
int engine_ports_add(struct engine *engine, const char *name, const struct strv *publish,
		     struct err *e);
int engine_ports_remove(struct engine *engine, const char *name, const struct strv *publish,
			struct err *e);

/* The container, whose lock the caller holds, has these places now: ports that lead to none of them
 * lead to one from now on, or are held until it has one. To be called before an address that it no
 * longer has is anybody else's. */
int engine_ports_follow(struct engine *engine, const struct container *c, int run_fd,
			const struct engine_places *places, struct err *e);

/* The network that the ports lead into, if it is internal; else NULL. The caller frees. */
char *engine_ports_internal(struct engine *engine, const char *id);
