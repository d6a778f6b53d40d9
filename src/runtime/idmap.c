#include "runtime/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/clone.h"
#include "runtime/procfs.h"

/* user_namespaces(7): at most 340 lines, in one write. */
enum { MAPPINGS_MAX = 340 };

static int write_map(int proc_fd, pid_t pid, const char *file, const struct oci_id_mappings *maps,
		     struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	char path[48];

	if (maps->count == 0 || maps->count > MAPPINGS_MAX)
		return err_set(e, ERR_INVALID, "%s: %zu mappings of ids, not 1 to %d", file,
			       maps->count, MAPPINGS_MAX);
	for (size_t i = 0; i < maps->count; i++)
		str_addf(&text, "%u %u %u\n", maps->items[i].container_id, maps->items[i].host_id,
			 maps->items[i].size);
	snprintf(path, sizeof(path), "%d/%s", (int)pid, file);
	return runtime_procfs_write(proc_fd, path, text.text, e);
}

int runtime_idmap_write_in_parent(pid_t pid, const struct oci_id_mappings *uids,
				  const struct oci_id_mappings *gids, struct err *e)
{
	own_fd int proc = runtime_procfs_open(e);
	if (proc < 0)
		return proc;
	int r = write_map(proc, pid, "uid_map", uids, e);
	return r < 0 ? r : write_map(proc, pid, "gid_map", gids, e);
}

/* A user namespace lives as long as its descriptor; the process it takes to make one does not. */
static int open_user_namespace(const struct oci_id_mappings *uids,
			       const struct oci_id_mappings *gids, struct err *e)
{
	char path[48];

	own_fd int pidfd = -1;
	pid_t pid = runtime_clone(CLONE_NEWUSER, -1, &pidfd);
	if (pid < 0)
		return err_number(e, -pid, "make a user namespace");
	if (pid == 0)
		for (;;)
			pause();
	int r = runtime_idmap_write_in_parent(pid, uids, gids, e);
	int fd = -1;
	if (r == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		r = fd < 0 ? err_sys(e, "open the user namespace") : fd;
	}
	process_signal(pidfd, SIGKILL);
	process_wait(pid);
	return r;
}

int runtime_idmap_mount_in_parent(int fd, const struct oci_mount *mount,
				  const struct oci_spec *spec, bool recursive, struct err *e)
{
	bool own = mount->uid_mappings.count || mount->gid_mappings.count;
	const struct oci_id_mappings *uids =
		own ? &mount->uid_mappings : &spec->linux_.uid_mappings;
	const struct oci_id_mappings *gids =
		own ? &mount->gid_mappings : &spec->linux_.gid_mappings;

	own_fd int user = open_user_namespace(uids, gids, e);
	if (user < 0)
		return err_add(e, "map ids");
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)user };
	if (mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			  sizeof(attr)) < 0) {
		err_sys(e, "map ids of the mount");
		return err_hint(e,
				"idmapped mounts need Linux 5.12 and a filesystem that has them");
	}
	return 0;
}

/* Only the first user namespace maps all ids to themselves, in one line; spaces align it. */
bool runtime_idmap_in_user_namespace(void)
{
	char text[64] = "";
	own_clear(strv_clear) struct strv words = { 0 };
	own_fd int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	strv_split(&words, text, ' ');
	for (size_t i = words.count; i > 0; i--)
		if (!*words.items[i - 1])
			strv_remove(&words, i - 1);
	own_free char *map = strv_join(&words, " ");
	return strcmp(map, "0 0 4294967295") != 0;
}
