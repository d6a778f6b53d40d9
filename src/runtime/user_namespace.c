#include "runtime/user_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/user_ids.h"
#include "runtime/clone.h"
#include "runtime/namespace.h"
#include "runtime/newidmap.h"
#include "runtime/procfs.h"
#include "runtime/subid.h"

/* ---- who we are ---- */

bool runtime_user_namespace_may_do_without(void)
{
	return process_has_capability(CAP_SYS_ADMIN);
}

bool runtime_user_namespace_is_inner(void)
{
	return user_ids_are_mapped();
}

bool runtime_user_namespace_denies_groups(const char *process)
{
	own_free char *path = mem_format("/proc/%s/setgroups", process);
	char text[8] = "";
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && str_starts(text, "deny");
}

/* ---- which ids ---- */

/* The kernel would say EINVAL, by newuidmap(1), to ids that are given twice. 0 is nobody's to
 * give. */
static int check_range(const struct oci_id_mappings *has, uint32_t first, uint32_t count,
		       const char *file, struct err *e)
{
	uint64_t end = (uint64_t)first + count;

	if (first == 0 && has->items[0].host_id != 0)
		return err_set(e, ERR_PERMISSION, "%s gives you the host's root: the range 0:%u",
			       file, count);
	for (size_t i = 0; i < has->count; i++) {
		const struct oci_id_mapping *m = &has->items[i];
		if (first >= (uint64_t)m->host_id + m->size || m->host_id >= end)
			continue;
		err_set(e, ERR_INVALID, "%s: your range %u:%u overlaps with %s, %u:%u", file, first,
			count, i ? "another one" : "your own id", m->host_id, m->size);
		return err_hint(e, "an administrator has to give you ranges that are apart from "
				   "each other and from the ids of users");
	}
	return 0;
}

/* The own id as 0, the subordinate ones from 1 on, as crun has it. */
static int map_own(struct oci_id_mappings *to, uint32_t own, const char *file, uid_t user,
		   struct err *e)
{
	own_clear(runtime_subid_clear) struct runtime_subid_ranges ranges = { 0 };
	own_free char *name = runtime_subid_login_name(user);
	own_free char *id = mem_format("%u", user);
	const struct runtime_subid_owner owner = { name, id };

	runtime_idmap_add(to, 0, own, 1);
	int r = runtime_subid_read(&ranges, file, &owner, false, e);
	if (r < 0)
		return r;
	if (ranges.broken)
		log_warning("%s: %zu of the lines of %s are not NAME:FIRST:COUNT", file,
			    ranges.broken, name ? name : id);
	uint32_t next = 1;
	for (size_t i = 0; i < ranges.count && to->count < RUNTIME_IDMAP_LINES_MAX; i++) {
		const struct runtime_subid_range *range = &ranges.items[i];
		uint32_t room = UINT32_MAX - next;
		uint32_t count = range->count < room ? range->count : room;
		if (count == 0)
			break;
		r = check_range(to, range->first, count, file, e);
		if (r < 0)
			return r;
		runtime_idmap_add(to, next, range->first, count);
		next += count;
	}
	return 0;
}

/* More than one's own id takes both programs; without them it is that one alone. */
static void forget_subordinate(struct runtime_idmap *ids)
{
	if (ids->uids.count + ids->gids.count == 2 || runtime_newidmap_is_there())
		return;
	log_warning("newuidmap and newgidmap are not there (Debian: apt install uidmap): the "
		    "container has one user and one group alone");
	ids->uids.count = ids->gids.count = 1;
}

int runtime_user_namespace_own_ids(struct runtime_idmap *ids, struct err *e)
{
	uid_t user = geteuid();

	int r = map_own(&ids->uids, user, "/etc/subuid", user, e);
	if (r == 0)
		r = map_own(&ids->gids, getegid(), "/etc/subgid", user, e);
	if (r == 0 && !process_has_capability(CAP_SETUID))
		forget_subordinate(ids);
	return r;
}

