/* exec.c - `exec ID COMMAND`: one more process in a container, from options or from a file. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "oci/state.h"
#include "runtime/inherited.h"
#include "runtime_cli/command.h"
#include "runtime_cli/foreground.h"
#include "runtime_cli/handover.h"
#include "runtime_cli/input.h"
#include "runtime_cli/record.h"

struct exec_options {
	char *process;
	char *console_socket;
	char *pid_file;
	char *pidfd_socket;
	char *cwd;
	char *user;
	char *process_label;
	char *apparmor;
	struct strv env;
	struct strv caps;
	struct strv groups;
	struct strv cgroups;
	int64_t preserve_fds;
	bool detach;
	bool tty;
	bool no_new_privs;
	bool ignore_paused;
	bool no_subreaper;
};

#define OPTIONS struct exec_options
static const struct option table[] = {
	{ "process", 'p', OPTION_STRING(process), "FILE", "the process as JSON, instead of words",
	  "file:" },
	{ "detach", 'd', OPTION_FLAG(detach), NULL, "return once the command runs" },
	{ "tty", 't', OPTION_FLAG(tty), NULL, "give it a terminal" },
	{ "user", 'u', OPTION_STRING(user), "USER", "name or id, and :GROUP if wanted" },
	{ "additional-gids", 'g', OPTION_STRINGS(groups), "GID", "more groups" },
	{ "cwd", 0, OPTION_STRING(cwd), "DIR", "its working directory" },
	{ "env", 'e', OPTION_STRINGS(env), "NAME=VALUE", "set a variable" },
	{ "cap", 'c', OPTION_STRINGS(caps), "CAP", "add a capability" },
	{ "no-new-privs", 0, OPTION_FLAG(no_new_privs), NULL, "forbid it to gain rights by exec" },
	{ "process-label", 0, OPTION_STRING(process_label), "LABEL", "its SELinux label" },
	{ "apparmor", 0, OPTION_STRING(apparmor), "PROFILE", "its AppArmor profile" },
	{ "cgroup", 0, OPTION_STRINGS(cgroups), "[CONTROLLER:]PATH",
	  "a cgroup below the container's" },
	{ "console-socket", 0, OPTION_STRING(console_socket), "PATH",
	  "socket that receives the terminal", "file:" },
	{ "pid-file", 0, OPTION_STRING(pid_file), "FILE", "where to write the process id",
	  "file:" },
	{ "pidfd-socket", 0, OPTION_STRING(pidfd_socket), "PATH",
	  "socket that receives the process's pidfd", "file:" },
	{ "preserve-fds", 0, OPTION_COUNT(preserve_fds), "N",
	  "descriptors after 2 that the process keeps" },
	{ "ignore-paused", 0, OPTION_FLAG(ignore_paused), NULL,
	  "also in a paused container: it begins once that is resumed" },
	{ "no-subreaper", 0, OPTION_FLAG(no_subreaper), NULL, "accepted for crun's callers" },
	{ 0 },
};
#undef OPTIONS

/* ---- what is to run ---- */

static int read_process(struct oci_process *process, const char *path, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	int r = runtime_cli_input_read(&text, path, e);
	if (r < 0)
		return r;
	r = shape_read_text(&oci_process_shape, text.text ? text.text : "", text.length, process,
			    e);
	return r < 0 ? err_add(e, "%s", path) : 0;
}

