#include "runtime/inherited.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/err.h"
#include "runtime/listen.h"
#include "runtime/runtime.h"

/* What exec(2) brought along cannot have FD_CLOEXEC, what was opened here always has: a log or a
 * folder lies in the first numbers that the caller left free. */
static bool is_callers(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && !(flags & FD_CLOEXEC);
}

static void grow(struct runtime_inherited *to, size_t count)
{
	while (to->count < count)
		to->items[to->count++] = -1;
}

static int add_one(struct runtime_inherited *to, int fd, struct err *e)
{
	size_t at = (size_t)(fd - RUNTIME_INHERITED_FIRST);

	grow(to, at + 1);
	if (to->items[at] >= 0)
		return 0; /* said twice */
	if (!is_callers(fd))
		return err_set(e, ERR_INVALID, "descriptor %d is not open", fd);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	to->items[at] = fd;
	return 0;
}

int runtime_inherited_add(struct runtime_inherited *to, int64_t first, int64_t count, struct err *e)
{
	const int64_t end = RUNTIME_INHERITED_FIRST + RUNTIME_INHERITED_MAX;
	int r = 0;

	if (first < RUNTIME_INHERITED_FIRST)
		return err_set(e, ERR_INVALID, "descriptor %lld: 0 to 2 are the standard streams",
			       (long long)first);
	if (first > end || count < 0 || count > end - first)
		return err_set(e, ERR_INVALID, "descriptors 3 to %lld can be kept",
			       (long long)end - 1);
	for (int64_t fd = first; r == 0 && fd < first + count; fd++)
		r = add_one(to, (int)fd, e);
	return r;
}

int runtime_inherited_listen(struct runtime_inherited *to, struct err *e)
{
	int r = runtime_listen_count(&to->listen, e);

	if (r == 0)
		r = runtime_inherited_add(to, RUNTIME_INHERITED_FIRST, (int64_t)to->listen, e);
	if (r < 0)
		return r;
	to->names = to->listen ? getenv("LISTEN_FDNAMES") : NULL;
	return 0;
}

void runtime_inherited_pass(struct runtime_options *options,
			    const struct runtime_inherited *inherited)
{
	options->keep_fds = inherited->items;
	options->keep_fds_count = inherited->count;
	options->listen_fds = inherited->listen;
	options->listen_names = inherited->names;
}