static void read_map(struct oci_id_mappings *to, pid_t pid, const char *name)
{
	own_free char *path = mem_format("/proc/%d/%s", (int)pid, name);
	own_file FILE *file = fopen(path, "re");
	unsigned container, host, size;

	while (file && to->count < RUNTIME_IDMAP_LINES_MAX &&
	       fscanf(file, "%u %u %u", &container, &host, &size) == 3)
		runtime_idmap_add(to, container, host, size);
}

void runtime_user_namespace_ids_of(struct runtime_idmap *ret, pid_t pid)
{
	read_map(&ret->uids, pid, "uid_map");
	read_map(&ret->gids, pid, "gid_map");
}

/* A map is read through a process in there, from outside: then it has the ids of outside. Whoever
 * may not join it learns nothing here, and is told when it is joined in earnest. */
static void learn_ids(struct runtime_idmap *ids, int user_fd)
{
	int ends[2];
	char byte;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	own_fd int reading = ends[0];
	own_fd int writing = ends[1];
	own_fd int pidfd = -1;
	pid_t pid = runtime_clone(0, -1, &pidfd);
	if (pid < 0)
		return;
	if (pid == 0) {
		/* root in there, who has every right over it, is not to look into it */
		if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setns(user_fd, CLONE_NEWUSER) < 0 ||
		    write(writing, "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(take_fd(&writing));
	if (read(reading, &byte, 1) == 1)
		runtime_user_namespace_ids_of(ids, pid);
	process_signal(pidfd, SIGKILL);
	process_wait(pid);
}

static int prepare_new(struct runtime_user_namespace *ret, const struct oci_linux *linux_,
		       struct err *e)
{
	runtime_idmap_copy(&ret->ids, &linux_->uid_mappings, &linux_->gid_mappings);
	if (!runtime_user_namespace_may_do_without() && ret->ids.uids.count == 0 &&
	    ret->ids.gids.count == 0) {
		int r = runtime_user_namespace_own_ids(&ret->ids, e);
		if (r < 0)
			return r;
	}
	int r = runtime_idmap_check(&ret->ids, e);
	return r < 0 ? err_add(e, "linux") : 0;
}

/* Also the caller's own, by its path, which counts as none: so podman's in one user namespace. */
static bool names_user(const struct oci_linux *linux_)
{
	for (size_t i = 0; i < linux_->namespaces.count; i++)
		if (str_equal(linux_->namespaces.items[i].type, "user"))
			return true;
	return false;
}

int runtime_user_namespace_prepare_in_parent(struct runtime_user_namespace *ret,
					     struct runtime_namespaces *namespaces,
					     const struct oci_spec *spec, struct err *e)
{
	const struct oci_linux *linux_ = &spec->linux_;

	*ret = (struct runtime_user_namespace)RUNTIME_USER_NAMESPACE_INIT;
	ret->joined_fd = runtime_namespace_joined(namespaces, CLONE_NEWUSER);
	if (ret->joined_fd >= 0) {
		learn_ids(&ret->ids, ret->joined_fd);
		return 0; /* what the spec says of them changes nothing */
	}
	if (!runtime_user_namespace_may_do_without())
		namespaces->own |= CLONE_NEWUSER;
	if (namespaces->own & CLONE_NEWUSER)
		return prepare_new(ret, linux_, e);
	if ((linux_->uid_mappings.count || linux_->gid_mappings.count) && !names_user(linux_))
		return err_set(e, ERR_INVALID,
			       "linux.uidMappings or gidMappings without a user namespace");
	return 0;
}

void runtime_user_namespace_clear(struct runtime_user_namespace *user)
{
	runtime_idmap_clear(&user->ids);
	if (user->twin_fd >= 0)
		close(user->twin_fd);
	*user = (struct runtime_user_namespace)RUNTIME_USER_NAMESPACE_INIT;
}

/* ---- the maps are written ---- */

static bool is_own_alone(const struct oci_id_mappings *maps, uint32_t own)
{
	return maps->count == 1 && maps->items[0].size == 1 && maps->items[0].host_id == own;
}

static int write_directly(int proc_fd, pid_t pid, const char *file,
			  const struct oci_id_mappings *maps, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	char path[48];

	runtime_idmap_format(&text, maps);
	snprintf(path, sizeof(path), "%d/%s", (int)pid, file);
	return runtime_procfs_write(proc_fd, path, text.text, e);
}

/* user_namespaces(7): who has no CAP_SETGID must give setgroups(2) away first. */
static int deny_groups(int proc_fd, pid_t pid, struct err *e)
{
	char path[48];

	snprintf(path, sizeof(path), "%d/setgroups", (int)pid);
	return runtime_procfs_write(proc_fd, path, "deny", e);
}

int runtime_user_namespace_write_in_parent(pid_t pid, const struct runtime_idmap *ids,
					   struct err *e)
{
	bool root_of_ids = process_has_capability(CAP_SETUID) && process_has_capability(CAP_SETGID);
	bool own_group = !root_of_ids && is_own_alone(&ids->gids, getegid());
	int r = 0;

	own_fd int proc = runtime_procfs_open(e);
	if (proc < 0)
		return proc;
	if (own_group)
		r = deny_groups(proc, pid, e);
	if (r == 0 && (root_of_ids || own_group))
		r = write_directly(proc, pid, "gid_map", &ids->gids, e);
	else if (r == 0)
		r = runtime_newidmap_run("newgidmap", pid, &ids->gids, e);
	if (r < 0)
		return r;
	if (root_of_ids || is_own_alone(&ids->uids, geteuid()))
		return write_directly(proc, pid, "uid_map", &ids->uids, e);
	return runtime_newidmap_run("newuidmap", pid, &ids->uids, e);
}

/* ---- one without a process ---- */

/* A user namespace lives as long as its descriptor; the process it takes to make one does not. */
int runtime_user_namespace_make_in_parent(const struct runtime_idmap *ids, struct err *e)
{
	char path[48];

	own_fd int pidfd = -1;
	pid_t pid = runtime_clone(CLONE_NEWUSER, -1, &pidfd);
	if (pid < 0)
		return err_number(e, -pid, "make a user namespace");
	if (pid == 0)
		for (;;)
			pause();
	int r = runtime_user_namespace_write_in_parent(pid, ids, e);
	if (r == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
		r = open(path, O_RDONLY | O_CLOEXEC);
		if (r < 0)
			r = err_sys(e, "open the user namespace");
	}
	process_signal(pidfd, SIGKILL);
	process_wait(pid);
	return r;
}

static bool has_owner(const struct oci_id_mappings *maps, uint32_t host_id)
{
	for (size_t i = 0; i < maps->count; i++)
		if (host_id >= maps->items[i].host_id &&
		    host_id - maps->items[i].host_id < maps->items[i].size)
			return true;
	return false;
}

int runtime_user_namespace_give_in_parent(const struct runtime_user_namespace *user, int fd,
					  struct err *e)
{
	uint32_t uid, gid;
	struct stat st;

	if (user->entered || !runtime_idmap_to_host(&uid, &user->ids.uids, 0) ||
	    !runtime_idmap_to_host(&gid, &user->ids.gids, 0))
		return 0;
	if (fstat(fd, &st) < 0)
		return err_sys(e, "look at a folder of the container");
	if (has_owner(&user->ids.uids, st.st_uid) && has_owner(&user->ids.gids, st.st_gid))
		return 0;
	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return err_sys(e, "give a folder to the container's root, %u:%u", uid, gid);
	return 0;
}

int runtime_user_namespace_open_in_parent(struct runtime_user_namespace *user, struct err *e)
{
	if (user->joined_fd >= 0)
		return user->joined_fd;
	if (user->ids.uids.count == 0)
		return err_set(e, ERR_INVALID,
			       "the container has no user namespace to map them by");
	if (user->twin_fd < 0) {
		int fd = runtime_user_namespace_make_in_parent(&user->ids, e);
		if (fd < 0)
			return fd;
		user->twin_fd = fd;
	}
	return user->twin_fd;
}
