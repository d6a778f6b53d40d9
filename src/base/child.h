/* child.h - what only another process can open, since it has to go to namespaces from which nobody
 * comes back: a child goes there, hands the descriptors over, and ends. */
#pragma once
#include <stddef.h>

struct err;

/* At most FD_PASS_MAX (base/fd.h). make runs in the child: it fills fds, count of them, or fails.
 * On success they are the caller's; otherwise the error is the child's, whole. The caller has one
 * thread. */
int child_open(int *fds, size_t count, int (*make)(void *arg, int *fds, struct err *e), void *arg,
	       struct err *e);
