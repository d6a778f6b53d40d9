#include "system/reboot.h"

#include <stdint.h>

#include "base/err.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/process.h"
#include "system/ready.h"

/* What is ready after the end is the new one. */
static int await_reboot(struct monitor_client *client, int timeout_s, struct err *e)
{
	own_clear(str_clear) struct str console = { 0 };
	struct monitor_exit end;

	int r = monitor_client_reboot(client, timeout_s, &end, e);
	if (r < 0)
		return r;
	return end.flags & MONITOR_EXIT_RESTARTING ? system_ready_await(client, &console, e)
						   : system_ready_ended(&end, e);
}

int system_reboot(struct engine *engine, const char *name, const char *timeout, struct err *e)
{
	struct monitor_client client = MONITOR_CLIENT_NONE;
	int64_t timeout_s = MONITOR_STOP_OWN;
	struct container_state state;
	char id[CONTAINER_ID_LENGTH + 1];

	if (timeout && number_parse_i64(&timeout_s, timeout, -1, INT32_MAX, e) < 0)
		return err_add(e, "--time");
	int r = engine_find(engine, name, id, e);
	if (r == 0)
		r = engine_load(engine, id, NULL, &state, e);
	if (r < 0)
		return r;
	if (state.status != CONTAINER_RUNNING)
		return err_set(e, ERR_STATE, "container %s is not running", name);
	r = engine_process_connect(engine, id, &client, e);
	if (r == 0)
		r = await_reboot(&client, (int)timeout_s, e);
	monitor_client_close(&client);
	return r;
}
