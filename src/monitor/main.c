/* main.c - the program holm-monitor; see monitor.h. People do not run it: holm does. */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/number.h"
#include "monitor/monitor.h"
#include "runtime/inherited.h"

int main(int argc, char **argv)
{
	struct err e;
	uint64_t kept = 0;
	int r = argc == 4 ? number_parse_u64(&kept, argv[3], RUNTIME_INHERITED_MAX, &e) : -1;

	/* started by descriptor, the kernel named us after its number */
	prctl(PR_SET_NAME, "holm-monitor");
	if (r == 0 && strcmp(argv[1], "run") == 0) {
		r = monitor_run(argv[2], kept, &e);
	} else if (r == 0 && strcmp(argv[1], "exec") == 0) {
		r = monitor_exec(argv[2], kept, &e);
	} else {
		dprintf(STDERR_FILENO, "usage: holm-monitor run|exec RUNDIR KEPT\n"
				       "(started by holm, with a socket as descriptor 3)\n");
		return 125;
	}
	if (r < 0) {
		dprintf(STDERR_FILENO, "holm-monitor: %s\n", e.text);
		return 125;
	}
	return 0;
}
