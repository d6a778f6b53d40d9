#include "runtime/signal_listed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"

static bool contains(const pid_t *pids, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/* Whoever has the number while the list is made the second time had it, or is gone, when the
 * descriptor was opened. */
int runtime_signal_listed(const pid_t *pids, size_t count, int number, runtime_signal_list *list,
			  const void *context, struct err *e)
{
	own_free int *fds = mem_new(count + 1, sizeof(*fds));
	own_free pid_t *again = NULL;
	size_t again_count = 0;

	for (size_t i = 0; i < count; i++)
		fds[i] = pidfd_open(pids[i], 0);
	int r = list(&again, &again_count, context, e);
	for (size_t i = 0; i < count; i++) {
		if (fds[i] < 0)
			continue;
		int sent =
			contains(again, again_count, pids[i]) ? process_signal(fds[i], number) : 0;
		if (sent < 0 && sent != -ESRCH && r == 0)
			r = err_number(e, -sent, "signal process %d", (int)pids[i]);
		close(fds[i]);
	}
	return r;
}
