#include "runtime/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/core_sched.h"
#include "runtime/cover.h"
#include "runtime/cpu_affinity.h"
#include "runtime/guest.h"
#include "runtime/hooks.h"
#include "runtime/login.h"
#include "runtime/lsm.h"
#include "runtime/mask.h"
#include "runtime/net_device.h"
#include "runtime/procfs.h"
#include "runtime/rootfs.h"
#include "runtime/runtime.h"
#include "runtime/setup_user.h"
#include "runtime/sysctl.h"
#include "runtime/time_offset.h"
#include "runtime/tree.h"
#include "wire/netlink.h"

/* Who has no id here is shown as; /proc/sys/kernel/overflowuid, which nobody changes. */
enum { NO_USER = 65534 };

/* ---- in the parent ---- */

/* What lies on the host, as detached mounts. */
static int open_tree_parts(struct runtime_setup *ret, struct err *e)
{
	const struct runtime_namespaces *ns = &ret->namespaces;
	const char *bundle = ret->launch.options->bundle;
	const struct runtime_mount_host host = { bundle, &ret->user, ns };

	if (ns->joined & CLONE_NEWNS)
		return 0;
	ret->rootfs_fd = runtime_rootfs_open_in_parent(ret->spec, bundle, &ret->user, e);
	if (ret->rootfs_fd < 0)
		return ret->rootfs_fd;
	int r = runtime_mount_open_in_parent(&ret->mounts, ret->spec, &host, e);
	if (r < 0)
		return r;
	if (ret->launch.fork)
		ret->mounts.pid_namespace = runtime_namespace_joined(ns, CLONE_NEWPID);
	else
		ret->mounts.pid_namespace = -1;
	/* mknod(2) of devices is for the first user namespace alone */
	return runtime_device_open_in_parent(&ret->devices, ret->spec, ret->inner, e);
}

static int leave_mounts(int host_fd, struct err *e)
{
	/* which takes the working directory along */
	return setns(host_fd, CLONE_NEWNS) < 0 ? err_sys(e, "return to the host's mounts") : 0;
}

/* What preMount hooks mount is seen by the container's root and its binds, and by nobody else:
 * they run in a mount namespace that ends right after. The host's changes reach it, not the other
 * way. */
static int open_tree_behind_hooks(struct runtime_setup *ret, struct err *e)
{
	struct mount_attr slave = { .propagation = MS_SLAVE };
	struct err left;

	if (ret->tree_in_child)
		return err_set(e, ERR_UNSUPPORTED,
			       "preMount hooks of a caller who may not mount anything");
	own_fd int host = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (host < 0)
		return err_sys(e, "open /proc/self/ns/mnt");
	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(e, "make a mount namespace for hooks");
	int r = mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &slave, sizeof(slave)) < 0
			? err_sys(e, "cut the mounts of hooks off the host's")
			: runtime_hooks_run(&ret->launch.hooks, RUNTIME_HOOKS_PRE_MOUNT, 0, NULL,
					    e);
	if (r == 0)
		r = open_tree_parts(ret, e);
	int back = leave_mounts(host, r < 0 ? &left : e);
	return r < 0 ? r : back;
}

static int prepare_namespaces(struct runtime_setup *ret, struct err *e)
{
	struct runtime_namespaces *ns = &ret->namespaces;

	int r = runtime_namespace_open_in_parent(ns, ret->spec, e);
	if (r == 0)
		r = runtime_user_namespace_prepare_in_parent(&ret->user, ns, ret->spec, e);
	if (r < 0)
		return r;
	if (!((ns->own | ns->joined) & CLONE_NEWNS))
		return err_set(e, ERR_UNSUPPORTED, "a container without a mount namespace");
	ret->inner = ((ns->own | ns->joined) & CLONE_NEWUSER) || runtime_user_namespace_is_inner();
	ret->foreign = runtime_namespace_foreign(ns);
	ret->tree_in_child = !runtime_user_namespace_may_do_without();
	return 0;
}

