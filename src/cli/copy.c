/* `holm copy`, `move`, `backup` and `receive`: whole containers, to other hosts and to files. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "engine/receive.h"
#include "engine/send.h"

#define OPTIONS struct send_options
static const struct option copy_table[] = {
	{ "refresh", 0, OPTION_FLAG(refresh), NULL,
	  "one there that is a copy of this gets what is new" },
	{ "remote-command", 0, OPTION_STRING(remote), "COMMAND",
	  "how holm is called there, as in 'sudo holm'" },
	{ "ssh-option", 'o', OPTION_STRINGS(ssh), "KEY=VALUE", "for ssh, as its -o" },
	{ 0 },
};

static const struct option move_table[] = {
	{ "live", 0, OPTION_FLAG(live), NULL,
	  "one that runs: it goes on there (by criu, on both hosts)" },
	{ "remote-command", 0, OPTION_STRING(remote), "COMMAND",
	  "how holm is called there, as in 'sudo holm'" },
	{ "ssh-option", 'o', OPTION_STRINGS(ssh), "KEY=VALUE", "for ssh, as its -o" },
	{ 0 },
};
#undef OPTIONS

struct backup_options {
	char *output;
	bool no_image;
};

#define OPTIONS struct backup_options
static const struct option backup_table[] = {
	{ "no-image", 0, OPTION_FLAG(no_image), NULL,
	  "without the image: where it is received it must be there" },
	{ "output", 'o', OPTION_STRING(output), "FILE", "write this file, not the standard output",
	  "file:" },
	{ 0 },
};
#undef OPTIONS

#define OPTIONS struct receive_options
static const struct option receive_table[] = {
	{ "answer", 0, OPTION_FLAG(answer), NULL, "for holm copy at the other end",
	  .hidden = true },
	{ "name", 0, OPTION_STRING(name), "NAME", "its name here" },
	{ "refresh", 0, OPTION_FLAG(refresh), NULL,
	  "one here that is a copy of the same gets what is new" },
	{ 0 },
};
#undef OPTIONS

/* USER@HOST[:NAME]; an IPv6 address is in brackets, which ssh does not want. */
static int split_target(struct send_options *to, char **host, const char *target, struct err *e)
{
	const char *at = strrchr(target, '@');
	const char *begin = at ? at + 1 : target;
	const char *bracket = *begin == '[' ? strchr(begin, ']') : NULL;
	const char *colon = strchr(bracket ? bracket : begin, ':');
	size_t length = colon ? (size_t)(colon - target) : strlen(target);

	if (colon && colon[1] == '\0')
		return err_set(e, ERR_INVALID, "'%s': behind the colon there is no name", target);
	to->name = colon ? (char *)colon + 1 : NULL;
	if (!bracket) {
		*host = mem_text_n(target, length);
		return 0;
	}
	*host = mem_format("%.*s%.*s", (int)(begin - target), target, (int)(bracket - begin - 1),
			   begin + 1);
	return 0;
}

static int send(struct engine *engine, const struct send_options *options, const struct strv *args,
		struct err *e)
{
	struct send_options o = *options;
	own_free char *host = NULL;

	int r = split_target(&o, &host, args->items[1], e);
	return r < 0 ? r : engine_send(engine, args->items[0], host, &o, e);
}

static int run_copy(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	return r < 0 ? r : send(engine, options, args, e);
}

/* Only one that does not run: what it does while it is sent would be lost. */
static int check_still(struct engine *engine, const char *name, struct err *e)
{
	struct container_state state;

	int r = engine_load(engine, name, NULL, &state, e);
	if (r < 0 || !(container_state_live(&state) || state.status == CONTAINER_RESTARTING))
		return r;
	err_set(e, ERR_STATE, "container %s is %s", name, container_status_name(state.status));
	return err_hint(e, "stop it first, or give --live, or copy it: a copy is of a moment, and "
			   "does not end it");
}

static int run_move(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct remove_options plain = { 0 };
	const struct send_options *o = options;
	struct engine *engine;

	int r = cli_command_engine(cli, &engine, e);
	if (r == 0 && !o->live)
		r = check_still(engine, args->items[0], e);
	if (r == 0)
		r = send(engine, options, args, e);
	if (r < 0)
		return r;
	r = engine_remove(engine, args->items[0], &plain, e);
	return r < 0 ? err_add(e, "it is at the other side now, but could not be removed here") : r;
}

static int write_backup(struct engine *engine, const char *name, const char *path,
			const struct send_options *o, struct err *e)
{
	own_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "make %s", path);
	int r = engine_send_to_file(engine, name, fd, o, e);
	if (r == 0 && fsync(fd) < 0)
		r = err_sys(e, "write %s", path);
	if (r < 0)
		unlink(path);
	return r;
}

static int run_backup(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct backup_options *o = options;
	const struct send_options how = { .no_image = o->no_image };
	struct engine *engine;

	own_free char *hint = mem_format("holm backup %s", args->items[0]);

	int r = cli_command_output(o->output, hint, e);
	if (r == 0)
		r = cli_command_engine(cli, &engine, e);
	if (r < 0)
		return r;
	return o->output ? write_backup(engine, args->items[0], o->output, &how, e)
			 : engine_send_to_file(engine, args->items[0], STDOUT_FILENO, &how, e);
}

static int run_receive(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct receive_options *o = options;
	own_clear(container_clear) struct container made = { 0 };
	const char *path = args->count ? args->items[0] : "-";
	struct engine *engine;

	own_fd int file =
		strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return err_sys(e, "open %s", path);
	if (isatty(file))
		return err_set(e, ERR_INVALID, "the standard input is a terminal");
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = engine_receive(engine, file, o, &made, e);
	if (r == 0 && !o->answer)
		puts(made.name);
	return r;
}

const struct cli_command cli_copy = {
	.names = "copy",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER [USER@]HOST[:NAME]",
	.summary = "Copy a whole container to another host, over ssh",
	.options = copy_table,
	.size = sizeof(struct send_options),
	.args_min = 2,
	.args_max = 2,
	.values = "container:",
	.run = run_copy,
};

const struct cli_command cli_copy_move = {
	.names = "move",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER [USER@]HOST[:NAME]",
	.summary = "Move a whole container to another host, over ssh",
	.options = move_table,
	.size = sizeof(struct send_options),
	.args_min = 2,
	.args_max = 2,
	.values = "container:",
	.run = run_move,
};

const struct cli_command cli_copy_backup = {
	.names = "backup",
	.section = "Snapshots",
	.arguments = "[OPTIONS] CONTAINER",
	.summary = "Write a whole container, with its snapshots, to a file",
	.options = backup_table,
	.size = sizeof(struct backup_options),
	.args_min = 1,
	.args_max = 1,
	.values = "container:",
	.run = run_backup,
};

const struct cli_command cli_copy_receive = {
	.names = "receive",
	.section = "Snapshots",
	.arguments = "[OPTIONS] [FILE|-]",
	.summary = "Make a container of what backup wrote",
	.options = receive_table,
	.size = sizeof(struct receive_options),
	.args_max = 1,
	.values = "file:",
	.run = run_receive,
};
