#include "engine/trace.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/network.h"
#include "engine/record.h"
#include "network/capture.h"
#include "wire/netlink.h"

/* The network of the container's first process. */
static int open_network(struct network_namespace *ret, const struct container_state *state,
			int process, struct err *e)
{
	own_free char *path = mem_format("/proc/%d/ns/net", (int)state->pid);

	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	/* another may have its number since */
	if (process_ended(process))
		return err_set(e, ERR_STATE, "it has just ended");
	ret->fd = take_fd(&fd);
	int back = network_namespace_enter(ret, e);
	if (back < 0)
		return back;
	ret->socket = wire_netlink_open(e);
	network_namespace_leave(back);
	return ret->socket < 0 ? ret->socket : 0;
}

static char *first_device(struct engine *engine, const char *id)
{
	own_clear(engine_network_places_clear) struct engine_places places = { 0 };
	struct err ignored;

	if (engine_network_places_read(&places, engine, id, &ignored) < 0 ||
	    places.items.count == 0)
		return mem_text("eth0"); /* of the container whose network it shares */
	return take_ptr(&places.items.items[0].device);
}

int engine_trace_open(int *ret_process, struct engine *engine, const char *name, const char *device,
		      const struct network_sift *sift, struct err *e)
{
	own_clear(network_namespace_close) struct network_namespace namespace =
		NETWORK_NAMESPACE_INIT;
	struct container_state state;
	char id[CONTAINER_ID_LENGTH + 1];

	int r = engine_find(engine, name, id, e);
	if (r == 0)
		r = engine_state_read(engine, id, &state, e);
	if (r < 0)
		return r;
	if (!container_state_live(&state) || state.pid <= 0)
		return err_set(e, ERR_STATE, "container %s is not running", name);
	own_fd int process = process_open(state.pid, state.pid_start);
	if (process < 0)
		return err_number(e, -process, "the first process of %s", name);
	r = open_network(&namespace, &state, process, e);
	own_free char *first = device ? mem_text(device) : first_device(engine, id);
	if (r == 0)
		r = network_capture_open(&namespace, first, sift, e);
	if (r < 0)
		return err_add(e, "the network of %s", name);
	*ret_process = take_fd(&process);
	return r;
}
