/* ports_change.c - ports of a container that exists. One that runs gets them at once: what holds
 * its ports lies with its monitor, whose descriptors are borrowed (pidfd_getfd(2), Linux 5.6). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/network.h"
#include "engine/ports.h"
#include "engine/ports_plan.h"
#include "engine/record.h"
#include "engine/uplink.h"
#include "engine/user_network.h"
#include "monitor/client.h"
#include "network/link.h"
#include "network/uplink.h"
#include "wire/netlink.h"

/* A container and what of it runs. */
struct subject {
	struct container c;
	char id[CONTAINER_ID_LENGTH + 1];
	int folder; /* locked */
	int run;    /* -1: it does not run */
	bool by_program;
	struct network_reserve reserve;
	struct engine_places places;
	struct engine_port_list ports;
};

static void subject_clear(struct subject *s)
{
	container_clear(&s->c);
	if (s->folder >= 0)
		close(s->folder);
	if (s->run >= 0)
		close(s->run);
	network_reserve_close(&s->reserve);
	engine_network_places_clear(&s->places);
	engine_ports_clear(&s->ports);
}

static int borrow(struct network_reserve *to, pid_t monitor, struct err *e)
{
	own_fd int process = (int)syscall(SYS_pidfd_open, monitor, 0);
	if (process < 0)
		return err_sys(e, "open the container's monitor");
	for (int i = 0; i < 2; i++) {
		to->pair[i] = (int)syscall(SYS_pidfd_getfd, process, MONITOR_PORTS + i, 0);
		if (to->pair[i] < 0)
			return err_sys(e, "borrow the ports of the container's monitor");
	}
	return 0;
}

static int open_live(struct subject *s, struct engine *engine, pid_t monitor, struct err *e)
{
	s->run = openat(engine->run_fd, s->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->run < 0)
		return err_sys(e, "open the run folder");
	int r = engine_network_places_read(&s->places, engine, s->id, e);
	if (r == 0)
		r = engine_ports_read_held(&s->ports, engine, s->id, e);
	s->by_program = engine_uplink_has(engine, &s->c);
	if (r == 0 && !s->by_program && (s->places.items.count || s->ports.items.count))
		r = borrow(&s->reserve, monitor, e);
	return r;
}

/* private: it may have left its networks, and holds ports for when it is in one again. */
static int check_mode(const struct container *c, bool private, struct err *e)
{
	const struct container_network *n = &c->network;

	if (n->endpoints.count || network_uplink_is_name(n->mode) ||
	    (private && str_equal(n->mode, "private")))
		return 0;
	return err_set(e, ERR_STATE, "it has --network %s, which has no ports to publish", n->mode);
}

static int open_subject(struct subject *s, struct engine *engine, const char *name, bool private,
			struct err *e)
{
	struct container_state state;

	int r = engine_find(engine, name, s->id, e);
	if (r < 0)
		return r;
	s->folder = record_lock(engine, s->id, true, e);
	if (s->folder < 0)
		return s->folder;
	r = engine_state_read_locked(engine, s->id, s->folder, &state, e);
	if (r == 0)
		r = record_read(engine, s->id, &s->c, e);
	if (r == 0)
		r = check_mode(&s->c, private, e);
	if (r < 0)
		return r;
	bool runs = container_state_live(&state) || state.status == CONTAINER_RESTARTING;
	return runs ? open_live(s, engine, state.monitor_pid, e) : 0;
}

#define SUBJECT_INIT                                                                               \
	{                                                                                          \
		.folder = -1, .run = -1, .reserve = NETWORK_RESERVE_INIT                           \
	}

/* ---- add ---- */

static void append(struct engine_port_list *to, const struct engine_port *port)
{
	*shape_list_add(&to->items) = (struct engine_port){
		.address = mem_text(port->address),
		.host_port = port->host_port,
		.port = port->port,
		.protocol = mem_text(port->protocol),
		.target = mem_text(port->target),
		.judged = port->judged,
	};
}

static void give_back(struct subject *s, const struct engine_port_list *ports)
{
	struct err ignored;

	for (size_t i = 0; i < ports->items.count; i++)
		network_reserve_drop(&s->reserve,
				     network_port_protocol(ports->items.items[i].protocol),
				     (uint16_t)ports->items.items[i].host_port, &ignored);
}

/* ---- the steps, by nftables or by an ordinary user's program ---- */

/* Programs are ended (engine_ports_drop()). */
static int withdraw(const struct engine_port_list *ports, bool by_program, struct err *e)
{
	own_free struct wire_nftables_element *elements = NULL;

	if (by_program)
		return 0;
	int count = ports_plan_elements(&elements, ports, e);
	return count < 0 ? count : network_publish_remove(elements, (size_t)count, e);
}

