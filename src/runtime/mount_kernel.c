#include "runtime/mount_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/clone.h"
#include "runtime/mount.h"
#include "runtime/mount_source.h"
#include "runtime/namespace.h"
#include "runtime/proc_mount.h"

static const struct kernel_filesystem {
	const char *type;
	const char *host; /* where the host has it */
	uint64_t kind;    /* the namespace that it shows */
	const char *namespace;
} filesystems[] = {
	{ "proc", "/proc", CLONE_NEWPID, "PID" },
	{ "sysfs", "/sys", CLONE_NEWNET, "network" },
	{ "mqueue", "/dev/mqueue", CLONE_NEWIPC, "IPC" },
};

static const struct kernel_filesystem *find(const struct runtime_mount *m)
{
	for (size_t i = 0; i < sizeof(filesystems) / sizeof(filesystems[0]); i++)
		if (!runtime_mount_is_bind(m) && str_equal(m->spec->type, filesystems[i].type))
			return &filesystems[i];
	return NULL;
}

/* CLONE_FILES: what the child puts at place is there for this process, too. */
static int open_in_namespace(const struct kernel_filesystem *fs, int joined, int place,
			     struct err *e)
{
	pid_t pid = runtime_clone(CLONE_FILES, -1, NULL);

	if (pid < 0)
		return err_number(e, -pid, "start a process in the %s namespace", fs->namespace);
	if (pid == 0) {
		int context = -1;
		if (setns(joined, (int)fs->kind) == 0)
			context = fs->kind == CLONE_NEWPID
					  ? runtime_proc_open_for_children(joined, e)
					  : fsopen(fs->type, FSOPEN_CLOEXEC);
		_exit(context >= 0 && dup3(context, place, O_CLOEXEC) >= 0 ? 0 : 1);
	}
	if (process_wait(pid) != 0)
		return err_number(e, EPERM, "open a filesystem of type %s in the %s namespace",
				  fs->type, fs->namespace);
	return 0;
}

/* By the rights of the caller: of its own namespace, or of one that is to be joined. */
static int make(const struct kernel_filesystem *fs, int joined, struct err *e)
{
	own_fd int context = fsopen(fs->type, FSOPEN_CLOEXEC);

	if (context < 0)
		return err_sys(e, "open filesystem type %s", fs->type);
	int r = joined >= 0 ? open_in_namespace(fs, joined, context, e) : 0;
	if (r < 0)
		return r;
	fsconfig(context, FSCONFIG_SET_STRING, "source", fs->type, 0);
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return runtime_mount_error(e, context, "make a filesystem of type %s", fs->type);
	int fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? err_sys(e, "mount a filesystem of type %s", fs->type) : fd;
}

static int bind_host(const struct kernel_filesystem *fs, struct err *e)
{
	int fd = open_tree(AT_FDCWD, fs->host, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd < 0)
		return err_sys(e, "clone the host's %s", fs->host);
	log_warning("%s is the host's, because the container's user namespace does not own its "
		    "%s namespace",
		    fs->host, fs->namespace);
	return fd;
}

static int open_anyhow(const struct kernel_filesystem *fs, int joined, struct err *e)
{
	int fd = make(fs, joined, e);

	return fd == -EPERM && joined < 0 ? bind_host(fs, e) : fd;
}

int runtime_mount_kernel_open_in_parent(struct runtime_mount *m,
					const struct runtime_namespaces *namespaces, struct err *e)
{
	const struct kernel_filesystem *fs = find(m);
	struct mount_attr attr = {
		.attr_set = m->options.set | m->options.set_all,
		.propagation = MS_PRIVATE,
	};

	if (!fs || runtime_namespace_is_owned(namespaces, fs->kind))
		return 0;
	own_fd int fd = open_anyhow(fs, runtime_namespace_joined(namespaces, fs->kind), e);
	if (fd < 0)
		return fd;
	/* the kinds of atime are locked in a mount that came from another user namespace */
	attr.attr_set &= ~(uint64_t)(MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME);
	if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_sys(e, "set the flags of %s", fs->host);
	m->is_folder = true;
	m->source_fd = take_fd(&fd);
	return 0;
}

/* Mount points that are always empty hide nothing, so they do not count (fs/proc/generic.c,
 * proc_create_mount_point(); fs/sysfs/dir.c, sysfs_create_mount_point()). */
static bool is_made_for_mounts(const char *path)
{
	static const char *const points[] = {
		"/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd",
		"/sys/fs/cgroup",           "/sys/fs/bpf",
		"/sys/fs/selinux",          "/sys/fs/pstore",
		"/sys/fs/fuse/connections", "/sys/kernel/debug",
		"/sys/kernel/tracing",      "/sys/kernel/security",
		"/sys/kernel/config",       "/sys/firmware/efi/efivars"
	};

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		if (str_equal(path, points[i]))
			return true;
	return false;
}

/* What covers a part of /proc: the mount point, the fifth field of proc_pid_mountinfo(5). */
static bool find_mask(char to[256], const char *below)
{
	size_t length = strlen(below);
	own_file FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*s %*s %*s %255s", to) == 1 && str_starts(to, below) &&
		    to[length] == '/' && !is_made_for_mounts(to))
			return true;
	return false;
}

int runtime_mount_kernel_explain_in_child(const struct runtime_mount *m, struct err *e)
{
	const struct kernel_filesystem *fs = find(m);
	char mask[256];

	if (!fs || e->number != EPERM)
		return -e->number;
	if (find_mask(mask, fs->host))
		return err_hint(e,
				"holm runs in a container in which %s is masked, so the kernel "
				"allows no new one in a user namespace: start the outer container "
				"with its %s unmasked (holm and podman: --security-opt unmask=ALL, "
				"docker: --security-opt systempaths=unconfined), or use its %s "
				"namespace",
				mask, fs->host, fs->namespace);
	return err_hint(e,
			"the user namespace must own the %s namespace, and %s must be mounted "
			"outside",
			fs->namespace, fs->host);
}
