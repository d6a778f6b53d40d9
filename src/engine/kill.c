#include "engine/engine.h"

#include <signal.h>

#include "base/err.h"
#include "base/signal_name.h"
#include "engine/process.h"
#include "engine/stop.h"

int engine_kill(struct engine *engine, const char *name, const char *signal, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];
	struct container_state state;
	struct monitor_client client = MONITOR_CLIENT_NONE;
	int number = SIGKILL;

	if (signal && signal_name_parse(&number, signal, e) < 0)
		return err_add(e, "--signal");
	int r = engine_find(engine, name, id, e);
	if (r == 0)
		r = engine_state_read(engine, id, &state, e);
	if (r < 0)
		return r;
	if (!container_state_live(&state) && state.status != CONTAINER_RESTARTING)
		return err_set(e, ERR_STATE, "container %s is not running", name);
	if (number == SIGKILL) {
		/* as docker kill, which returns when it has ended: no restart policy revives it */
		const struct monitor_stop now = { .timeout_s = 0 };
		return engine_stop_one(engine, id, &now, e);
	}
	r = engine_process_connect(engine, id, &client, e);
	if (r == 0)
		r = monitor_client_kill(&client, number, e);
	monitor_client_close(&client);
	return r;
}
