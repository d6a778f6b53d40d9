#include "monitor/stdio.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"

void monitor_stdio_close(struct monitor_stdio *stdio)
{
	for (int i = 0; i < 3; i++) {
		if (stdio->ours[i] >= 0)
			close(take_fd(&stdio->ours[i]));
		if (stdio->theirs[i] >= 0)
			close(take_fd(&stdio->theirs[i]));
	}
}

int monitor_stdio_open(struct monitor_stdio *ret, bool with_input, struct err *e)
{
	struct monitor_stdio stdio = MONITOR_STDIO_INIT;
	int ends[2];

	for (int i = with_input ? 0 : 1; i < 3; i++) {
		if (pipe2(ends, O_CLOEXEC) < 0) {
			monitor_stdio_close(&stdio);
			return err_sys(e, "make a pipe");
		}
		stdio.ours[i] = ends[i == 0 ? 1 : 0];
		stdio.theirs[i] = ends[i == 0 ? 0 : 1];
	}
	*ret = stdio;
	return 0;
}
