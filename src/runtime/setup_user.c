#include "runtime/setup_user.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "runtime/cgroup.h"
#include "runtime/channel.h"
#include "runtime/clone.h"
#include "runtime/setup.h"
#include "runtime/user_namespace.h"

bool runtime_setup_user_forks(const struct runtime_setup *s)
{
	return (s->namespaces.joined & CLONE_NEWUSER) || s->foreign;
}

/* v1 lets an ordinary user move only what has the user's own id (it compares that of who opened the
 * file with the process's): so before it gets another. */
static int enter_cgroup(const struct runtime_setup *s, struct err *e)
{
	return runtime_cgroup_enter_self_in_child(&s->entry, s->entered, e);
}

static int become_root(const struct runtime_setup *s, struct err *e)
{
	int r = enter_cgroup(s, e);

	if (r < 0)
		return r;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) {
		err_sys(e, "become root of the user namespace");
		return err_hint(e, "0 must be among the container's ids, as uid and as gid");
	}
	return 0;
}

/* The one that goes on. Nothing to read: the other has failed, and said why. */
static int go_on(const struct runtime_setup *s, int go, struct err *e)
{
	char byte;

	if (read(go, &byte, 1) != 1)
		_exit(1);
	return become_root(s, e);
}

/* The one that ends. */
static int hand_over(const struct runtime_setup *s, pid_t pid, int go, struct err *e)
{
	int r = 0;

	if (s->namespaces.own & CLONE_NEWUSER)
		r = runtime_user_namespace_write_in_parent(pid, &s->user.ids, e);
	if (r == 0)
		r = runtime_channel_send(s->launch.channel, RUNTIME_MESSAGE_PID, pid, NULL, 0, e);
	if (r < 0)
		return err_add(e, "user namespace");
	(void)!write(go, "", 1);
	_exit(0);
}

int runtime_setup_user_enter_in_child(const struct runtime_setup *s, uint64_t flags, struct err *e)
{
	int ends[2];

	if (!runtime_setup_user_forks(s))
		return s->namespaces.own & CLONE_NEWUSER ? become_root(s, e) : enter_cgroup(s, e);
	int r = runtime_namespace_join(&s->namespaces, s->foreign, e);
	if (r == 0)
		r = runtime_namespace_join(&s->namespaces, CLONE_NEWUSER, e);
	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int reading = ends[0];
	own_fd int writing = ends[1];
	pid_t pid = runtime_clone(flags | CLONE_PARENT, -1, NULL);
	if (pid < 0)
		return err_number(e, -pid, "clone into the user namespace");
	if (pid > 0)
		return hand_over(s, pid, writing, e);
	close(take_fd(&writing));
	return go_on(s, reading, e);
}
