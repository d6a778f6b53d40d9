#include "base/err.h"
#include "base/own.h"
#include "engine/create.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "engine/start.h"

/* One lock from the container's birth until it runs: where it was given back in between, the maker
 * was killed (see engine/state.c). */
int engine_run(struct engine *engine, const struct create_options *o,
	       const struct start_options *start, struct container *ret,
	       struct engine_session *ret_session, struct err *e)
{
	struct container c = { 0 };

	*ret_session = (struct engine_session){ .client = MONITOR_CLIENT_NONE };
	own_fd int folder = engine_create_locked(engine, o, true, &c, e);
	if (folder < 0)
		return folder;
	fault_point("run.start");
	int r = engine_start_locked(engine, &c, folder, start, ret_session, e);
	if (r == 0)
		*ret = c;
	else
		container_clear(&c);
	return r;
}
