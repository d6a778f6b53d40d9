#include "engine/engine.h"

#include "base/err.h"
#include "base/own.h"
#include "engine/event.h"

struct restarting {
	struct engine *engine;
	engine_report *report;
	void *arg;
	int failed;
};

static int start(struct engine *engine, const char *name, struct err *e)
{
	const struct start_options o = { 0 };
	struct engine_session session;
	int r = engine_start(engine, name, &o, &session, e);

	if (r < 0)
		return r;
	engine_session_close(&session);
	own_clear(container_clear) struct container c = { 0 };
	struct err ignored;
	if (engine_load(engine, name, &c, NULL, &ignored) == 0)
		engine_event_container(engine, &c, "restart", NULL);
	return 0;
}

static void stopped(void *arg, const char *name, const struct err *problem)
{
	struct restarting *all = arg;
	struct err e;

	if (!problem && start(all->engine, name, &e) < 0)
		problem = &e;
	all->failed += problem != NULL;
	all->report(all->arg, name, problem);
}

/* One that goes at its end cannot be started again. */
static int check(struct engine *engine, const char *name, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	int r = engine_load(engine, name, &c, NULL, e);

	if (r < 0 || !c.auto_remove)
		return r;
	return err_set(e, ERR_STATE, "container %s cannot be restarted: it was made with --rm",
		       name);
}

int engine_restart(struct engine *engine, const struct strv *names, const struct stop_options *o,
		   engine_report *report, void *arg)
{
	struct restarting all = { engine, report, arg, 0 };
	own_clear(strv_clear) struct strv good = { 0 };

	for (size_t i = 0; i < names->count; i++) {
		struct err e;
		if (check(engine, names->items[i], &e) == 0) {
			strv_add(&good, names->items[i]);
			continue;
		}
		all.failed++;
		report(arg, names->items[i], &e);
	}
	engine_stop(engine, &good, o, stopped, &all);
	return all.failed;
}
