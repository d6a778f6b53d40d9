#include "engine/held.h"

#include <unistd.h>

#include "base/err.h"
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
	if (r == 0)
		r = record_read(engine, id, &to->container, e);
	if (r < 0 || !to->container.image.in_place)
		return r;
	err_set(e, ERR_UNSUPPORTED, "container %s is booted in place, in %s, which has no layers",
		name, to->container.image.rootfs);
	return err_hint(e,
			"import the folder as an image first: tar c -C %s . | holm import - NAME",
			to->container.image.rootfs);
}

void engine_held_clear(struct engine_held *held)
{
	container_clear(&held->container);
	own_fd_call(&held->folder);
	own_fd_call(&held->layers);
	*held = (struct engine_held)ENGINE_HELD_NONE;
}
