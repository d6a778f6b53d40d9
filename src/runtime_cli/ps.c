/* ps.c - `ps ID [PS ARGUMENTS]`: the container's processes. As JSON a list of their ids; as a table
 * what ps(1) of the host says of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "runtime_cli/command.h"
#include "runtime_cli/record.h"

struct ps_options {
	char *format;
};

#define OPTIONS struct ps_options
static const struct option table[] = {
	{ "format", 'f', OPTION_STRING(format), "FORMAT", "table (the default) or json",
	  "table|json" },
	{ 0 },
};
#undef OPTIONS

struct pids {
	pid_t *items;
	size_t count;
};

static void print_json(const struct pids *pids)
{
	own_json struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < pids->count; i++)
		json_object_array_add(array, json_object_new_int(pids->items[i]));
	puts(json_text(array));
}

static bool contains(const struct pids *pids, const char *number)
{
	for (size_t i = 0; number && i < pids->count; i++)
		if (pids->items[i] == atoi(number))
			return true;
	return false;
}

/* The column of a line, counted from 0: blanks separate them. NULL: the line is shorter. */
static char *column(const char *line, int which)
{
	for (line += strspn(line, " \t"); *line && which > 0; which--) {
		line += strcspn(line, " \t\n");
		line += strspn(line, " \t");
	}
	size_t length = strcspn(line, " \t\n");
	return length ? mem_text_n(line, length) : NULL;
}

static int find_column(const char *header, const char *name)
{
	for (int i = 0;; i++) {
		own_free char *word = column(header, i);
		if (!word || strcmp(word, name) == 0)
			return word ? i : -1;
	}
}

static int print_lines(FILE *from, const struct pids *pids, struct err *e)
{
	own_free char *line = NULL;
	size_t size = 0;

	if (getline(&line, &size, from) < 0)
		return err_set(e, ERR_SYSTEM, "ps printed nothing");
	int at = find_column(line, "PID");
	if (at < 0)
		return err_set(e, ERR_INVALID, "ps printed no column PID");
	fputs(line, stdout);
	while (getline(&line, &size, from) > 0) {
		own_free char *pid = column(line, at);
		if (contains(pids, pid))
			fputs(line, stdout);
	}
	return 0;
}

/* Takes the descriptor: what more ps says has no reader then, and does not keep it. */
static int print_output(int output, const struct pids *pids, struct err *e)
{
	own_fd int fd = output;
	own_file FILE *from = fdopen(fd, "r");

	if (!from)
		return err_sys(e, "read what ps says");
	(void)take_fd(&fd); /* of the stream now */
	return print_lines(from, pids, e);
}

_Noreturn static void exec_ps(int output, const struct strv *args)
{
	own_clear(strv_clear) struct strv argv = { 0 };

	strv_add(&argv, "ps");
	for (size_t i = 1; i < args->count; i++)
		strv_add(&argv, args->items[i]);
	if (args->count < 2)
		strv_add(&argv, "-ef");
	dup2(output, STDOUT_FILENO);
	execvp("ps", argv.items);
	_exit(127);
}

static int print_table(const struct pids *pids, const struct strv *args, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	pid_t child = fork();
	if (child == 0)
		exec_ps(ends[1], args);
	close(ends[1]);
	own_fd int output = ends[0];
	if (child < 0)
		return err_sys(e, "start ps");
	int r = print_output(take_fd(&output), pids, e);
	int status = process_wait(child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(e, ERR_UNSUPPORTED,
			       "there is no ps(1) here; --format json needs none");
	return r;
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct ps_options *o = options;
	own_clear(runtime_cli_record_clear) struct runtime_cli_record record =
		RUNTIME_CLI_RECORD_INIT;
	struct pids pids = { 0 };

	int r = runtime_cli_record_read(&record, cli, args->items[0], false, e);
	if (r == 0)
		r = runtime_container_list(&pids.items, &pids.count, &record.container, e);
	if (r < 0)
		return r;
	if (str_equal(o->format, "json"))
		print_json(&pids);
	else
		r = print_table(&pids, args, e);
	free(pids.items);
	return r;
}

const struct runtime_cli_command runtime_cli_ps = {
	.name = "ps",
	.arguments = "[OPTIONS] ID [PS ARGUMENTS]",
	.summary = "list a container's processes",
	.options = table,
	.size = sizeof(struct ps_options),
	.mode = OPTION_FIRST,
	.args_min = 1,
	.args_max = RUNTIME_CLI_ARGS_ANY,
	.run = run,
};
