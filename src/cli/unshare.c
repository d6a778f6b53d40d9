/* `holm unshare`: a program of the host as root of the namespace that an ordinary user's containers
 * share. There the numbers of their files are what the containers say they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/host.h"
#include "engine/engine.h"
#include "storage/store.h"

/* holm in there is root, and has to find the same folders. */
static void set_folders(const struct store *store)
{
	setenv("HOLM_ROOT", store->root, true);
	setenv("HOLM_RUN", store->run, true);
}

/* Not execvp(3): for it a folder of $PATH that the user may not enter makes "not found" EACCES. */
static int exec_program(char *const *argv, struct err *e)
{
	own_free char *path = strchr(argv[0], '/') ? mem_text(argv[0]) : cli_host_program(argv[0]);

	if (!path)
		return err_set(e, ERR_COMMAND_NOT_FOUND, "%s: no such program in $PATH", argv[0]);
	execv(path, argv);
	bool missing = errno == ENOENT;
	int r = err_sys(e, "start %s", path);
	e->kind = missing ? ERR_COMMAND_NOT_FOUND : ERR_NOT_EXECUTABLE;
	return r;
}

static int run_unshare(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	char *shell = getenv("SHELL"), plain[] = "/bin/sh";
	char *usual[] = { str_empty(shell) ? plain : shell, NULL };
	struct engine *engine;

	(void)options;
	if (geteuid() == 0) {
		err_set(e, ERR_INVALID, "you are root already");
		return err_hint(e, "it is for ordinary users: root sees the files of containers as "
				   "they are");
	}
	int r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	set_folders(engine->store);
	return exec_program(args->count ? args->items : usual, e);
}

const struct cli_command cli_unshare = {
	.names = "unshare",
	.section = "Holm",
	.arguments = "[COMMAND [ARG...]]",
	.summary = "Run a program, or a shell, as root of your containers' ids",
	.mode = OPTION_FIRST,
	.args_max = CLI_ARGS_ANY,
	.foreground = true,
	.run = run_unshare,
};
