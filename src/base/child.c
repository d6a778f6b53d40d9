#include "base/child.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/process.h"

/* One message: the error, and with descriptors it is none. */
static int take(int *ret, size_t wanted, int socket, struct err *e)
{
	struct err theirs;
	int fds[FD_PASS_MAX];
	size_t count = 0;

	ssize_t n = fd_receive(socket, &theirs, sizeof(theirs), fds, &count, e);
	if (n < 0)
		return (int)n;
	if (n == sizeof(theirs) && count == wanted) {
		memcpy(ret, fds, wanted * sizeof(*fds));
		return 0;
	}
	while (count > 0)
		close(fds[--count]);
	if (n != sizeof(theirs) || theirs.number <= 0)
		return err_set(e, ERR_INTERNAL, "a process that was to open something ended");
	*e = theirs;
	return -e->number;
}

int child_open(int *fds, size_t count, int (*make)(void *arg, int *fds, struct err *e), void *arg,
	       struct err *e)
{
	int pair[2];

	assert(count > 0 && count <= FD_PASS_MAX);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make a socket pair");
	own_fd int ours = pair[0];
	own_fd int theirs = pair[1];
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0) {
		struct err told = { 0 }, nobody_listens;
		int made[FD_PASS_MAX];
		int r = make(arg, made, &told);
		fd_send(theirs, &told, sizeof(told), made, r < 0 ? 0 : count, &nobody_listens);
		_exit(0);
	}
	close(take_fd(&theirs));
	int r = take(fds, count, ours, e);
	process_wait(pid);
	return r;
}
