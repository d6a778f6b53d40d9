#include "cli/command.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "storage/store.h"

static bool has_name(const struct cli_command *command, const char *name)
{
	own_clear(strv_clear) struct strv names = { 0 };

	strv_split(&names, command->names, '|');
	return strv_contains(&names, name);
}

const struct cli_command *cli_command_find(const char *name)
{
	for (size_t i = 0; cli_commands[i]; i++)
		if (has_name(cli_commands[i], name))
			return cli_commands[i];
	return NULL;
}

bool cli_command_is_group(const char *word)
{
	own_free char *first = mem_format("%s ", word);
	own_free char *later = mem_format("|%s ", word);

	for (size_t i = 0; cli_commands[i]; i++)
		if (str_starts(cli_commands[i]->names, first) ||
		    strstr(cli_commands[i]->names, later))
			return true;
	return false;
}

char *cli_command_name(const struct cli_command *command)
{
	return mem_text_n(command->names, strcspn(command->names, "|"));
}

int cli_command_engine(struct cli *cli, struct engine **ret, struct err *e)
{
	if (!cli->engine) {
		struct engine *engine = mem_new_struct(struct engine);
		int r = engine_open(engine, cli->root, cli->run, e);
		if (r < 0) {
			free(engine);
			return r;
		}
		cli->engine = engine;
	}
	*ret = cli->engine;
	return 0;
}

int cli_command_store(struct cli *cli, struct store **ret, struct err *e)
{
	struct engine *engine;
	int r = cli_command_engine(cli, &engine, e);

	if (r == 0)
		*ret = engine->store;
	return r;
}

void cli_command_error(const struct cli *cli, const char *target, const struct err *e)
{
	own_clear(str_clear) struct str line = { 0 };

	str_add(&line, "holm: ");
	if (cli->name)
		str_addf(&line, "%s%s%s: ", cli->name, target ? " " : "", target ? target : "");
	str_add(&line, e->text);
	fflush(stdout);
	cli_print_clean(stderr, line.text);
	fputc('\n', stderr);
	if (e->hint[0]) {
		cli_print_clean(stderr, e->hint);
		fputc('\n', stderr);
	}
}

int cli_command_output(const char *path, const char *to, struct err *e)
{
	if (path && !*path)
		err_set(e, ERR_INVALID, "--output '': an empty name of a file");
	else if (!path && isatty(STDOUT_FILENO))
		err_set(e, ERR_INVALID, "the standard output is a terminal");
	else
		return 0;
	return err_hint(e, "say --output FILE, or redirect: %s > FILE", to);
}

int cli_command_iidfile(const char *path, const char *id, struct err *e)
{
	if (!path)
		return 0;
	own_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(e, "--iidfile %s", path);
	int r = fd_write_all(fd, id, strlen(id));
	return r < 0 ? err_number(e, -r, "--iidfile %s", path) : 0;
}

int cli_command_platform(char **platform, const char *os, const char *arch, const char *variant,
			 struct err *e)
{
	if (!os && !arch && !variant)
		return 0;
	if (*platform)
		return err_set(e, ERR_INVALID,
			       "--platform and --os, --arch, --variant exclude each other");
	if (!arch)
		return err_set(e, ERR_INVALID, "--os and --variant go with --arch");
	*platform = mem_format("%s/%s%s%s", os ? os : "linux", arch, variant ? "/" : "",
			       variant ? variant : "");
	return 0;
}

int cli_command_status(const struct cli *cli, const struct err *e)
{
	int status = err_exit_status(e);
	bool run = cli->command && cli->command->foreground;

	return status != 125 || run || cli->misspelt ? status : 1;
}

int cli_command_each(struct cli *cli, const struct strv *args, cli_command_call *f,
		     const void *options)
{
	int status = 0;

	for (size_t i = 0; i < args->count; i++) {
		struct err e;
		if (f(cli, args->items[i], options, &e) < 0) {
			cli_command_error(cli, args->items[i], &e);
			status = status ? status : cli_command_status(cli, &e);
		} else {
			cli_print_clean(stdout, args->items[i]);
			fputc('\n', stdout);
			fflush(stdout);
		}
	}
	return status;
}
