#include "runtime_cli/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "runtime/notify.h"
#include "runtime_cli/command.h"
#include "runtime_cli/foreground.h"
#include "runtime_cli/handover.h"
#include "runtime_cli/input.h"

void runtime_cli_launch_clear(struct runtime_cli_launch *launch)
{
	oci_spec_clear(&launch->spec);
	runtime_cli_record_clear(&launch->record);
	runtime_process_close(&launch->process);
}

void runtime_cli_launch_undo(struct runtime_cli_launch *l, const struct runtime_cli *cli)
{
	struct err ignored;

	runtime_process_kill(&l->process);
	if (l->record.container.id && runtime_delete(&l->record.container, &ignored) == 0)
		runtime_hooks_poststop(&l->spec, l->record.id, l->record.bundle);
	if (l->record.folder >= 0)
		runtime_cli_record_delete(cli, l->record.id, &ignored);
}

/* ---- the bundle ---- */

static int read_spec(struct runtime_cli_launch *l, const struct runtime_cli_launch_options *o,
		     struct str *text, struct err *e)
{
	own_free char *path =
		o->config ? mem_text(o->config) : path_join(l->record.bundle, "config.json");

	int r = o->config ? runtime_cli_input_read(text, path, e)
			  : runtime_cli_input_read_regular(text, path, e);
	if (r == -ENOENT)
		return err_hint(e, "`holm-runtime spec` writes one; --bundle names another folder");
	return r < 0 ? r
		     : oci_spec_parse(&l->spec, text->text ? text->text : "", text->length,
				      o->config ? o->config : "config.json", e);
}

static int find_bundle(struct runtime_cli_launch *l, const struct runtime_cli_launch_options *o,
		       struct err *e)
{
	const char *name = o->bundle ? o->bundle : ".";
	char path[PATH_MAX];

	if (!realpath(name, path))
		return err_sys(e, "bundle %s", name);
	l->record.bundle = mem_text(path);
	return 0;
}

/* What cannot be right is told before anything is made. */
static int check(const struct oci_spec *spec, const struct runtime_cli_launch_options *o,
		 bool waiting, struct err *e)
{
	bool terminal = spec->process && spec->process->terminal;

	if (terminal && !o->console_socket && (waiting || o->detach))
		return err_set(e, ERR_INVALID,
			       "cannot allocate tty if the runtime will detach "
			       "without setting console socket");
	if (!terminal && o->console_socket)
		return err_set(e, ERR_INVALID,
			       "cannot use console socket if the runtime will "
			       "not allocate tty");
	return 0;
}

static void describe(struct runtime_cli_record *record, const struct oci_spec *spec)
{
	char now[MOMENT_TEXT_SIZE];

	moment_format(now, moment_now_ns());
	record->created = mem_text(now);
	record->oci_version = mem_text(spec->oci_version);
	record->owner = getuid();
	if (spec->root && !str_empty(spec->root->path))
		record->rootfs = *spec->root->path == '/'
					 ? mem_text(spec->root->path)
					 : path_join(record->bundle, spec->root->path);
	for (size_t i = 0; i < spec->annotations.count; i++)
		shape_map_set(&record->annotations, spec->annotations.items[i].key,
			      spec->annotations.items[i].value);
}

/* ---- the container ---- */

void runtime_cli_launch_cgroup(struct runtime_options *to, const struct runtime_cli *cli)
{
	to->systemd_cgroup = runtime_cli_is_systemd(cli);
	to->no_cgroup = str_equal(cli->cgroup_manager, "disabled");
}

static int make(struct runtime_cli_launch *l, const struct runtime_cli *cli,
		const struct runtime_cli_launch_options *o, bool waiting, int stop, struct err *e)
{
	struct runtime_options options = RUNTIME_OPTIONS_INIT;
	own_fd int start = -1;

	if (waiting)
		start = runtime_start_socket(l->record.folder, RUNTIME_CLI_START_SOCKET, e);
	if (waiting && start < 0)
		return start;
	options.id = l->record.id;
	options.bundle = l->record.bundle;
	for (int i = 0; i < 3 && !(l->spec.process && l->spec.process->terminal); i++)
		options.stdio[i] = i;
	runtime_inherited_pass(&options, &l->inherited);
	options.start_fd = start;
	options.stop_fd = stop;
	runtime_cli_launch_cgroup(&options, cli);
	options.no_new_keyring = o->no_new_keyring;
	options.no_pivot = o->no_pivot;
	return runtime_create(&l->record.container, &l->process, &l->spec, &options, e);
}

static int hand_over(struct runtime_cli_launch *l, const struct runtime_cli_launch_options *o,
		     struct err *e)
{
	int r = 0;

	if (o->console_socket)
		r = runtime_cli_handover_terminal(o->console_socket, l->process.terminal, e);
	if (r == 0)
		r = runtime_cli_handover_pidfd(o->pidfd_socket, l->process.pidfd, e);
	if (r == 0)
		r = runtime_cli_handover_pid(o->pid_file, l->process.pid, e);
	if (r == 0 && o->console_socket)
		close(take_fd(&l->process.terminal));
	return r;
}

