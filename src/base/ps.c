#include "base/ps.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/strv.h"

enum { NO_PS = 127 };

char *ps_column(const char *line, int which)
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
		own_free char *word = ps_column(header, i);
		if (!word || strcmp(word, name) == 0)
			return word ? i : -1;
	}
}

static bool contains(const pid_t *pids, size_t count, const char *number)
{
	for (size_t i = 0; number && i < count; i++)
		if (pids[i] == atoi(number))
			return true;
	return false;
}

static void add_line(struct strv *to, const char *line)
{
	strv_add_take(to, mem_text_n(line, strcspn(line, "\n")));
}

/* 1: there was a heading with a column PID. */
static int read_lines(struct strv *to, FILE *from, const pid_t *pids, size_t count)
{
	own_free char *line = NULL;
	size_t size = 0;

	if (getline(&line, &size, from) < 0)
		return 0;
	int at = find_column(line, "PID");
	if (at < 0)
		return 0;
	add_line(to, line);
	while (getline(&line, &size, from) > 0) {
		own_free char *pid = ps_column(line, at);
		if (contains(pids, count, pid))
			add_line(to, line);
	}
	return 1;
}

_Noreturn static void exec_ps(int output, const struct strv *args)
{
	own_clear(strv_clear) struct strv argv = { 0 };

	strv_add(&argv, "ps");
	strv_add_all(&argv, args);
	if (!args->count)
		strv_add(&argv, "-ef");
	process_reset_signals();
	dup2(output, STDOUT_FILENO);
	execvp("ps", argv.items);
	_exit(NO_PS);
}

int ps_lines(struct strv *ret, const pid_t *pids, size_t count, const struct strv *args,
	     struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		exec_ps(ends[1], args);
	close(ends[1]);
	own_fd int output = ends[0];
	if (child < 0)
		return err_sys(e, "start ps");
	int found;
	{
		own_file FILE *from = fdopen(output, "r");
		if (!from)
			return err_sys(e, "read what ps says");
		(void)take_fd(&output);
		found = read_lines(ret, from, pids, count);
	} /* what more it says has no reader, and does not keep it */
	int status = process_wait(child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_PS)
		return err_set(e, ERR_UNSUPPORTED, "there is no ps(1) here");
	if (!found && WIFEXITED(status) && WEXITSTATUS(status) != 0)
		return err_set(e, ERR_INVALID, "ps ended with status %d", WEXITSTATUS(status));
	return found ? 0 : err_set(e, ERR_INVALID, "ps printed no column PID");
}
