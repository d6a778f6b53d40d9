/* namespace.c - a namespace is made by unshare(2), and the caller goes back into its own. Where
 * nobody comes back, from that of another user namespace and into one that is not ours, a child
 * makes it and hands it over. */
#include "network/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/child.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/process.h"
#include "wire/netlink.h"

static int open_current(struct err *e)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open /proc/self/ns/net") : fd;
}

bool network_namespace_is_ours(void)
{
	if (!process_has_capability(CAP_NET_ADMIN))
		return false;
	own_fd int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	own_fd int owner = fd < 0 ? -1 : ioctl(fd, NS_GET_USERNS);
	/* EPERM: it belongs to one that is above ours. Without the file nothing is known */
	return owner >= 0 || (fd >= 0 && errno != EPERM);
}

/* As docker has it: without CAP_NET_RAW all may ping, without CAP_NET_BIND_SERVICE all ports are
 * free. The groups end where the user namespace ends; a kernel without these files is fine. */
static void set_defaults(void)
{
	static const char groups[] = "/proc/sys/net/ipv4/ping_group_range";
	struct err ignored;

	if (fd_write_control_at(AT_FDCWD, groups, "0 2147483647", &ignored) < 0)
		fd_write_control_at(AT_FDCWD, groups, "0 65535", &ignored);
	fd_write_control_at(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0",
			    &ignored);
}

/* Leaves the caller in it. */
static int make_here(struct network_namespace *ret, struct err *e)
{
	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(e, "make a network namespace");
	set_defaults();
	own_fd int fd = open_current(e);
	if (fd < 0)
		return fd;
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	*ret = (struct network_namespace){ take_fd(&fd), take_fd(&socket) };
	return 0;
}

static int make_and_return(struct network_namespace *ret, struct err *e)
{
	struct network_namespace made = NETWORK_NAMESPACE_INIT;

	int own = open_current(e);
	if (own < 0)
		return own;
	int r = make_here(&made, e);
	network_namespace_leave(own);
	if (r == 0)
		*ret = made;
	return r;
}

/* ---- in a child ---- */

static int make_in_child(void *arg, int *fds, struct err *e)
{
	const int *user_fd = arg;
	struct network_namespace made;

	if (*user_fd >= 0 && setns(*user_fd, CLONE_NEWUSER) < 0)
		return err_sys(e, "enter the container's user namespace");
	int r = make_here(&made, e);
	if (r < 0)
		return r;
	fds[0] = made.fd;
	fds[1] = made.socket;
	return 0;
}

static int make_by_child(struct network_namespace *ret, int user_fd, struct err *e)
{
	int fds[2];

	int r = child_open(fds, 2, make_in_child, &user_fd, e);
	if (r < 0)
		return err_add(e, "make a network namespace");
	*ret = (struct network_namespace){ fds[0], fds[1] };
	return 0;
}

int network_namespace_make(struct network_namespace *ret, int user_fd, struct err *e)
{
	return user_fd < 0 && network_namespace_is_ours() ? make_and_return(ret, e)
							  : make_by_child(ret, user_fd, e);
}

int network_namespace_enter(const struct network_namespace *namespace, struct err *e)
{
	own_fd int own = open_current(e);
	if (own < 0)
		return own;
	if (setns(namespace->fd, CLONE_NEWNET) < 0)
		return err_sys(e, "enter the container's network namespace");
	return take_fd(&own);
}

int network_namespace_take(struct network_namespace *ret, int *fd, struct err *e)
{
	const struct network_namespace entered = { *fd, -1 };

	int back = network_namespace_enter(&entered, e);
	if (back < 0)
		return back;
	int socket = wire_netlink_open(e);
	network_namespace_leave(back);
	if (socket < 0)
		return socket;
	*ret = (struct network_namespace){ take_fd(fd), socket };
	return 0;
}

void network_namespace_leave(int back)
{
	/* what follows in the wrong network would be worse than an end */
	if (setns(back, CLONE_NEWNET) < 0)
		abort();
	close(back);
}

void network_namespace_close(struct network_namespace *namespace)
{
	if (namespace->fd >= 0)
		close(namespace->fd);
	if (namespace->socket >= 0)
		close(namespace->socket);
	*namespace = (struct network_namespace)NETWORK_NAMESPACE_INIT;
}