static int translate(struct engine *engine, const char *id, const struct engine_port_list *ports,
		     bool by_program, struct err *e)
{
	return by_program ? engine_uplink_publish(engine, id, ports, e)
			  : engine_ports_translate(engine, ports, e);
}

static int write_ports(int run_fd, const struct engine_port_list *ports, bool by_program,
		       struct err *e)
{
	return by_program ? engine_ports_write_list(run_fd, ports, e)
			  : engine_ports_write(run_fd, ports, e);
}

static int plan(struct engine_port_list *to, struct subject *s, struct engine *engine,
		const struct container *more, struct err *e)
{
	return s->by_program ? engine_uplink_plan(to, engine, more, &s->places, e)
			     : ports_plan_make(to, &s->reserve, engine, more, &s->places, e);
}

/* For containers that come to themselves by the host's address. */
static int turn_back(const struct engine_places *places, struct err *e)
{
	int r = 0;

	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	for (size_t i = 0; r == 0 && i < places->items.count; i++)
		if (places->items.items[i].outer)
			r = network_link_set_hairpin(socket, places->items.items[i].outer, e);
	return r;
}

/* more: of its record the ports that are new. */
static int add_live(struct subject *s, struct engine *engine, const struct container *more,
		    struct err *e)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
	own_clear(engine_ports_clear) struct engine_port_list all = { 0 };
	struct err ignored;

	int r = plan(&ports, s, engine, more, e);
	for (size_t i = 0; i < s->ports.items.count; i++)
		append(&all, &s->ports.items.items[i]);
	for (size_t i = 0; i < ports.items.count; i++)
		append(&all, &ports.items.items[i]);
	if (r == 0)
		r = write_ports(s->run, &all, s->by_program, e);
	if (r == 0 && !s->by_program)
		r = turn_back(&s->places, e);
	if (r == 0)
		r = translate(engine, s->id, &ports, s->by_program, e);
	if (r == 0 && !s->by_program)
		r = engine_ports_carry(s->run, -1, &ports, e);
	if (r == 0)
		r = record_commit(s->folder, &s->c, e);
	if (r == 0)
		return 0;
	engine_ports_drop(s->run, &ports);
	withdraw(&ports, s->by_program, &ignored);
	write_ports(s->run, &s->ports, s->by_program, &ignored);
	if (!s->by_program)
		give_back(s, &ports);
	return r;
}

int engine_ports_add(struct engine *engine, const char *name, const struct strv *publish,
		     struct err *e)
{
	own_clear(subject_clear) struct subject s = SUBJECT_INIT;
	own_clear(container_clear) struct container more = { 0 };

	int r = open_subject(&s, engine, name, false, e);
	more.network.publish_open = s.c.network.publish_open;
	more.network.publish_judged = s.c.network.publish_judged;
	more.network.mode = mem_text(s.c.network.mode);
	for (size_t i = 0; r == 0 && i < publish->count; i++) {
		r = config_publish(&s.c, publish->items[i], e);
		if (r == 0)
			r = config_publish(&more, publish->items[i], e);
	}
	if (r < 0)
		return r;
	return s.run < 0 ? record_commit(s.folder, &s.c, e) : add_live(&s, engine, &more, e);
}

/* ---- remove ---- */

static bool fits(const struct container_port *wanted, const struct container_port *port)
{
	return wanted->port == port->port && str_equal(wanted->protocol, port->protocol) &&
	       (!wanted->address || str_equal(wanted->address, port->address)) &&
	       (!wanted->host || !port->host || str_equal(wanted->host, port->host));
}

/* One that was published at any free port is named by the one that it has, too. */
static bool fits_live(const struct container_port *wanted, const struct engine_port *port)
{
	own_free char *host = mem_format("%u", (unsigned)(uint16_t)port->host_port);

	return wanted->port == port->port && str_equal(wanted->protocol, port->protocol) &&
	       (!wanted->address || str_equal(wanted->address, port->address)) &&
	       (!wanted->host || strchr(wanted->host, '-') || str_equal(wanted->host, host));
}

static size_t take_recorded(struct container_network *network, const struct container_port *wanted)
{
	size_t kept = 0, count = network->ports.count;

	for (size_t i = 0; i < count; i++) {
		struct container_port *port = &network->ports.items[i];
		if (!fits(wanted, port)) {
			network->ports.items[kept++] = *port;
			continue;
		}
		free(port->address);
		free(port->host);
		free(port->protocol);
	}
	network->ports.count = kept;
	return count - kept;
}

static size_t split_live(const struct engine_port_list *ports, const struct container_port *wanted,
			 struct engine_port_list *gone, struct engine_port_list *kept)
{
	size_t count = 0;

