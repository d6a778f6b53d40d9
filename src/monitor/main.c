/* main.c - the program holm-monitor; see monitor.h. People do not run it: holm does. */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "monitor/monitor.h"

int main(int argc, char **argv)
{
	struct err e;
	int r;

	/* started by descriptor, the kernel named us after its number */
	prctl(PR_SET_NAME, "holm-monitor");
	if (argc == 3 && strcmp(argv[1], "run") == 0) {
		r = monitor_run(argv[2], &e);
	} else if (argc == 3 && strcmp(argv[1], "exec") == 0) {
		r = monitor_exec(argv[2], &e);
	} else {
		dprintf(STDERR_FILENO, "usage: holm-monitor run|exec RUNDIR\n"
				       "(started by holm, with a socket as descriptor 3)\n");
		return 125;
	}
	if (r < 0) {
		dprintf(STDERR_FILENO, "holm-monitor: %s\n", e.text);
		return 125;
	}
	return 0;
}
