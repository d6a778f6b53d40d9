#include "runtime/user_entry.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "runtime/clone.h"
#include "runtime/user_namespace.h"

/* ---- refused: by what? ---- */

/* What may forbid it, and what its file then says (sysctl/user.rst; the second is Debian's, the
 * third Ubuntu's). */
static const struct {
	const char *file, *value, *name;
} switches[] = {
	{ "/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces" },
	{ "/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
	  "kernel.apparmor_restrict_unprivileged_userns" },
};

static bool says(const char *file, const char *value)
{
	char text[32] = "";
	own_fd int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, value) == 0;
}

static int refusal(struct err *e)
{
	int r = err_sys(e, "make a user namespace");

	for (size_t i = 0; i < COUNT_OF(switches); i++)
		if (says(switches[i].file, switches[i].value))
			return err_hint(e,
					"%s is %s here: an ordinary user may have none until an "
					"administrator changes that (sysctl)",
					switches[i].name, switches[i].value);
	return r;
}

/* ---- a new one ---- */

/* It waits in the caller's user namespace until the parent is in the new one. */
_Noreturn static void write_maps(int go, int answer, pid_t parent, const struct runtime_idmap *ids)
{
	struct err e = { 0 };
	char byte;

	if (read(go, &byte, 1) == 1 && runtime_user_namespace_write_in_parent(parent, ids, &e) == 0)
		e = (struct err){ 0 };
	_exit(write(answer, &e, sizeof(e)) == sizeof(e) ? 0 : 1);
}

static int wait_for_maps(pid_t child, int answer, struct err *e)
{
	struct err said;
	ssize_t n = read(answer, &said, sizeof(said));

	process_wait(child);
	if (n != sizeof(said))
		return err_set(e, ERR_INTERNAL, "the process that maps ids ended");
	if (said.number == 0)
		return 0;
	*e = said;
	return -e->number;
}

int runtime_user_entry_new(const struct runtime_idmap *ids, struct err *e)
{
	pid_t self = getpid();
	int go[2], answer[2];

	if (pipe2(go, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int waiting = go[0];
	own_fd int going = go[1];
	if (pipe2(answer, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int hearing = answer[0];
	own_fd int saying = answer[1];
	pid_t child = runtime_clone(0, -1, NULL);
	if (child < 0)
		return err_number(e, -child, "start a process to map ids");
	if (child == 0) {
		close(going);
		write_maps(waiting, saying, self, ids);
	}
	close(take_fd(&saying));
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
		int r = refusal(e);
		close(take_fd(&going));
		process_wait(child);
		return r;
	}
	if (write(going, "", 1) != 1)
		return err_sys(e, "have ids mapped");
	return wait_for_maps(child, hearing, e);
}

int runtime_user_entry_may(struct err *e)
{
	pid_t child = runtime_clone(0, -1, NULL);

	if (child < 0)
		return err_number(e, -child, "start a process that tries");
	if (child == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ? errno : 0);
	int status = process_wait(child);
	if (status == 0)
		return 0;
	errno = status > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	return refusal(e);
}

/* ---- one that is there ---- */

static bool is_same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_ino == other.st_ino &&
	       one.st_dev == other.st_dev;
}

static bool has_map(int pid, const char *file, const struct oci_id_mappings *maps)
{
	own_free char *path = mem_format("/proc/%d/%s", pid, file);
	own_file FILE *stream = fopen(path, "re");
	unsigned container, host, size;
	size_t i = 0;

	while (stream && fscanf(stream, "%u %u %u", &container, &host, &size) == 3) {
		if (i == maps->count || maps->items[i].container_id != container ||
		    maps->items[i].host_id != host || maps->items[i].size != size)
			return false;
		i++;
	}
	return i == maps->count;
}

bool runtime_user_entry_fits(int user_fd, int pid, const struct runtime_idmap *ids)
{
	own_free char *path = mem_format("/proc/%d/ns/user", pid);
	uid_t owner;

	if (ioctl(user_fd, NS_GET_OWNER_UID, &owner) < 0 || owner != geteuid())
		return false;
	own_fd int above = ioctl(user_fd, NS_GET_PARENT);
	own_fd int here = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	if (above < 0 || here < 0 || !is_same_file(above, here))
		return false;
	if (!has_map(pid, "uid_map", &ids->uids) || !has_map(pid, "gid_map", &ids->gids))
		return false;
	/* the pid may have been used again while we looked */
	own_fd int still = open(path, O_RDONLY | O_CLOEXEC);
	return still >= 0 && is_same_file(still, user_fd);
}

int runtime_user_entry_join(int user_fd, struct err *e)
{
	if (setns(user_fd, CLONE_NEWUSER) < 0)
		return err_sys(e, "enter the user namespace of the running containers");
	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(e, "make a mount namespace");
	return 0;
}