	for (size_t i = 0; i < ports->items.count; i++) {
		bool goes = fits_live(wanted, &ports->items.items[i]);
		append(goes ? gone : kept, &ports->items.items[i]);
		count += goes;
	}
	return count;
}

static int remove_one(struct subject *s, const struct container_port *wanted, const char *text,
		      struct engine_port_list *gone, struct err *e)
{
	struct engine_port_list kept = { 0 };

	size_t count = take_recorded(&s->c.network, wanted);
	count += split_live(&s->ports, wanted, gone, &kept);
	engine_ports_clear(&s->ports);
	s->ports = kept;
	if (count)
		return 0;
	err_set(e, ERR_NOT_FOUND, "it does not publish %s", text);
	return err_hint(e, "holm port %s lists what it publishes", s->c.name);
}

int engine_ports_remove(struct engine *engine, const char *name, const struct strv *publish,
			struct err *e)
{
	own_clear(subject_clear) struct subject s = SUBJECT_INIT;
	own_clear(engine_ports_clear) struct engine_port_list gone = { 0 };

	int r = open_subject(&s, engine, name, true, e);
	for (size_t i = 0; r == 0 && i < publish->count; i++) {
		own_clear(container_clear) struct container named = { 0 };
		r = config_publish(&named, publish->items[i], e);
		for (size_t k = 0; r == 0 && k < named.network.ports.count; k++)
			r = remove_one(&s, &named.network.ports.items[k], publish->items[i], &gone,
				       e);
	}
	if (r == 0)
		r = record_commit(s.folder, &s.c, e);
	if (r < 0 || s.run < 0)
		return r;
	engine_ports_drop(s.run, &gone);
	r = withdraw(&gone, s.by_program, e);
	if (r == 0)
		r = write_ports(s.run, &s.ports, s.by_program, e);
	if (!s.by_program)
		give_back(&s, &gone);
	return r;
}

/* ---- another way to it ---- */

static bool is_there(const struct engine_places *places, const char *target)
{
	size_t length = strlen(target);

	for (size_t i = 0; i < places->items.count; i++) {
		const struct strv *all = &places->items.items[i].addresses;
		for (size_t k = 0; k < all->count; k++)
			if (str_starts(all->items[k], target) && strchr("/", all->items[k][length]))
				return true;
	}
	return false;
}

static void lead_to(struct engine_port *port, const struct ports_target *target, bool by_program)
{
	bool any = str_equal(port->address, "::1"); /* as ports_plan.c has it */
	int family = !any && strchr(port->address, ':') ? AF_INET6 : AF_INET;
	const struct network_address *address = ports_plan_lead(target, family, any || by_program);
	char text[NETWORK_ADDRESS_TEXT] = "";

	if (address->family)
		network_address_format(text, address, false);
	mem_replace(&port->target, text);
	port->judged = target->judged;
}

/* Those that lead to none of the places: as they were, and as they are now. */
static void split_moved(struct engine_port_list *old, struct engine_port_list *moved,
			struct engine_port_list *ports, const struct engine_places *places,
			const struct ports_target *target, bool by_program)
{
	for (size_t i = 0; i < ports->items.count; i++) {
		struct engine_port *port = &ports->items.items[i];
		if (engine_ports_leads(port) && is_there(places, port->target))
			continue;
		if (engine_ports_leads(port))
			append(old, port);
		lead_to(port, target, by_program);
		if (engine_ports_leads(port))
			append(moved, port);
	}
}

int engine_ports_follow(struct engine *engine, const struct container *c, int run_fd,
			const struct engine_places *places, struct err *e)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
	own_clear(engine_ports_clear) struct engine_port_list old = { 0 };
	own_clear(engine_ports_clear) struct engine_port_list moved = { 0 };
	const bool by_program = engine_user_network_runs(engine);
	const struct ports_target target = ports_plan_target(c, places);

	int r = engine_ports_read_held(&ports, engine, c->id, e);
	if (r == 0)
		split_moved(&old, &moved, &ports, places, &target, by_program);
	if (r < 0 || old.items.count + moved.items.count == 0)
		return r;
	if (!by_program)
		engine_ports_drop(run_fd, &old);
	if (old.items.count)
		r = withdraw(&old, by_program, e);
	if (r == 0)
		r = write_ports(run_fd, &ports, by_program, e);
	/* programs look for it themselves */
	if (r == 0 && moved.items.count && !by_program)
		r = engine_ports_translate(engine, &moved, e);
	if (r == 0 && !by_program)
		r = engine_ports_carry(run_fd, -1, &moved, e);
	return r < 0 ? err_add(e, "move published ports") : 0;
}
