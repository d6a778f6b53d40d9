#include "system/launch.h"

#include "base/err.h"
#include "engine/engine.h"
#include "system/ready.h"

int system_launch(struct engine *engine, const struct create_options *o, struct container *ret,
		  struct str *console, struct err *e)
{
	const struct start_options start = { .attach = true, .watch = true };
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };
	struct container c = { 0 };

	int r = engine_run(engine, o, &start, &c, &session, e);
	if (r < 0)
		return r;
	r = system_ready_await(&session.client, console, e);
	engine_session_close(&session);
	if (r < 0) {
		err_add(e, "%s", c.name);
		container_clear(&c);
		return r;
	}
	*ret = c;
	return 0;
}