/* "CAP_KILL" or "kill", into all sets that matter, as runc does. */
static void add_capability(struct oci_process *process, const char *name)
{
	bool whole = strncasecmp(name, "CAP_", 4) == 0;
	own_free char *capability = mem_format("CAP_%s", whole ? name + 4 : name);

	for (char *c = capability; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
	if (!process->capabilities)
		process->capabilities = mem_new_struct(struct oci_capabilities);
	strv_add(&process->capabilities->bounding, capability);
	strv_add(&process->capabilities->effective, capability);
	strv_add(&process->capabilities->permitted, capability);
}

static int add_groups(struct oci_process *process, const struct exec_options *o, struct err *e)
{
	struct shape_u32s *gids = &process->user.additional_gids;

	for (size_t i = 0; i < o->groups.count; i++) {
		uint32_t gid;
		int r = number_parse_id(&gid, o->groups.items[i], e);
		if (r < 0)
			return err_add(e, "--additional-gids");
		gids->items = mem_resize(gids->items, gids->count + 1, sizeof(*gids->items));
		gids->items[gids->count++] = gid;
	}
	return 0;
}

/* The container's own process with what the options change. */
static int change_process(struct oci_process *process, const struct exec_options *o, struct err *e)
{
	for (size_t i = 0; i < o->env.count; i++)
		strv_set(&process->env, o->env.items[i]);
	for (size_t i = 0; i < o->caps.count; i++)
		add_capability(process, o->caps.items[i]);
	if (o->cwd)
		mem_replace(&process->cwd, o->cwd);
	if (o->apparmor)
		mem_replace(&process->apparmor_profile, o->apparmor);
	if (o->process_label)
		mem_replace(&process->selinux_label, o->process_label);
	if (o->user) {
		free(process->user.additional_gids.items);
		process->user.additional_gids = (struct shape_u32s){ 0 };
		mem_replace(&process->user.username, o->user);
	}
	process->no_new_privileges |= o->no_new_privs;
	return add_groups(process, o, e);
}

/* What the file says would win without a word. */
static int check_alone(const struct exec_options *o, struct err *e)
{
	const struct {
		bool given;
		const char *name;
	} others[] = {
		{ o->user, "user" },
		{ o->groups.count, "additional-gids" },
		{ o->cwd, "cwd" },
		{ o->env.count, "env" },
		{ o->caps.count, "cap" },
		{ o->no_new_privs, "no-new-privs" },
		{ o->process_label, "process-label" },
		{ o->apparmor, "apparmor" },
	};

	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (others[i].given)
			return err_set(
				e, ERR_INVALID,
				"either --process or --%s: the file tells all of the process",
				others[i].name);
	return 0;
}

static int make_process(struct oci_process *process, const struct oci_spec *spec,
			const struct exec_options *o, const struct strv *args, struct err *e)
{
	if (o->process && args->count > 1)
		return err_set(e, ERR_INVALID, "either --process or a command, not both");
	if (o->process) {
		int r = check_alone(o, e);
		if (r == 0)
			r = read_process(process, o->process, e);
		process->terminal |= r == 0 && o->tty; /* conmon gives both */
		return r;
	}
	if (args->count < 2)
		return err_set(e, ERR_INVALID, "process args cannot be empty");
	/* a deep copy, by way of its own format */
	own_json struct json_object *copy = shape_write(&oci_process_shape, spec->process);
	int r = shape_read(&oci_process_shape, copy, process, e);
	if (r < 0)
		return r;
	strv_clear(&process->args);
	for (size_t i = 1; i < args->count; i++)
		strv_add(&process->args, args->items[i]);
	process->terminal = o->tty;
	return change_process(process, o, e);
}

/* ---- running it ---- */

static int check(const struct oci_process *process, const struct exec_options *o, struct err *e)
{
	if (process->terminal && o->detach && !o->console_socket)
		return err_set(e, ERR_INVALID,
			       "cannot allocate tty if the runtime will detach "
			       "without setting console socket");
	if (!process->terminal && o->console_socket)
		return err_set(e, ERR_INVALID,
			       "cannot use console socket if the runtime will "
			       "not allocate tty");
	return 0;
}

/* runtime_exec() saw that nothing can be started; in the words that engines look for. */
static int explain(const struct runtime_cli_record *record, const struct exec_options *o,
		   struct err *e)
{
	const char *status = runtime_cli_record_status(record);

	if (str_equal(status, OCI_STATUS_STOPPED))
		return err_set(e, ERR_STATE,
			       "cannot exec in a stopped container: container not "
			       "running");
	if (str_equal(status, OCI_STATUS_PAUSED) && !o->ignore_paused)
		return err_set(e, ERR_STATE,
			       "cannot exec in a paused container (use "
			       "--ignore-paused to override)");
	return -e->number;
}

static int start(struct runtime_process *ret, const struct runtime_cli_record *record,
		 const struct oci_spec *spec, const struct oci_process *process,
		 const struct exec_options *o, struct err *e)
{
	struct runtime_options options = RUNTIME_OPTIONS_INIT;
	struct runtime_inherited preserved = { 0 };

	int r = runtime_inherited_add(&preserved, RUNTIME_INHERITED_FIRST, o->preserve_fds, e);
	if (r < 0)
		return err_add(e, "--preserve-fds %lld", (long long)o->preserve_fds);
	for (int i = 0; i < 3 && !process->terminal; i++)
		options.stdio[i] = i;
	options.id = record->id;
	options.bundle = record->bundle;
	runtime_inherited_pass(&options, &preserved);
	options.cgroups = &o->cgroups;
	options.into_frozen = o->ignore_paused;
	r = runtime_exec(ret, &record->container, spec, process, &options, e);
	return r < 0 && e->kind == ERR_STATE ? explain(record, o, e) : r;
}

static int hand_over(struct runtime_process *process, const struct exec_options *o, struct err *e)
{
	int r = 0;

	if (o->console_socket) {
		r = runtime_cli_handover_terminal(o->console_socket, process->terminal, e);
		close(take_fd(&process->terminal));
	}
	if (r == 0)
		r = runtime_cli_handover_pidfd(o->pidfd_socket, process->pidfd, e);
	if (r == 0)
		r = runtime_cli_handover_pid(o->pid_file, process->pid, e);
	if (r < 0)
		runtime_process_kill(process);
	return r;
}

static int exec_in(struct runtime_cli *cli, struct runtime_cli_record *record,
		   const struct exec_options *o, const struct strv *args, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	own_clear(runtime_process_close) struct runtime_process running = RUNTIME_PROCESS_INIT;
	struct oci_process process = { 0 };
	own_fd int signals = -1;

	int r = runtime_cli_record_spec(&spec, record, e);
	if (r == 0)
		r = make_process(&process, &spec, o, args, e);
	if (r == 0)
		r = check(&process, o, e);
	if (r == 0 && !o->detach)
		r = signals = runtime_cli_foreground_open(e);
	if (r >= 0)
		r = start(&running, record, &spec, &process, o, e);
	shape_clear(&oci_process_shape, &process);
	if (r == 0)
		r = hand_over(&running, o, e);
	if (r < 0 || o->detach)
		return r;
	close(take_fd(&cli->sealed_fd));
	return runtime_cli_foreground_wait(&running, signals, NULL, e);
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;

	int r = runtime_cli_record_read(&record, cli, args->items[0], false, e);
	return r < 0 ? r : exec_in(cli, &record, options, args, e);
}

const struct runtime_cli_command runtime_cli_exec = {
	.name = "exec",
	.arguments = "[OPTIONS] ID COMMAND [ARGUMENTS]",
	.summary = "run one more process in a container",
	.options = table,
	.size = sizeof(struct exec_options),
	.mode = OPTION_FIRST,
	.args_min = 1,
	.args_max = RUNTIME_CLI_ARGS_ANY,
	.sealed = true,
	.run = run,
};