/* First the sockets of a service manager, then as many as --preserve-fds says. */
static int find_descriptors(struct runtime_inherited *ret, int64_t preserve, struct err *e)
{
	int r = runtime_inherited_listen(ret, e);

	if (r < 0)
		return r;
	r = runtime_inherited_add(ret, RUNTIME_INHERITED_FIRST + (int64_t)ret->listen, preserve, e);
	return r < 0 ? err_add(e, "--preserve-fds %lld", (long long)preserve) : 0;
}

/* A service's container may tell its service manager when it is ready. */
static int prepare_notify(struct runtime_cli_launch *l, const struct runtime_cli *cli,
			  const struct runtime_cli_launch_options *o, struct err *e)
{
	own_free char *path = mem_format("%s/%s", cli->root, l->record.id);
	bool called = !str_empty(getenv("NOTIFY_SOCKET")) && l->spec.process;

	if (o->notify == RUNTIME_CLI_LAUNCH_NOTIFY_NEVER ||
	    (o->notify == RUNTIME_CLI_LAUNCH_NOTIFY_AS_CALLED && !called))
		return 0;
	return runtime_notify_prepare(&l->spec, l->record.folder, path, e);
}

int runtime_cli_launch_open(struct runtime_cli_launch *l, const struct runtime_cli *cli,
			    const struct runtime_cli_launch_options *o, const char *id,
			    bool waiting, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	int r = runtime_cli_record_check_id(id, e);
	if (r == 0)
		r = find_bundle(l, o, e);
	if (r == 0)
		r = read_spec(l, o, &text, e);
	if (r == 0)
		r = check(&l->spec, o, waiting, e);
	if (r == 0)
		r = find_descriptors(&l->inherited, o->preserve_fds, e);
	if (r < 0)
		return r;
	l->record.id = mem_text(id);
	describe(&l->record, &l->spec);
	r = runtime_cli_record_new(&l->record, cli, id, e);
	if (r < 0)
		return r;
	r = fd_write_file_at(l->record.folder, "config.json", text.text, text.length, 0600, e);
	if (r == 0)
		r = prepare_notify(l, cli, o, e);
	if (r < 0)
		runtime_cli_launch_undo(l, cli);
	return r;
}

int runtime_cli_launch_close(struct runtime_cli_launch *l,
			     const struct runtime_cli_launch_options *o, struct err *e)
{
	int r = hand_over(l, o, e);

	return r < 0 ? r : runtime_cli_record_store(&l->record, e);
}

/* A signal that came too late to end a hook. One that was held before is for the container. */
static int check_stop(int stop, const sigset_t *before, struct err *e)
{
	struct pollfd held = { stop, POLLIN, 0 };

	if (sigismember(before, SIGTERM) || poll(&held, 1, 0) <= 0)
		return 0;
	return err_set(e, ERR_SYSTEM, "a signal came");
}

/* Whoever is killed half-way leaves what he made. */
static int make_or_stop(struct runtime_cli_launch *l, const struct runtime_cli *cli,
			const struct runtime_cli_launch_options *o, bool waiting, struct err *e)
{
	sigset_t before;
	own_fd int stop = runtime_cli_foreground_hold(&before, e);

	int r = stop < 0 ? stop : make(l, cli, o, waiting, stop, e);
	if (r == 0)
		r = check_stop(stop, &before, e);
	if (r == 0)
		r = runtime_cli_launch_close(l, o, e);
	if (r == 0)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

int runtime_cli_launch(struct runtime_cli_launch *l, const struct runtime_cli *cli,
		       const struct runtime_cli_launch_options *o, const char *id, bool waiting,
		       struct err *e)
{
	int r = runtime_cli_launch_open(l, cli, o, id, waiting, e);

	if (r < 0)
		return r;
	r = make_or_stop(l, cli, o, waiting, e);
	if (r < 0)
		runtime_cli_launch_undo(l, cli);
	return r;
}

/* Others may have changed it meanwhile, deleted it, and made another one of its name. */
static int end(const struct runtime_cli_launch *l, const struct runtime_cli *cli, struct err *e)
{
	own_clear(runtime_cli_record_clear) struct runtime_cli_record now = RUNTIME_CLI_RECORD_INIT;

	int r = runtime_cli_record_read(&now, cli, l->record.id, true, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r;
	if (now.container.pid != l->record.container.pid ||
	    now.container.pid_start != l->record.container.pid_start)
		return 0;
	return runtime_cli_record_end(&now, cli, &l->spec, e);
}

int runtime_cli_launch_follow(struct runtime_cli_launch *l, struct runtime_cli *cli, bool keep,
			      int signals, struct runtime_notify *notify, struct err *e)
{
	/* the lock is not ours any more while it runs: exec, kill and delete are for others */
	close(take_fd(&l->record.folder));
	close(take_fd(&cli->sealed_fd));
	int code = runtime_cli_foreground_wait(&l->process, signals, notify, e);
	if (code < 0 || keep)
		return code;
	int r = end(l, cli, e);
	return r < 0 ? r : code;
}
