#include "engine/health.h"

#include "base/err.h"
#include "base/own.h"
#include "engine/inspect_part.h"
#include "engine/process.h"

enum monitor_health_status engine_health_status(const struct container *c,
						const struct container_state *state)
{
	if (container_state_live(state) || state->status == CONTAINER_RESTARTING)
		return state->health;
	return container_has_health(c) && state->started_ns ? MONITOR_HEALTH_UNHEALTHY
							    : MONITOR_HEALTH_NONE;
}

static struct json_object *result_object(const struct monitor_health_result *result)
{
	struct json_object *to = json_object_new_object();

	inspect_text(to, "Start", result->start);
	inspect_text(to, "End", result->end);
	inspect_number(to, "ExitCode", result->exit_code);
	inspect_text(to, "Output", result->output);
	return to;
}

struct json_object *engine_health_object(struct engine *engine, const struct container *c,
					 const struct container_state *state)
{
	enum monitor_health_status status = engine_health_status(c, state);
	own_clear(monitor_health_clear) struct monitor_health health = { 0 };
	struct err none; /* no check has ended yet */

	if (status == MONITOR_HEALTH_NONE)
		return NULL;
	if (monitor_health_read_in(&health, engine->run_fd, c->id, &none) < 0)
		monitor_health_read_in(&health, engine->containers_fd, c->id, &none);
	struct json_object *to = json_object_new_object(), *log = json_object_new_array();
	for (size_t i = 0; i < health.log.count; i++)
		json_object_array_add(log, result_object(&health.log.items[i]));
	inspect_text(to, "Status", monitor_health_name(status));
	inspect_number(to, "FailingStreak", health.failing_streak);
	json_object_object_add(to, "Log", log);
	return to;
}

int engine_health_check(struct engine *engine, const char *name, int *ret_code, struct err *e)
{
	own_monitor_client struct monitor_client client = MONITOR_CLIENT_NONE;
	char id[CONTAINER_ID_LENGTH + 1];

	int r = engine_find(engine, name, id, e);
	if (r == 0)
		r = engine_process_connect(engine, id, &client, e);
	return r < 0 ? r : monitor_client_check(&client, ret_code, e);
}
