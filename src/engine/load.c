#include "engine/engine.h"

#include "base/err.h"
#include "engine/fsck.h"
#include "engine/record.h"
#include "engine/whole.h"

int engine_load(struct engine *engine, const char *name, struct container *ret,
		struct container_state *ret_state, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];
	int r = engine_find(engine, name, id, e);

	if (r == 0 && ret_state)
		r = engine_state_read(engine, id, ret_state, e);
	if (r == 0 && ret)
		r = record_read(engine, id, ret, e);
	if (r == 0 && ret && ret_state)
		engine_whole_judge(engine, ret, ret_state);
	if (r < 0 && e->kind == ERR_CORRUPT)
		err_hint(e, ENGINE_FSCK_HINT);
	return r;
}
