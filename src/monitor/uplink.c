#include "monitor/uplink.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"

enum { LINE_MAX_BYTES = 64 };

int monitor_uplink_write(int run_dir_fd, pid_t pid, struct err *e)
{
	uint64_t start;

	int r = process_start_time(pid, &start);
	if (r < 0)
		return err_number(e, -r, "the program that carries the packets");
	own_free char *line = mem_format("%d %" PRIu64 "\n", (int)pid, start);
	return fd_write_file_at(run_dir_fd, MONITOR_UPLINK, line, strlen(line), 0600, e);
}

int monitor_uplink_open(pid_t *ret_pid, int run_dir_fd)
{
	own_clear(str_clear) struct str text = { 0 };
	struct err none;
	uint64_t start;
	int pid;

	if (fd_read_file_at(run_dir_fd, MONITOR_UPLINK, LINE_MAX_BYTES, &text, &none) < 0 ||
	    sscanf(text.text, "%d %" SCNu64, &pid, &start) != 2)
		return -1;
	*ret_pid = pid;
	return process_open(pid, start);
}

void monitor_uplink_end(int run_dir_fd)
{
	pid_t pid;

	own_fd int pidfd = monitor_uplink_open(&pid, run_dir_fd);
	if (pidfd >= 0)
		process_signal(pidfd, SIGKILL);
	unlinkat(run_dir_fd, MONITOR_UPLINK, 0);
}
