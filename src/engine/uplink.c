#include "engine/uplink.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/network.h"
#include "engine/ports.h"
#include "engine/ports_plan.h"
#include "engine/process.h"
#include "engine/user_network.h"
#include "monitor/client.h"
#include "monitor/state.h"
#include "monitor/uplink.h"
#include "network/reserve.h"
#include "network/slirp.h"
#include "network/uplink.h"
#include "storage/store.h"

/* ---- which ports ---- */

static bool is_carried(const struct engine_port *port)
{
	return str_equal(port->protocol, "tcp");
}

/* slirp4netns(1), add_hostfwd: "IPv4 only". All addresses of both families are one wish. */
static int leave_ipv6(struct engine_port_list *ports, struct err *e)
{
	struct engine_port_list all = *ports;

	*ports = (struct engine_port_list){ 0 };
	int r = 0;
	for (size_t i = 0; i < all.items.count; i++) {
		struct engine_port *port = &all.items.items[i];
		bool six = strchr(port->address, ':') && !is_carried(port);
		if (six && !str_equal(port->address, "::"))
			r = err_set(
				e, ERR_UNSUPPORTED,
				"--publish %s: slirp4netns publishes %s at IPv4 addresses alone",
				port->address, port->protocol);
		if (six)
			continue;
		*shape_list_add(&ports->items) = *port;
		*port = (struct engine_port){ 0 };
	}
	engine_ports_clear(&all);
	return r;
}

/* From the choice of ports until the program has them: of two that want one port at once, one gets
 * it. -1: the caller wants none, or there is no lock. Closing it lets go. */
static int lock_ports(struct engine *engine, const struct container *c)
{
	if (c->network.ports.count == 0 && !c->network.publish_all)
		return -1;
	own_fd int fd = openat(engine->store->run_fd, "ports",
			       O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd >= 0 && flock(fd, LOCK_EX) == 0 ? take_fd(&fd) : -1;
}

/* Reserved for a moment, which chooses and names who has them; the program takes them itself. */
int engine_uplink_plan(struct engine_port_list *to, struct engine *engine,
		       const struct container *c, const struct engine_places *places, struct err *e)
{
	own_clear(network_reserve_close) struct network_reserve reserve = NETWORK_RESERVE_INIT;

	if (c->network.ports.count == 0 && !c->network.publish_all)
		return 0;
	int r = network_reserve_open(&reserve, e);
	if (r == 0)
		r = ports_plan_make(to, &reserve, engine, c, places, e);
	if (r == 0 && !str_equal(c->network.mode, NETWORK_UPLINK_PASTA))
		r = leave_ipv6(to, e);
	return r;
}

static void list_ports(struct strv *to, const struct engine_port_list *ports)
{
	for (size_t i = 0; i < ports->items.count; i++) {
		const struct engine_port *port = &ports->items.items[i];
		if (is_carried(port) || str_equal(port->address, "::"))
			continue;
		strv_addf(to, "%s %s %lld %lld %s", port->protocol, port->address,
			  (long long)port->host_port, (long long)port->port,
			  str_equal(port->target, "0.0.0.0") ? "" : port->target);
	}
}

/* ---- a program of its own ---- */

static int start(struct engine *engine, const struct container *c,
		 const struct engine_connection *connection, int run_fd, struct err *e)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
	own_free char *folder = engine_process_run_dir(engine, c->id);
	own_clear(strv_clear) struct strv words = { 0 };
	pid_t pid;

	int r = engine_uplink_plan(&ports, engine, c, &connection->places, e);
	if (r == 0 && ports.items.count)
		r = engine_ports_write_list(run_fd, &ports, e);
	if (r < 0)
		return r;
	list_ports(&words, &ports);
	const struct network_uplink_request request = {
		.name = c->network.mode,
		.namespace_fd = connection->namespace.fd,
		.folder = folder,
		.ports = &words,
	};
	r = network_uplink_start(&pid, &request, e);
	if (r < 0)
		return r;
	r = monitor_uplink_write(run_fd, pid, e);
	if (r < 0)
		kill(pid, SIGKILL);
	return r < 0 ? r : engine_ports_carry(run_fd, connection->namespace.fd, &ports, e);
}

int engine_uplink_start(struct engine *engine, const struct container *c,
			const struct engine_connection *connection, int run_fd, struct err *e)
{
	if (!network_uplink_is_name(c->network.mode))
		return 0;
	own_fd int lock = lock_ports(engine, c);
	(void)lock;
	int r = start(engine, c, connection, run_fd, e);
	return r < 0 ? err_add(e, "network") : 0;
}

