/* `holm export`: the files of a container as a tar. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/export.h"

struct export_options {
	char *output;
};

#define OPTIONS struct export_options
static const struct option table[] = {
	{ "output", 'o', OPTION_STRING(output), "FILE", "write this file, not the standard output",
	  "file:" },
	{ 0 },
};
#undef OPTIONS

static int to_fd(struct engine *engine, const char *name, int fd, struct err *e)
{
	if (dup2(fd, STDOUT_FILENO) < 0)
		return err_sys(e, "redirect the output");
	return engine_export(engine, name, e);
}

/* A file appears whole or not at all; what is no regular file (a fifo, /dev/null) is written as it
 * is. */
static int to_file(struct engine *engine, const char *name, const char *path, struct err *e)
{
	own_free char *temporary = mem_format("%s.%d~", path, (int)getpid());
	struct stat st;

	bool special = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
	own_fd int fd = special ? open(path, O_WRONLY | O_CLOEXEC)
				: open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "create %s", path);
	int r = to_fd(engine, name, fd, e);
	if (!special && r == 0 && rename(temporary, path) < 0)
		r = err_sys(e, "rename to %s", path);
	if (!special && r < 0)
		unlink(temporary);
	return r;
}

static int run_export(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct export_options *o = options;
	struct engine *engine;

	int r = cli_command_output(o->output, "holm export CONTAINER", e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	return o->output ? to_file(engine, args->items[0], o->output, e)
			 : engine_export(engine, args->items[0], e);
}

const struct cli_command cli_export = {
	.names = "export|container export",
	.section = "Containers",
	.arguments = "[OPTIONS] CONTAINER",
	.summary = "Write a container's files as a tar archive",
	.options = table,
	.size = sizeof(struct export_options),
	.args_min = 1,
	.args_max = 1,
	.values = "container:",
	.run = run_export,
};
