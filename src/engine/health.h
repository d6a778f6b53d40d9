/* health.h - a container's health as Docker tells it: for inspect, ps and the verb. */
#pragma once
#include "base/json.h"
#include "engine/engine.h"

/* Docker: one that has ended is unhealthy if it has a check and ever ran. */
enum monitor_health_status engine_health_status(const struct container *c,
						const struct container_state *state);

/* State.Health of inspect, the caller's (json_object_put); NULL: there is none. */
struct json_object *engine_health_object(struct engine *engine, const struct container *c,
					 const struct container_state *state);