/* ---- ports of what runs ---- */

bool engine_uplink_has(const struct engine *engine, const struct container *c)
{
	own_free char *socket = engine_user_network_socket(engine);

	return network_uplink_is_name(c->network.mode) || socket;
}

static bool has_file(const struct engine *engine, const char *id, const char *name)
{
	own_free char *path = mem_format("%s/%s", id, name);

	return faccessat(engine->run_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Of its own one, or of all the user's networks. */
static int find_socket(char **ret, struct engine *engine, const char *id, struct err *e)
{
	own_free char *shared = engine_user_network_socket(engine);

	if (has_file(engine, id, NETWORK_UPLINK_SLIRP_SOCKET)) {
		own_free char *folder = engine_process_run_dir(engine, id);
		*ret = path_join(folder, NETWORK_UPLINK_SLIRP_SOCKET);
		return 0;
	}
	/* pasta's, of its own */
	if (shared && !has_file(engine, id, "pid")) {
		*ret = take_ptr(&shared);
		return 0;
	}
	err_set(e, ERR_UNSUPPORTED, "pasta takes no UDP ports once it runs");
	return err_hint(e, "stop it, change its ports, and start it again; with --network "
			   "slirp4netns they change while it runs");
}

static int tell(int (*ask)(const char *socket, const struct strv *ports, struct err *e),
		struct engine *engine, const char *id, const struct engine_port_list *ports,
		struct err *e)
{
	own_clear(strv_clear) struct strv words = { 0 };
	own_free char *socket = NULL;

	list_ports(&words, ports);
	int r = words.count ? find_socket(&socket, engine, id, e) : 0;
	return r < 0 || !words.count ? r : ask(socket, &words, e);
}

/* Of one that runs: its monitor keeps it. */
static int open_network(struct engine *engine, const char *id, struct err *e)
{
	pid_t monitor = monitor_state_alive_in(engine->run_fd, id);
	own_free char *path =
		mem_format("/proc/%d%s", (int)monitor, MONITOR_NETWORK + strlen("/proc/self"));
	int fd = monitor > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (monitor <= 0)
		return err_set(e, ERR_STATE, "the container does not run");
	return fd < 0 ? err_sys(e, "open the container's network") : fd;
}

int engine_uplink_publish(struct engine *engine, const char *id,
			  const struct engine_port_list *ports, struct err *e)
{
	own_fd int namespace = open_network(engine, id, e);
	if (namespace < 0)
		return namespace;
	own_fd int run_fd =
		openat(engine->run_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run_fd < 0)
		return err_sys(e, "open the run folder");
	int r = tell(network_slirp_publish, engine, id, ports, e);
	return r < 0 ? r : engine_ports_carry(run_fd, namespace, ports, e);
}

int engine_uplink_lead(struct engine *engine, const char *id, const struct engine_port_list *ports,
		       struct err *e)
{
	return tell(network_slirp_publish, engine, id, ports, e);
}

int engine_uplink_withdraw(struct engine *engine, const char *id,
			   const struct engine_port_list *ports, struct err *e)
{
	return tell(network_slirp_withdraw, engine, id, ports, e);
}

int engine_uplink_publish_all(struct engine *engine, const struct container *c,
			      const struct engine_connection *connection, int run_fd, struct err *e)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };

	own_fd int lock = lock_ports(engine, c);
	(void)lock;
	int r = engine_uplink_plan(&ports, engine, c, &connection->places, e);
	if (r == 0 && ports.items.count)
		r = engine_ports_write_list(run_fd, &ports, e);
	if (r == 0)
		r = tell(network_slirp_publish, engine, c->id, &ports, e);
	if (r == 0)
		r = engine_ports_carry(run_fd, connection->namespace.fd, &ports, e);
	return r < 0 ? err_add(e, "publish ports") : 0;
}

int engine_uplink_forget(struct engine *engine, const char *dead, struct err *e)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
	own_free char *socket = engine_user_network_socket(engine);
	own_clear(strv_clear) struct strv words = { 0 };

	int r = socket ? engine_ports_read(&ports, engine, dead, e) : 0;
	list_ports(&words, &ports);
	return r < 0 || !socket ? r : network_slirp_withdraw(socket, &words, e);
}
