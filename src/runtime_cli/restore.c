/* restore.c - `restore ID`: a container from what checkpoint stored, in a bundle like the first. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "runtime/checkpoint.h"
#include "runtime/criu.h"
#include "runtime_cli/command.h"
#include "runtime_cli/criu_options.h"
#include "runtime_cli/foreground.h"
#include "runtime_cli/launch.h"

struct restore_options {
	struct runtime_cli_launch_options launch;
	struct runtime_criu_options criu;
};

#define OPTIONS struct restore_options
static const struct option table[] = {
	RUNTIME_CLI_CRIU_OPTIONS,
	{ "bundle", 'b', OPTION_STRING(launch.bundle), "DIR",
	  "the bundle (default: the working directory)", "folder:" },
	{ "detach", 'd', OPTION_FLAG(launch.detach), NULL, "return once it runs again" },
	{ "pid-file", 0, OPTION_STRING(launch.pid_file), "FILE", "where to write the process id",
	  "file:" },
	{ "console-socket", 0, OPTION_STRING(launch.console_socket), "PATH",
	  "socket that receives the terminal", "file:" },
	{ "no-subreaper", 0, OPTION_FLAG(launch.no_subreaper), NULL, "accepted: there is none" },
	{ "no-pivot", 0, OPTION_FLAG(launch.no_pivot), NULL,
	  "accepted: criu makes the mount namespace" },
	{ "tcp-close", 0, OPTION_FLAG(criu.tcp_close), NULL, "close TCP connections" },
	{ "lsm-profile", 0, OPTION_STRING(criu.lsm_profile), "TYPE:NAME",
	  "another security profile" },
	{ "lsm-mount-context", 0, OPTION_STRING(criu.lsm_mount_context), "CONTEXT",
	  "another SELinux context of mounts" },
	{ 0 },
};
#undef OPTIONS

static void defaults(void *options)
{
	struct restore_options *o = options;

	o->criu.image_path = mem_text("checkpoint");
}

static int restore(struct runtime_cli_launch *l, const struct runtime_cli *cli,
		   const struct restore_options *o, struct err *e)
{
	struct runtime_options options = RUNTIME_OPTIONS_INIT;
	own_free char *scratch = mem_format("%s/%s/root", cli->root, l->record.id);

	if (mkdirat(l->record.folder, "root", 0700) < 0)
		return err_sys(e, "make %s", scratch);
	runtime_cli_launch_cgroup(&options, cli);
	options.id = l->record.id;
	options.bundle = l->record.bundle;
	for (int i = 0; i < 3; i++)
		options.stdio[i] = i;
	return runtime_restore(&l->record.container, &l->process, &l->spec, &options, &o->criu,
			       scratch, NULL, e);
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct restore_options *o = options;
	own_clear(runtime_cli_launch_clear) struct runtime_cli_launch l = RUNTIME_CLI_LAUNCH_INIT;
	own_fd int signals = -1;

	if (!o->launch.detach && (signals = runtime_cli_foreground_open(e)) < 0)
		return signals;
	o->launch.notify = runtime_checkpoint_has_notify(&o->criu)
				   ? RUNTIME_CLI_LAUNCH_NOTIFY_ALWAYS
				   : RUNTIME_CLI_LAUNCH_NOTIFY_NEVER;
	int r = runtime_cli_launch_open(&l, cli, &o->launch, args->items[0], false, e);
	if (r < 0)
		return r;
	r = restore(&l, cli, o, e);
	if (r == 0)
		r = runtime_cli_launch_close(&l, &o->launch, e);
	if (r < 0) {
		runtime_cli_launch_undo(&l, cli);
		return r;
	}
	if (o->launch.detach)
		return 0;
	return runtime_cli_launch_follow(&l, cli, false, signals, NULL, e);
}

const struct runtime_cli_command runtime_cli_restore = {
	.name = "restore",
	.arguments = "[OPTIONS] ID",
	.summary = "make a container from what checkpoint stored",
	.options = table,
	.size = sizeof(struct restore_options),
	.args_min = 1,
	.args_max = 1,
	.defaults = defaults,
	.run = run,
};
