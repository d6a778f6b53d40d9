#include "runtime/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* In the order of joining: the user namespace gives the rights to join the others; after the
 * mount namespace the host's paths are gone. */
static const struct kind {
	const char *type; /* runtime-spec config-linux.md#namespaces */
	const char *file; /* in /proc/PID/ns */
	uint64_t flag;
} kinds[RUNTIME_NAMESPACE_KINDS] = {
	{ "user", "/proc/self/ns/user", CLONE_NEWUSER },
	{ "ipc", "/proc/self/ns/ipc", CLONE_NEWIPC },
	{ "uts", "/proc/self/ns/uts", CLONE_NEWUTS },
	{ "network", "/proc/self/ns/net", CLONE_NEWNET },
	{ "pid", "/proc/self/ns/pid", CLONE_NEWPID },
	{ "cgroup", "/proc/self/ns/cgroup", CLONE_NEWCGROUP },
	{ "time", "/proc/self/ns/time", CLONE_NEWTIME },
	{ "mount", "/proc/self/ns/mnt", CLONE_NEWNS },
};

static int find_kind(const char *type)
{
	for (int i = 0; i < RUNTIME_NAMESPACE_KINDS; i++)
		if (str_equal(kinds[i].type, type))
			return i;
	return -1;
}

static bool is_own(const struct kind *kind, int fd)
{
	struct stat own, other;

	return stat(kind->file, &own) == 0 && fstat(fd, &other) == 0 &&
	       own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

static int open_joined(struct runtime_namespaces *ret, int index, const char *path, struct err *e)
{
	const struct kind *kind = &kinds[index];

	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	int flag = ioctl(fd, NS_GET_NSTYPE);
	if (flag < 0 || (uint64_t)flag != kind->flag)
		return err_set(e, ERR_INVALID, "%s is not a %s namespace", path, kind->type);
	if (is_own(kind, fd))
		return 0;
	ret->joined |= kind->flag;
	ret->joined_fd[index] = take_fd(&fd);
	return 0;
}

/* A pid may be another process's by now: the annotation tells which one was meant. */
static int check_owner(const struct oci_spec *spec, const char *type, struct err *e)
{
	own_free char *key = mem_format("org.holm.joined.%s", type);
	const char *text = shape_map_get(&spec->annotations, key);
	unsigned long long start;
	uint64_t found;
	int pid;

	if (!text)
		return 0;
	if (sscanf(text, "%d:%llu", &pid, &start) != 2)
		return err_set(e, ERR_INVALID, "%s: not PID:START", key);
	if (process_start_time(pid, &found) < 0 || found != start)
		return err_set(e, ERR_STATE, "the process that it was of (%d) has ended", pid);
	return 0;
}

int runtime_namespace_open_in_parent(struct runtime_namespaces *ret, const struct oci_spec *spec,
				     struct err *e)
{
	uint64_t seen = 0;

	*ret = (struct runtime_namespaces){ 0 };
	for (int i = 0; i < RUNTIME_NAMESPACE_KINDS; i++)
		ret->joined_fd[i] = -1;

	for (size_t i = 0; i < spec->linux_.namespaces.count; i++) {
		const struct oci_namespace *ns = &spec->linux_.namespaces.items[i];
		int index = find_kind(ns->type);
		if (index < 0)
			return err_set(e, ERR_INVALID, "linux.namespaces[%zu].type '%s' is unknown",
				       i, ns->type ? ns->type : "");
		if (seen & kinds[index].flag)
			return err_set(e, ERR_INVALID,
				       "linux.namespaces[%zu].type '%s' is there twice", i,
				       ns->type);
		seen |= kinds[index].flag;
		if (str_empty(ns->path))
			ret->own |= kinds[index].flag;
		else if (open_joined(ret, index, ns->path, e) < 0 ||
			 check_owner(spec, ns->type, e) < 0)
			return err_add(e, "join %s namespace", ns->type);
	}
	return 0;
}

int runtime_namespace_joined(const struct runtime_namespaces *namespaces, uint64_t kind)
{
	for (int i = 0; i < RUNTIME_NAMESPACE_KINDS; i++)
		if (namespaces->joined & kind & kinds[i].flag)
			return namespaces->joined_fd[i];
	return -1;
}

/* A descriptor of the joined one of this kind, or of the caller's own. The caller's. */
static int open_present(const struct runtime_namespaces *namespaces, const struct kind *kind)
{
	int joined = runtime_namespace_joined(namespaces, kind->flag);

	return joined >= 0 ? fcntl(joined, F_DUPFD_CLOEXEC, 3)
			   : open(kind->file, O_RDONLY | O_CLOEXEC);
}

static bool is_same(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

bool runtime_namespace_is_owned(const struct runtime_namespaces *namespaces, uint64_t kind)
{
	if ((namespaces->own & kind) || (namespaces->own & CLONE_NEWUSER))
		return namespaces->own & kind;
	own_fd int user = open_present(namespaces, &kinds[0]);
	for (int i = 1; i < RUNTIME_NAMESPACE_KINDS; i++) {
		if (kinds[i].flag != kind)
			continue;
		own_fd int fd = open_present(namespaces, &kinds[i]);
		own_fd int owner = fd < 0 ? -1 : ioctl(fd, NS_GET_USERNS);
		return owner >= 0 && user >= 0 && is_same(owner, user);
	}
	return false;
}

uint64_t runtime_namespace_foreign(const struct runtime_namespaces *namespaces)
{
	uint64_t foreign = 0;

	if (!((namespaces->own | namespaces->joined) & CLONE_NEWUSER))
		return 0;
	for (int i = 1; i < RUNTIME_NAMESPACE_KINDS; i++)
		if ((namespaces->joined & kinds[i].flag) && kinds[i].flag != CLONE_NEWNS &&
		    !runtime_namespace_is_owned(namespaces, kinds[i].flag))
			foreign |= kinds[i].flag;
	return foreign;
}

void runtime_namespace_close(struct runtime_namespaces *namespaces)
{
	for (int i = 0; i < RUNTIME_NAMESPACE_KINDS; i++) {
		if (namespaces->joined_fd[i] >= 0)
			close(namespaces->joined_fd[i]);
		namespaces->joined_fd[i] = -1;
	}
}

int runtime_namespace_join(const struct runtime_namespaces *namespaces, uint64_t which,
			   struct err *e)
{
	for (int i = 0; i < RUNTIME_NAMESPACE_KINDS; i++) {
		if (!(namespaces->joined & which & kinds[i].flag))
			continue;
		if (setns(namespaces->joined_fd[i], (int)kinds[i].flag) < 0)
			return err_sys(e, "join %s namespace", kinds[i].type);
	}
	return 0;
}

void runtime_namespace_names(struct strv *to, const struct runtime_namespaces *namespaces)
{
	for (int i = 0; i < RUNTIME_NAMESPACE_KINDS; i++)
		if ((namespaces->own | namespaces->joined) & kinds[i].flag)
			strv_add(to, kinds[i].type);
}

uint64_t runtime_namespace_flags(const struct strv *names)
{
	uint64_t flags = 0;

	for (size_t i = 0; i < names->count; i++) {
		int index = find_kind(names->items[i]);
		if (index >= 0)
			flags |= kinds[index].flag;
	}
	return flags;
}
