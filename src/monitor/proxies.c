#include "monitor/proxies.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"

enum { PROXIES_BYTES_MAX = 4 << 20, END_MS = 1000, WHERE_MAX = 64 };

/* Its port is free once it has ended; what it made in the container's network it takes back. */
static void end(pid_t pid, uint64_t start)
{
	own_fd int pidfd = process_open(pid, start);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	if (pidfd >= 0 && process_signal(pidfd, SIGTERM) == 0 && poll(&ended, 1, END_MS) == 0 &&
	    process_signal(pidfd, SIGKILL) == 0)
		poll(&ended, 1, END_MS);
}

/* A line each: process, when it began, where it listens. Not the one of this place is kept. */
static void keep_others(struct str *to, const char *text, const char *where)
{
	char its[WHERE_MAX];
	uint64_t start;
	int pid;

	while (sscanf(text, "%d %" SCNu64 " %63s", &pid, &start, its) == 3) {
		if (where && !str_equal(its, where))
			str_addf(to, "%d %" PRIu64 " %s\n", pid, start, its);
		else
			end(pid, start);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

int monitor_proxies_add(int run_dir_fd, pid_t pid, const char *where, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	uint64_t start;

	int r = process_start_time(pid, &start);
	if (r < 0)
		return err_number(e, -r, "the program that carries the connections");
	r = fd_read_file_at(run_dir_fd, MONITOR_PROXIES, PROXIES_BYTES_MAX, &text, e);
	if (r < 0 && e->kind != ERR_NOT_FOUND)
		return r;
	str_addf(&text, "%d %" PRIu64 " %s\n", (int)pid, start, where);
	return fd_write_file_at(run_dir_fd, MONITOR_PROXIES, text.text, text.length, 0600, e);
}

void monitor_proxies_end(int run_dir_fd, const char *where)
{
	own_clear(str_clear) struct str text = { 0 }, kept = { 0 };
	struct err none;

	if (fd_read_file_at(run_dir_fd, MONITOR_PROXIES, PROXIES_BYTES_MAX, &text, &none) < 0)
		return;
	keep_others(&kept, text.text ? text.text : "", where);
	if (kept.length)
		fd_write_file_at(run_dir_fd, MONITOR_PROXIES, kept.text, kept.length, 0600, &none);
	else
		unlinkat(run_dir_fd, MONITOR_PROXIES, 0);
}
