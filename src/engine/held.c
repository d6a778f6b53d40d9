#include "engine/held.h"

#include <unistd.h>

#include "base/own.h"
#include "engine/engine.h"
#include "engine/record.h"
#include "storage/store.h"

int engine_held_take(struct engine_held *to, struct engine *engine, const char *name, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	int r = engine_find(engine, name, id, e);
	if (r < 0)
		return r;
	to->layers = store_lock_layers_shared(engine->store, e);
	if (to->layers < 0)
		return to->layers;
	to->folder = record_lock(engine, id, true, e);
	if (to->folder < 0)
		return to->folder;
	r = engine_state_read_locked(engine, id, to->folder, &to->state, e);
	return r < 0 ? r : record_read(engine, id, &to->container, e);
}

void engine_held_clear(struct engine_held *held)
{
	container_clear(&held->container);
	own_fd_call(&held->folder);
	own_fd_call(&held->layers);
	*held = (struct engine_held)ENGINE_HELD_NONE;
}
