#include "engine/engine.h"

#include "base/err.h"
#include "engine/process.h"

static int set_paused(struct engine *engine, const char *name, bool pause, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];
	struct container_state state;
	struct monitor_client client = MONITOR_CLIENT_NONE;

	int r = engine_find(engine, name, id, e);
	if (r == 0)
		r = engine_state_read(engine, id, &state, e);
	if (r < 0)
		return r;
	if (!container_state_live(&state))
		return err_set(e, ERR_STATE, "container %s is not running", name);
	if ((state.status == CONTAINER_PAUSED) == pause)
		return err_set(e, ERR_STATE, "container %s is %s", name,
			       pause ? "paused already" : "not paused");
	r = engine_process_connect(engine, id, &client, e);
	if (r == 0)
		r = monitor_client_pause(&client, pause, e);
	monitor_client_close(&client);
	return r;
}

int engine_pause(struct engine *engine, const char *name, struct err *e)
{
	return set_paused(engine, name, true, e);
}

int engine_unpause(struct engine *engine, const char *name, struct err *e)
{
	return set_paused(engine, name, false, e);
}
