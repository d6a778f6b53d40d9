#include "engine/engine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/name.h"
#include "engine/process.h"
#include "engine/spec.h"
#include "monitor/exec_request.h"
#include "runtime/capability.h"
#include "runtime/inherited.h"

extern char **environ;

static int set_env(struct strv *to, const struct container *c, const struct exec_options *o,
		   struct err *e)
{
	spec_env(to, c, o->tty);
	return config_env(to, &o->env_file, &o->env, environ, e);
}

static int set_workdir(struct oci_process *process, const struct container *c, const char *workdir,
		       struct err *e)
{
	if (workdir && workdir[0] != '/')
		return err_set(e, ERR_INVALID, "--workdir '%s': not an absolute path such as /srv",
			       workdir);
	process->cwd = mem_text(workdir ? workdir : c->process.workdir);
	return 0;
}

static void set_privileged(struct oci_process *process)
{
	struct oci_capabilities *to = mem_new_struct(struct oci_capabilities);
	uint64_t own = runtime_capability_own();

	process->capabilities = to;
	process->apparmor_profile = mem_text("unconfined");
	runtime_capability_names(&to->bounding, own);
	runtime_capability_names(&to->effective, own);
	runtime_capability_names(&to->permitted, own);
}

static int fill(struct oci_process *process, const struct container *c,
		const struct exec_options *o, struct err *e)
{
	if (o->command.count == 0 || !*o->command.items[0])
		return err_set(e, ERR_INVALID, "no command");
	strv_add_all(&process->args, &o->command);
	process->terminal = o->tty;
	if (o->tty && o->rows) {
		process->console_size = mem_new_struct(struct oci_console_size);
		process->console_size->height = o->rows;
		process->console_size->width = o->columns;
	}
	if (o->user) {
		int r = config_check_user("--user", o->user, e);
		if (r < 0)
			return r;
	}
	const char *user = !str_empty(o->user) ? o->user : c->process.user;
	process->user.username = mem_text(user ? user : "0:0");
	process->no_new_privileges = c->security.no_new_privileges && !o->privileged;
	if (o->privileged)
		set_privileged(process);
	int r = set_workdir(process, c, o->workdir, e);
	return r < 0 ? r : set_env(&process->env, c, o, e);
}

/* The command inherits 0, 1 and 2 as they are; who is not asked for input has none. */
static int close_input(const struct exec_options *o, struct err *e)
{
	if (o->interactive || o->tty)
		return 0;
	own_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return err_sys(e, "open /dev/null");
	return 0;
}

/* Whatever keeps the command from running in the container is 126, as with docker: its user, its
 * folder, a limit. */
static int started(struct monitor_client *client, pid_t *ret_pid, struct err *e)
{
	int r = monitor_client_started(client, ret_pid, e);

	if (r < 0 && e->kind != ERR_COMMAND_NOT_FOUND && e->kind != ERR_UNREACHABLE &&
	    e->kind != ERR_STATE)
		e->kind = ERR_NOT_EXECUTABLE;
	return r;
}

static int spawn(struct engine *engine, const struct container *c, const struct exec_options *o,
		 struct engine_session *ret, struct err *e)
{
	struct monitor_exec_request request = { .detach = o->detach,
						.stdin_open = o->interactive,
						.bound = o->bound };
	own_free char *run_dir = engine_process_run_dir(engine, c->id);
	struct monitor_client client = MONITOR_CLIENT_NONE;

	char id[CONTAINER_ID_LENGTH + 1];

	engine_id_generate(id);
	request.id = mem_text(id);
	if (o->inherited) {
		request.listen.fds = (int64_t)o->inherited->listen;
		request.listen.names = mem_text(o->inherited->names);
	}
	int r = fill(&request.process, c, o, e);
	if (r == 0)
		r = close_input(o, e);
	if (r == 0)
		r = monitor_spawn_exec(&client, run_dir, &request, o->inherited, e);
	if (r == 0)
		r = started(&client, &ret->pid, e);
	shape_clear(&monitor_exec_request_shape, &request);
	if (r < 0 || o->detach)
		monitor_client_close(&client);
	if (r < 0)
		return r;
	ret->client = client;
	if (o->detach)
		ret->client = (struct monitor_client)MONITOR_CLIENT_NONE;
	return 0;
}

int engine_exec(struct engine *engine, const struct exec_options *o, struct engine_session *ret,
		struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	struct container_state state;

	*ret = (struct engine_session){ .client = MONITOR_CLIENT_NONE };
	int r = engine_load(engine, o->container, &c, &state, e);
	if (r < 0)
		return r;
	if (state.status == CONTAINER_PAUSED) {
		err_set(e, ERR_STATE, "container %s is paused", o->container);
		return err_hint(e, "holm unpause %s", o->container);
	}
	if (state.status != CONTAINER_RUNNING)
		return err_set(e, ERR_STATE, "container %s is not running", o->container);
	strcpy(ret->id, c.id);
	ret->tty = o->tty;
	ret->open_stdin = o->interactive;
	return spawn(engine, &c, o, ret, e);
}
