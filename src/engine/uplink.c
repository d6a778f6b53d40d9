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
#include "network/uplink.h"
#include "storage/store.h"

/* ---- which ports ---- */

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

/* Reserved for a moment, which chooses and names who has them; holm-proxy gets them then. */
int engine_uplink_plan(struct engine_port_list *to, struct engine *engine,
		       const struct container *c, const struct engine_places *places, struct err *e)
{
	own_clear(network_reserve_close) struct network_reserve reserve = NETWORK_RESERVE_INIT;

	if (c->network.ports.count == 0 && !c->network.publish_all)
		return 0;
	int r = network_reserve_open(&reserve, e);
	if (r == 0)
		r = ports_plan_make(to, &reserve, engine, c, places, e);
	return r;
}

/* ---- a program of its own ---- */

static int start(struct engine *engine, const struct container *c,
		 const struct engine_connection *connection, int run_fd, struct err *e)
{
	own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
	own_free char *folder = engine_process_run_dir(engine, c->id);
	pid_t pid;

	int r = engine_uplink_plan(&ports, engine, c, &connection->places, e);
	if (r == 0 && ports.items.count)
		r = engine_ports_write_list(run_fd, &ports, e);
	if (r < 0)
		return r;
	const struct network_uplink_request request = {
		.name = c->network.mode,
		.namespace_fd = connection->namespace.fd,
		.folder = folder,
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
	return network_uplink_is_name(c->network.mode) || engine_user_network_runs(engine);
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
	return engine_ports_carry(run_fd, namespace, ports, e);
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
		r = engine_ports_carry(run_fd, connection->namespace.fd, &ports, e);
	return r < 0 ? err_add(e, "publish ports") : 0;
}
