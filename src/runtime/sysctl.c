#include "runtime/sysctl.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "runtime/procfs.h"

/* What is kept per namespace: Documentation/admin-guide/sysctl/, ipc/ipc_sysctl.c,
 * ipc/mq_sysctl.c, kernel/utsname_sysctl.c (hostname is the spec's own field, and refused here
 * by runc and crun as well), kernel/ucount.c. A path that ends in "/" stands for all below it. */
static const struct {
	const char *path;
	unsigned long own;
	const char *kind;
} namespaced[] = {
	{ "kernel/msgmax", CLONE_NEWIPC, "IPC" },
	{ "kernel/msgmnb", CLONE_NEWIPC, "IPC" },
	{ "kernel/msgmni", CLONE_NEWIPC, "IPC" },
	{ "kernel/sem", CLONE_NEWIPC, "IPC" },
	{ "kernel/shmall", CLONE_NEWIPC, "IPC" },
	{ "kernel/shmmax", CLONE_NEWIPC, "IPC" },
	{ "kernel/shmmni", CLONE_NEWIPC, "IPC" },
	{ "kernel/shm_rmid_forced", CLONE_NEWIPC, "IPC" },
	{ "kernel/domainname", CLONE_NEWUTS, "UTS" },
	{ "fs/mqueue/", CLONE_NEWIPC, "IPC" },
	{ "net/", CLONE_NEWNET, "network" },
	{ "user/", CLONE_NEWUSER, "user" },
};

/* sysctl(8): the separator is what comes first; in the dotted spelling a "/" means a dot. */
static int sysctl_path(char path[RUNTIME_SYSCTL_PATH_MAX], const char *key, struct err *e)
{
	size_t length = strlen(key);
	size_t first = strcspn(key, "./");
	bool dotted = key[first] == '.';

	if (length == 0 || length >= RUNTIME_SYSCTL_PATH_MAX)
		return err_set(e, ERR_INVALID, "sysctl \"%.40s\": not the name of a parameter",
			       key);
	for (size_t i = 0; i <= length; i++) {
		char c = key[i];
		if (dotted && (c == '.' || c == '/'))
			c = c == '.' ? '/' : '.';
		path[i] = c;
	}
	return 0;
}

/* No part may be empty or lead upward; letters, digits and what interface names hold. */
static bool sysctl_is_canonical(const char *path)
{
	for (const char *part = path;; part++) {
		size_t length = strcspn(part, "/");
		if (length == 0 || (length <= 2 && strspn(part, ".") >= length))
			return false;
		for (size_t i = 0; i < length; i++) {
			if (part[i] <= ' ' || part[i] == 0x7f)
				return false;
		}
		part += length;
		if (!*part)
			return true;
	}
}

int runtime_sysctl_check(char path[RUNTIME_SYSCTL_PATH_MAX], const char *key,
			 unsigned long own_namespaces, struct err *e)
{
	char found[RUNTIME_SYSCTL_PATH_MAX];

	int r = sysctl_path(found, key, e);
	if (r < 0)
		return r;
	if (!sysctl_is_canonical(found))
		return err_set(e, ERR_INVALID, "sysctl \"%s\": not the name of a parameter", key);
	for (size_t i = 0; i < COUNT_OF(namespaced); i++) {
		bool folder = str_ends(namespaced[i].path, "/");
		if (!(folder ? str_starts(found, namespaced[i].path)
			     : str_equal(found, namespaced[i].path)))
			continue;
		if (!(own_namespaces & namespaced[i].own))
			return err_set(e, ERR_STATE,
				       "sysctl %s: would change the host, the container has no %s "
				       "namespace of its own",
				       key, namespaced[i].kind);
		memcpy(path, found, sizeof(found));
		return 0;
	}
	return err_set(e, ERR_INVALID, "sysctl %s: belongs to no namespace, would change the host",
		       key);
}

int runtime_sysctl_write_in_child(int proc_fd, const char *key, const char *value,
				  unsigned long own_namespaces, struct err *e)
{
	char path[RUNTIME_SYSCTL_PATH_MAX + sizeof("sys/")] = "sys/";

	int r = runtime_sysctl_check(path + 4, key, own_namespaces, e);
	if (r < 0)
		return r;
	r = runtime_procfs_write(proc_fd, path, value, e);
	return r < 0 ? err_add(e, "set sysctl %s", key) : 0;
}
