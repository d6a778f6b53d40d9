#include "runtime/proc_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/process.h"
#include "runtime/clone.h"

/* CLONE_FILES: what the child puts at place is there for this process, too. */
static int open_in_child(int place, struct err *e)
{
	pid_t pid = runtime_clone(CLONE_FILES, -1, NULL);

	if (pid < 0)
		return err_number(e, -pid, "start a process in the PID namespace");
	if (pid == 0) {
		int fs = fsopen("proc", FSOPEN_CLOEXEC);
		_exit(fs >= 0 && dup3(fs, place, O_CLOEXEC) >= 0 && close(fs) == 0 ? 0 : 1);
	}
	if (process_wait(pid) != 0)
		return err_set(e, ERR_SYSTEM, "open a procfs in the PID namespace");
	return 0;
}

int runtime_proc_open_for_children(int namespace_fd, struct err *e)
{
	own_fd int fs = fsopen("proc", FSOPEN_CLOEXEC);

	if (fs < 0)
		return err_sys(e, "open filesystem type proc");
	if (fsconfig(fs, FSCONFIG_SET_FD, "pidns", NULL, namespace_fd) == 0)
		return take_fd(&fs);
	int r = open_in_child(fs, e);
	return r < 0 ? r : take_fd(&fs);
}
