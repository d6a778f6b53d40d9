#include "runtime_cli/descriptors.h"

#include <fcntl.h>
#include <stdbool.h>

#include "base/err.h"
#include "runtime/listen.h"

enum { FIRST = 3 };

/* What exec(2) brought along cannot have FD_CLOEXEC, what was opened here always has: the log, and
 * the container's folder, lie in the first numbers that the caller left free. */
static bool is_callers(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && !(flags & FD_CLOEXEC);
}

int runtime_cli_descriptors_find(struct runtime_cli_descriptors *ret, int64_t preserve, bool listen,
				 struct err *e)
{
	ret->listen = 0;
	int r = listen ? runtime_listen_count(&ret->listen, e) : 0;
	if (r < 0)
		return r;
	if (preserve > RUNTIME_CLI_DESCRIPTORS_MAX ||
	    ret->listen + (size_t)preserve > RUNTIME_CLI_DESCRIPTORS_MAX)
		return err_set(e, ERR_INVALID, "--preserve-fds %lld: more than %d",
			       (long long)preserve, RUNTIME_CLI_DESCRIPTORS_MAX);
	ret->count = ret->listen + (size_t)preserve;
	for (size_t i = 0; i < ret->count; i++) {
		ret->items[i] = FIRST + (int)i;
		if (!is_callers(ret->items[i]))
			return err_set(e, ERR_INVALID,
				       "--preserve-fds %lld: descriptor %d is not open",
				       (long long)preserve, ret->items[i]);
	}
	return 0;
}
