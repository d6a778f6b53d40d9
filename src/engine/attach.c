#include "engine/engine.h"

#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "engine/process.h"
#include "engine/record.h"

int engine_attach(struct engine *engine, const char *name, const struct start_options *o,
		  struct engine_session *ret, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	struct container_state state;
	struct monitor_client client = MONITOR_CLIENT_NONE;
	uint8_t flags = 0;

	*ret = (struct engine_session){ .client = MONITOR_CLIENT_NONE };
	int r = engine_load(engine, name, &c, &state, e);
	if (r < 0)
		return r;
	if (state.status == CONTAINER_PAUSED)
		return err_set(e, ERR_STATE, "container %s is paused", name);
	if (state.status != CONTAINER_RUNNING)
		return err_set(e, ERR_STATE, "container %s is not running", name);

	r = engine_process_connect(engine, c.id, &client, e);
	if (r < 0)
		return r;
	bool input = o->interactive && c.process.open_stdin;
	flags |= input ? MONITOR_ATTACH_STDIN : 0;
	flags |= o->no_stdout ? 0 : MONITOR_ATTACH_STDOUT;
	flags |= o->no_stderr ? 0 : MONITOR_ATTACH_STDERR;
	flags |= o->scrollback ? MONITOR_ATTACH_SCROLLBACK : 0;
	r = monitor_client_attach(&client, flags, e);
	if (r < 0) {
		monitor_client_close(&client);
		return r;
	}
	ret->client = client;
	ret->pid = state.pid;
	ret->tty = c.process.tty;
	ret->open_stdin = input;
	strcpy(ret->id, c.id);
	return 0;
}
