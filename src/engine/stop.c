#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/process.h"
#include "base/signal_name.h"
#include "engine/event.h"
#include "engine/parallel.h"
#include "engine/process.h"
#include "engine/record.h"
#include "engine/stop.h"
#include "monitor/kill.h"
#include "monitor/state.h"

/* Its monitor was asked and shows no sign of life: it is killed, and with it what it runs. */
static int end_silent(struct engine *engine, const char *id, struct err *e)
{
	own_free char *run_dir = engine_process_run_dir(engine, id);
	struct container_state state;

	log_warning("container %.12s: %s: killed", id, e->text);
	int r = monitor_kill(run_dir, e);
	if (r < 0)
		return err_add(e, "container %.12s", id);
	/* clears up behind it */
	r = engine_state_read(engine, id, &state, e);
	return r < 0 && e->kind == ERR_NOT_FOUND ? 0 : r;
}

int engine_stop_one(struct engine *engine, const char *id, const struct monitor_stop *stop,
		    struct err *e)
{
	struct container_state state;
	struct monitor_client client = MONITOR_CLIENT_NONE;

	int r = engine_state_read(engine, id, &state, e);
	if (r < 0)
		return r;
	if (!state.monitor_pid)
		return 0;
	r = engine_process_connect(engine, id, &client, e);
	if (r == 0)
		r = monitor_client_stop(&client, stop, NULL, e);
	monitor_client_close(&client);
	if (r < 0 && e->kind == ERR_TIMEOUT)
		return end_silent(engine, id, e);
	/* it ended by itself in between, or its monitor was killed just now */
	if (r < 0 && (e->kind == ERR_STATE || e->kind == ERR_UNREACHABLE))
		return 0;
	return r;
}

static int parse_options(struct monitor_stop *to, const struct stop_options *o, struct err *e)
{
	int64_t timeout = MONITOR_STOP_OWN;

	*to = (struct monitor_stop){ 0 };
	if (o->signal && signal_name_parse(&to->signal, o->signal, e) < 0)
		return err_add(e, "--signal");
	if (o->timeout && number_parse_i64(&timeout, o->timeout, -1, INT32_MAX, e) < 0)
		return err_add(e, "--timeout");
	to->timeout_s = (int)timeout;
	return 0;
}

static int stop_named(struct engine *engine, const char *name, const struct monitor_stop *stop,
		      struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	char id[CONTAINER_ID_LENGTH + 1];
	struct err ignored;

	int r = engine_find(engine, name, id, e);
	if (r < 0)
		return r;
	bool runs = monitor_state_alive_in(engine->run_fd, id) > 0 &&
		    record_read(engine, id, &c, &ignored) == 0;
	r = engine_stop_one(engine, id, stop, e);
	if (r == 0 && runs)
		engine_event_container(engine, &c, "stop", NULL);
	return r;
}

static int stop_in_parallel(struct engine *engine, const char *name, const void *stop,
			    struct err *e)
{
	return stop_named(engine, name, stop, e);
}

int engine_stop(struct engine *engine, const struct strv *names, const struct stop_options *o,
		engine_report *report, void *arg)
{
	struct monitor_stop stop;
	struct err e;

	if (parse_options(&stop, o, &e) < 0) {
		report(arg, names->count ? names->items[0] : "", &e);
		return 1;
	}
	if (names->count > 1)
		return engine_parallel(engine, names, 0, stop_in_parallel, &stop, report, arg);
	bool bad = names->count && stop_named(engine, names->items[0], &stop, &e) < 0;
	if (names->count)
		report(arg, names->items[0], bad ? &e : NULL);
	return bad;
}
