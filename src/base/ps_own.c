#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/ps.h"
#include "base/str.h"
#include "base/strv.h"

enum { STAT_BYTES_MAX = 4096, COMMAND_BYTES_MAX = 1 << 20 };

struct facts {
	pid_t pid;
	uid_t uid;
	char comm[64];
	char state;
	int ppid;
	unsigned long long ticks;
	long threads;
	unsigned long long bytes;
	long long pages;
	char *args;
};

/* ---- /proc/PID ---- */

/* The name stands in parentheses and may have any of its own: the last one closes it. */
static bool parse_stat(struct facts *f, const char *text)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	unsigned long long user, system;

	if (!open || !close || close < open)
		return false;
	snprintf(f->comm, sizeof(f->comm), "%.*s", (int)(close - open - 1), open + 1);
	if (sscanf(close + 1,
		   " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %ld %*d "
		   "%*u %llu %lld",
		   &f->state, &f->ppid, &user, &system, &f->threads, &f->bytes, &f->pages) != 7)
		return false;
	f->ticks = user + system;
	return true;
}

/* The arguments with blanks in between; a process without any is shown as "[name]". */
static char *join_args(const struct str *cmdline, const char *comm)
{
	if (!cmdline->length)
		return mem_format("[%s]", comm);
	char *text = mem_text_n(cmdline->text, cmdline->length);
	for (size_t i = 0; i + 1 < cmdline->length; i++)
		if (!text[i])
			text[i] = ' ';
	return text;
}

static bool read_facts(struct facts *f, pid_t pid)
{
	own_clear(str_clear) struct str stat_text = { 0 }, cmdline = { 0 };
	own_free char *path = mem_format("/proc/%d", pid);
	struct stat st;
	struct err ignored;

	*f = (struct facts){ .pid = pid };
	own_fd int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || fstat(folder, &st) < 0 ||
	    fd_read_file_at(folder, "stat", STAT_BYTES_MAX, &stat_text, &ignored) < 0 ||
	    !stat_text.text || !parse_stat(f, stat_text.text))
		return false;
	fd_read_file_at(folder, "cmdline", COMMAND_BYTES_MAX, &cmdline, &ignored);
	f->uid = st.st_uid;
	f->args = join_args(&cmdline, f->comm);
	return true;
}

/* ---- columns ---- */

static void add_pid(struct str *to, const struct facts *f)
{
	str_addf(to, "%d", f->pid);
}

static void add_ppid(struct str *to, const struct facts *f)
{
	str_addf(to, "%d", f->ppid);
}

static void add_uid(struct str *to, const struct facts *f)
{
	str_addf(to, "%u", f->uid);
}

static void add_comm(struct str *to, const struct facts *f)
{
	str_add(to, f->comm);
}

static void add_args(struct str *to, const struct facts *f)
{
	str_add(to, f->args);
}

static void add_state(struct str *to, const struct facts *f)
{
	str_add_char(to, f->state);
}

static void add_vsz(struct str *to, const struct facts *f)
{
	str_addf(to, "%llu", f->bytes / 1024);
}

static void add_rss(struct str *to, const struct facts *f)
{
	str_addf(to, "%lld", f->pages * (sysconf(_SC_PAGESIZE) / 1024));
}

static void add_threads(struct str *to, const struct facts *f)
{
	str_addf(to, "%ld", f->threads);
}

static void add_time(struct str *to, const struct facts *f)
{
	unsigned long long seconds = f->ticks / (unsigned long long)sysconf(_SC_CLK_TCK);

	str_addf(to, "%02llu:%02llu:%02llu", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

static const struct ps_own_column {
	const char *name;
	const char *heading;
	void (*add)(struct str *to, const struct facts *f);
} columns[] = {
	{ "uid", "UID", add_uid },       { "pid", "PID", add_pid },
	{ "ppid", "PPID", add_ppid },    { "state", "S", add_state },
	{ "time", "TIME", add_time },    { "cmd", "CMD", add_args },
	{ "user", "USER", add_uid },     { "comm", "COMMAND", add_comm },
	{ "args", "COMMAND", add_args }, { "command", "COMMAND", add_args },
	{ "s", "S", add_state },         { "vsz", "VSZ", add_vsz },
	{ "rss", "RSS", add_rss },       { "nlwp", "NLWP", add_threads },
};

static const struct ps_own_column *find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(columns); i++)
		if (str_equal(columns[i].name, name))
			return &columns[i];
	return NULL;
}

/* The names of the columns that args ask for. */
static int choose(struct strv *names, const struct strv *args, struct err *e)
{
	if (!args->count) {
		strv_split(names, "uid,pid,ppid,state,time,cmd", ',');
		return 0;
	}
	bool list = args->count == 2 &&
		    (str_equal(args->items[0], "-o") || str_equal(args->items[0], "-eo"));
	if (list)
		strv_split(names, args->items[1], ',');
	for (size_t i = 0; list && i < names->count; i++)
		list = find(names->items[i]) != NULL;
	if (list)
		return 0;
	err_set(e, ERR_UNSUPPORTED,
		"there is no ps(1) here, and holm itself has only -o with "
		"pid, ppid, uid, user, comm, args, state, vsz, rss, nlwp, time");
	return err_hint(e, "ps is in the package procps");
}

/* One process; NULL: the heading. */
static void add_line(struct strv *to, const struct strv *names, const struct facts *f)
{
	own_clear(str_clear) struct str line = { 0 };

	for (size_t i = 0; i < names->count; i++) {
		const struct ps_own_column *column = find(names->items[i]);
		if (i)
			str_add_char(&line, ' ');
		if (column && f)
			column->add(&line, f);
		else if (column)
			str_add(&line, column->heading);
	}
	strv_add_take(to, str_take(&line));
}

int ps_own_lines(struct strv *ret, const pid_t *pids, size_t count, const struct strv *args,
		 struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };

	int r = choose(&names, args, e);
	if (r < 0)
		return r;
	add_line(ret, &names, NULL);
	for (size_t p = 0; p < count; p++) {
		struct facts facts;
		if (!read_facts(&facts, pids[p]))
			continue;
		add_line(ret, &names, &facts);
		free(facts.args);
	}
	return 0;
}