/* Else the host's name would be changed. */
static int check_names(const struct runtime_setup *s, struct err *e)
{
	bool named = !str_empty(s->spec->hostname) || !str_empty(s->spec->domainname);

	if (named && !((s->namespaces.own | s->namespaces.joined) & CLONE_NEWUTS))
		return err_set(e, ERR_INVALID, "hostname or domainname without a UTS namespace");
	return 0;
}

int runtime_setup_prepare_in_parent(struct runtime_setup *ret, const struct oci_spec *spec,
				    const struct runtime_options *options, struct err *e)
{
	*ret = (struct runtime_setup){ .spec = spec, .rootfs_fd = -1, .entry = { .folder = -1 } };
	ret->launch = (struct runtime_launch)RUNTIME_LAUNCH_INIT;
	ret->user = (struct runtime_user_namespace)RUNTIME_USER_NAMESPACE_INIT;
	/* first, because it makes *ret one that can be ended */
	int r = prepare_namespaces(ret, e);
	if (r == 0 && !spec->process)
		r = err_set(e, ERR_INVALID, "the spec has no process");
	if (r == 0)
		r = check_names(ret, e);
	if (r == 0)
		r = runtime_net_device_check(spec, ret->namespaces.own | ret->namespaces.joined, e);
	if (r == 0)
		r = runtime_time_offset_check(spec, ret->namespaces.own, e);
	if (r == 0)
		r = runtime_launch_prepare_in_parent(&ret->launch, spec, spec->process, options, e);
	if (r == 0)
		r = runtime_hooks_open_in_parent(&ret->launch.hooks, spec, options->id,
						 options->bundle, e);
	if (r < 0)
		return r;
	ret->launch.fork = ret->namespaces.joined & ~ret->foreign & CLONE_NEWPID;
	ret->launch.wait |= runtime_setup_clone_flags(ret) & CLONE_NEWUSER;
	ret->launch.hooks.stop_fd = options->stop_fd;
	if (runtime_hooks_any(&ret->launch.hooks, RUNTIME_HOOKS_PRE_MOUNT))
		return open_tree_behind_hooks(ret, e);
	return ret->tree_in_child ? 0 : open_tree_parts(ret, e);
}

void runtime_setup_clear(struct runtime_setup *setup)
{
	runtime_namespace_close(&setup->namespaces);
	runtime_user_namespace_clear(&setup->user);
	runtime_mount_clear(&setup->mounts);
	runtime_device_clear(&setup->devices);
	runtime_launch_clear(&setup->launch);
	runtime_cgroup_entry_close(&setup->entry);
	if (setup->rootfs_fd >= 0)
		close(setup->rootfs_fd);
	setup->rootfs_fd = -1;
}

static uint64_t own_at_clone(const struct runtime_setup *setup)
{
	return setup->namespaces.own & ~(uint64_t)(CLONE_NEWCGROUP | CLONE_NEWTIME);
}

uint64_t runtime_setup_clone_flags(const struct runtime_setup *setup)
{
	return runtime_setup_user_forks(setup) ? 0 : own_at_clone(setup);
}

int runtime_setup_forks(const struct runtime_setup *setup)
{
	return runtime_setup_user_forks(setup) + setup->launch.fork;
}

/* ---- in the child: namespaces ---- */

/* A new network namespace has its loopback device down. */
static int raise_loopback(struct err *e)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	own_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_sys(e, "raise the loopback device");
	return 0;
}

