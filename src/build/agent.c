#include "build/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "build/build.h"
#include "build/step.h"
#include "engine/engine.h"
#include "storage/store.h"

enum { START_MS = 10000, LOOK_MS = 5 };

const char *build_agents_find(const struct build_agents *agents, const char *id)
{
	for (size_t i = 0; i < agents->items.count; i++)
		if (str_equal(agents->items.items[i].id, id))
			return agents->items.items[i].socket;
	return NULL;
}

void build_agents_end(struct build_agents *agents, const struct build *build)
{
	for (size_t i = 0; i < agents->items.count; i++) {
		struct build_agent *agent = &agents->items.items[i];
		if (agent->pid > 0) {
			close(agent->alive_fd);
			process_wait(agent->pid);
		}
		free(agent->id);
		free(agent->socket);
	}
	free(agents->items.items);
	build_run_folder_remove(&agents->folder, build->engine->store);
	*agents = (struct build_agents)BUILD_AGENTS_NONE;
}

/* ---- programs of OpenSSH ---- */

/* In the folder, where the socket's name is short. input -1: as it is. */
static int start_program(pid_t *ret, const struct build_agents *agents,
			 const struct strv *arguments, const char *socket, int input, struct err *e)
{
	pid_t child = fork();

	if (child < 0)
		return err_sys(e, "fork");
	if (child > 0) {
		*ret = child;
		return 0;
	}
	process_reset_signals();
	setenv("SSH_AUTH_SOCK", socket, 1);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	if (input >= 0)
		dup2(input, STDIN_FILENO);
	if (fchdir(agents->folder.fd) == 0)
		execvp(arguments->items[0], arguments->items);
	_exit(errno == ENOENT ? 127 : 126);
}

static int ended_with(const char *program, int status, struct err *e)
{
	int code = process_exit_code(status);

	if (code != 127)
		return err_set(e, ERR_INVALID, "%s ended with %d", program, code);
	err_set(e, ERR_NOT_FOUND, "there is no %s", program);
	return err_hint(e, "install openssh-client, or give an agent's socket");
}

static int wait_for_socket(const struct build_agents *agents, pid_t pid, const char *socket,
			   struct err *e)
{
	const struct timespec moment = { .tv_nsec = LOOK_MS * 1000000L };
	struct stat st;
	int status;

	for (int waited = 0; waited < START_MS; waited += LOOK_MS) {
		if (fstatat(agents->folder.fd, socket, &st, 0) == 0)
			return 0;
		if (waitpid(pid, &status, WNOHANG) == pid)
			return ended_with("ssh-agent", status, e);
		nanosleep(&moment, NULL);
	}
	kill(pid, SIGKILL);
	process_wait(pid);
	return err_set(e, ERR_STATE, "ssh-agent made no socket");
}

/* ssh-agent is set-group-id, so that no signal comes at this process's death: a shell has the end
 * of a pipe, which closes, and ends it. */
static int start_agent(struct build_agent *agent, const struct build_agents *agents,
		       const char *socket, struct err *e)
{
	static const char *const words[] = {
		"/bin/sh", "-c", "trap '' INT HUP TERM; read -r end; kill \"$SSH_AGENT_PID\""
	};
	own_clear(strv_clear) struct strv arguments = { 0 };
	int ends[2];
	pid_t pid = -1;

	strv_add(&arguments, "ssh-agent");
	strv_add(&arguments, "-a");
	strv_add(&arguments, socket);
	for (size_t i = 0; i < COUNT_OF(words); i++)
		strv_add(&arguments, words[i]);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int input = ends[0], alive = ends[1];
	int r = start_program(&pid, agents, &arguments, "", input, e);
	if (r == 0)
		r = wait_for_socket(agents, pid, socket, e);
	if (r < 0)
		return r;
	agent->pid = pid;
	agent->alive_fd = take_fd(&alive);
	return 0;
}

static int add_keys(const struct build_agents *agents, const char *socket, const struct strv *keys,
		    struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	pid_t pid = -1;

	strv_add(&arguments, "ssh-add");
	strv_add(&arguments, "-q");
	strv_add(&arguments, "--");
	strv_add_all(&arguments, keys);
	int r = start_program(&pid, agents, &arguments, socket, -1, e);
	if (r < 0)
		return r;
	int status = process_wait(pid);
	return status == 0 ? 0 : ended_with("ssh-add", status, e);
}

/* ---- one --ssh ---- */

static int start_for(struct build_agents *to, const struct build *build, const char *id,
		     const struct strv *keys, struct err *e)
{
	const struct store *store = build->engine->store;
	int r = build_run_folder_make(&to->folder, store, e);

	if (r < 0)
		return r;
	own_free char *name = mem_format("agent.%zu", to->items.count);
	struct build_agent *agent = shape_list_add(&to->items);
	*agent = (struct build_agent){
		.id = mem_text(id),
		.socket = mem_format("%s/%s/%s", store->run, to->folder.name, name),
		.pid = -1,
	};
	r = start_agent(agent, to, name, e);
	return r < 0 ? r : add_keys(to, name, keys, e);
}

/* The files, absolute. None: it is a socket. */
static int read_keys(struct strv *keys, const char *paths, struct err *e)
{
	own_clear(strv_clear) struct strv given = { 0 };

	strv_split(&given, paths, ',');
	for (size_t i = 0; i < given.count; i++) {
		struct stat st;
		char *path = realpath(given.items[i], NULL);
		if (!path || stat(path, &st) < 0) {
			free(path);
			return err_sys(e, "%s", given.items[i]);
		}
		if (S_ISSOCK(st.st_mode) && given.count == 1) {
			free(path);
			return 0;
		}
		strv_add_take(keys, path);
		if (!S_ISREG(st.st_mode))
			return err_set(e, ERR_INVALID, "%s: neither a key file nor a socket",
				       given.items[i]);
	}
	return 0;
}

/* Of one id the last one counts. */
static bool is_overruled(const struct strv *ssh, size_t number, size_t id_length)
{
	for (size_t i = number + 1; i < ssh->count; i++)
		if (strcspn(ssh->items[i], "=") == id_length &&
		    strncmp(ssh->items[i], ssh->items[number], id_length) == 0)
			return true;
	return false;
}

int build_agents_start(struct build_agents *ret, const struct build *build, struct err *e)
{
	const struct strv *ssh = &build->o->ssh;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ssh->count; i++) {
		own_clear(strv_clear) struct strv keys = { 0 };
		const char *text = ssh->items[i], *equals = strchr(text, '=');
		if (!equals || is_overruled(ssh, i, (size_t)(equals - text)))
			continue;
		own_free char *id = mem_text_n(text, (size_t)(equals - text));
		r = read_keys(&keys, equals + 1, e);
		if (r == 0 && keys.count)
			r = start_for(ret, build, id, &keys, e);
		if (r < 0)
			return err_add(e, "--ssh %.200s", text);
	}
	return r;
}