static int set_names(const struct oci_spec *spec, struct err *e)
{
	if (!str_empty(spec->hostname) && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return err_sys(e, "set hostname %s", spec->hostname);
	if (!str_empty(spec->domainname) &&
	    setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
		return err_sys(e, "set domainname %s", spec->domainname);
	return 0;
}

/* The parent has the rights over the host's devices, but not this namespace. */
static int take_devices(const struct runtime_setup *s, struct err *e)
{
	if (!s->spec->linux_.net_devices.count)
		return 0;
	own_fd int socket = wire_netlink_open(e);
	if (socket < 0)
		return socket;
	own_fd int namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (namespace < 0)
		return err_sys(e, "open /proc/self/ns/net");
	int fds[RUNTIME_CHANNEL_FDS] = { namespace, socket };
	return runtime_launch_ask_in_child(&s->launch, RUNTIME_MESSAGE_NETWORK, fds,
					   RUNTIME_CHANNEL_FDS, e);
}

/* After the cgroup is entered: its place becomes the namespace's root. */
static int enter(struct runtime_setup *s, struct err *e)
{
	const struct runtime_namespaces *ns = &s->namespaces;

	runtime_cgroup_entry_close(&s->entry);
	runtime_cpu_affinity_reset_in_child(s->spec);
	int r = runtime_core_sched_create_in_child(s->spec, e);
	if (r < 0)
		return r;
	r = runtime_namespace_join(ns, ~(CLONE_NEWNS | CLONE_NEWUSER | s->foreign), e);
	if (r < 0)
		return r;
	if ((ns->own & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(e, "make a cgroup namespace");
	if ((ns->own & CLONE_NEWNET) && raise_loopback(e) < 0)
		return -e->number;
	r = take_devices(s, e);
	return r < 0 ? r : set_names(s->spec, e);
}

/* ---- in the child: what is written to /proc ---- */

static int write_sysctls(const struct runtime_setup *s, int proc_fd, struct err *e)
{
	const struct shape_map *keys = &s->spec->linux_.sysctl;
	unsigned long own = (unsigned long)(s->namespaces.own | s->namespaces.joined);

	for (size_t i = 0; i < keys->count; i++) {
		int r = runtime_sysctl_write_in_child(proc_fd, keys->items[i].key,
						      keys->items[i].value, own, e);
		if (r < 0)
			return err_add(e, "linux.sysctl");
	}
	return 0;
}

/* A procfs of our own costs 20 us, so it is made only for those who need it. */
static int write_to_proc(struct runtime_setup *s, struct err *e)
{
	const struct runtime_rights *rights = &s->launch.rights;
	bool labels = !str_empty(rights->apparmor) || !str_empty(rights->selinux);

	if (!labels && !s->spec->linux_.sysctl.count && !(s->namespaces.own & CLONE_NEWTIME))
		return 0;
	s->launch.proc_fd = runtime_procfs_open(e);
	if (s->launch.proc_fd < 0)
		return s->launch.proc_fd;
	if (s->namespaces.own & CLONE_NEWTIME) {
		int r = runtime_time_offset_unshare_in_child(s->launch.proc_fd, s->spec,
							     s->namespaces.own & CLONE_NEWPID, e);
		if (r < 0)
			return r;
	}
	return write_sysctls(s, s->launch.proc_fd, e);
}

/* ---- in the child: the tree ---- */

static int open_terminal(struct runtime_setup *s, const struct runtime_tree *tree, struct err *e)
{
	const struct runtime_tree_mount *pts = runtime_tree_mount_of_type(tree, "devpts");
	struct runtime_terminal *terminal = &s->launch.terminal;
	const struct oci_process *process = s->spec->process;

	if (!process->terminal)
		return 0;
	if (!pts)
		return err_set(e, ERR_INVALID, "process.terminal without a mount of type devpts");
	int r = runtime_terminal_open_in_child(terminal, pts->fd, process->console_size, e);
	return r < 0 ? r : runtime_terminal_bind_console_in_child(terminal, tree, e);
}

/* runc and Docker make the working directory where it is missing; a failure shows later, when
 * it is changed into. */
static void make_cwd(const struct runtime_setup *s, const struct runtime_tree *tree)
{
	struct err ignored;
	own_fd int fd = runtime_tree_make_dirs(tree, s->spec->process->cwd, 0755, &ignored);

	(void)fd;
}

/* Those of the runtime are run by the parent; the container's here, where paths are still the
 * host's, with the new root as the working directory, as runc has it. */
static int run_hooks(struct runtime_setup *s, struct err *e)
{
	if (!runtime_hooks_before_pivot(&s->launch.hooks))
		return 0;
	int r = runtime_launch_ask_in_child(&s->launch, RUNTIME_MESSAGE_HOOKS, NULL, 0, e);
	if (r < 0)
		return r;
	if (fchdir(s->rootfs_fd) < 0)
		return err_sys(e, "change into the root filesystem");
	umask(0022);
	r = runtime_hooks_run(&s->launch.hooks, RUNTIME_HOOKS_CREATE_CONTAINER, getpid(), NULL, e);
	umask(0);
	return r;
}

static int attach_root(const struct runtime_setup *s, struct err *e)
{
	bool shown = runtime_hooks_before_pivot(&s->launch.hooks) && !s->launch.options->no_pivot;
	const char *bundle = s->launch.options->bundle;
	int r = runtime_rootfs_isolate_in_child(e);

	if (r == 0 && shown)
		r = runtime_rootfs_attach_at_path_in_child(s->rootfs_fd, s->spec, bundle, e);
	else if (r == 0)
		r = runtime_rootfs_attach_in_child(s->rootfs_fd, e);
	return r;
}

static int build_tree(struct runtime_setup *s, struct err *e)
{
	own_clear(runtime_tree_clear) struct runtime_tree tree = { .root_fd = s->rootfs_fd };
	int r = attach_root(s, e);
	if (r == 0)
		r = runtime_mount_attach_in_child(&s->mounts, &tree, s->cgroup, e);
	if (r == 0)
		r = runtime_device_make_in_child(&s->devices, &tree, e);
	if (r == 0)
		r = open_terminal(s, &tree, e);
	if (r < 0)
		return r;
	make_cwd(s, &tree);
	r = runtime_guest_prepare_in_child(s->spec, &tree, e);
	if (r == 0)
		r = runtime_login_add_in_child(s->spec, &tree, e);
	if (r == 0)
		r = runtime_mask_keep_writable_in_child(s->spec, &tree, e);
	if (r == 0)
		r = run_hooks(s, e);
	if (r == 0)
		r = runtime_cover_attach_in_child(s->launch.options->covers, &tree, e);
	if (r == 0)
		r = runtime_mask_readonly_in_child(s->spec, &tree, e);
	if (r == 0)
		r = runtime_mask_paths_in_child(s->spec, &tree, s->mounts.label, e);
	if (r == 0)
		r = s->launch.options->no_pivot ? runtime_rootfs_enter_in_child(s->rootfs_fd, e)
						: runtime_rootfs_pivot_in_child(s->rootfs_fd, e);
	return r < 0 ? r : runtime_rootfs_finish_in_child(s->rootfs_fd, s->spec, e);
}

/* Nothing can be made in folders whose owner has no id in the container, whatever its root may. */
static int explain_owner(const struct runtime_setup *s, int r, struct err *e)
{
	struct stat st;

	if (r >= 0 || !s->inner ||
	    (e->number != EACCES && e->number != EPERM && e->number != EOVERFLOW) ||
	    fstat(s->rootfs_fd, &st) < 0 || st.st_uid != NO_USER)
		return r;
	return err_hint(e, "the root filesystem belongs to a user of the host who has no id in the "
			   "container: give it to the container's root by chown, or (as root) have "
			   "its ids mapped by the annotation org.holm.rootfs.idmap");
}

int runtime_setup_in_child(struct runtime_setup *s, struct err *e)
{
	/* modes of nodes and folders are exact; launch.h sets the process's own */
	umask(0);
	int r = runtime_launch_wait_in_child(&s->launch, e);
	if (r < 0)
		return r;
	/* not before: /proc/PID of who cannot be traced is root's, and an ordinary user's maps are
	 * written there */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "forbid tracing");
	r = runtime_setup_user_enter_in_child(s, own_at_clone(s), e);
	if (r == 0 && s->inner)
		s->launch.rights.groups_denied = runtime_user_namespace_denies_groups("self");
	s->user.entered = s->tree_in_child;
	if (r == 0 && s->tree_in_child)
		r = open_tree_parts(s, e);
	if (r == 0)
		r = enter(s, e);
	if (r == 0)
		r = write_to_proc(s, e);
	if (r == 0 && s->rootfs_fd < 0)
		r = runtime_namespace_join(&s->namespaces, CLONE_NEWNS, e);
	else if (r == 0)
		r = explain_owner(s, build_tree(s, e), e);
	return r < 0 ? r : runtime_launch_in_child(&s->launch, e);
}
