#include "engine/quota_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <spawn.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/user_ids.h"
#include "engine/fault.h"
#include "runtime/disk_own.h"

extern char **environ;

/* Root's PATH may lack the folders of its own programs. */
static const char *const programs[] = { "/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4",
					"/usr/bin/mkfs.ext4", "/usr/local/sbin/mkfs.ext4" };

static const char *find_program(void)
{
	for (size_t i = 0; i < COUNT_OF(programs); i++)
		if (access(programs[i], X_OK) == 0)
			return programs[i];
	return NULL;
}

int quota_disk_check(struct err *e)
{
	if (user_ids_are_mapped())
		return err_set(e, ERR_UNSUPPORTED,
			       "a disk of its own is mounted for root of the host alone");
	if (access("/dev/loop-control", R_OK | W_OK) < 0) {
		err_sys(e, "a disk of its own needs loop devices: /dev/loop-control");
		return err_hint(e, "modprobe loop");
	}
	if (find_program())
		return 0;
	err_set(e, ERR_UNSUPPORTED, "a disk of its own is made by mkfs.ext4, which is not there");
	return err_hint(e, "apt-get install e2fsprogs");
}

/* ---- making it ---- */

/* Nothing is kept for root, whose processes these are. Returns a wait status. */
static int run_mkfs(const char *program, const char *how, int file_fd, struct err *e)
{
	const char *const argv[] = { "mkfs.ext4",       "-q", "-F", "-m", "0", "-E", how,
				     "/proc/self/fd/3", NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, file_fd, 3);
	int r = posix_spawn(&pid, program, &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return err_number(e, r, "start %s", program);
	int status = process_wait(pid);
	return status < 0 ? err_number(e, -status, "wait for %s", program) : status;
}

/* Nothing in a new file is to be written as zeros once more; e2fsprogs before 1.47 cannot be told
 * so. */
static int make_filesystem(int file_fd, struct err *e)
{
	static const char *const ways[] = { "nodiscard,assume_storage_prezeroed=1", "nodiscard" };
	const char *program = find_program();
	int status = 1;

	if (!program)
		return quota_disk_check(e);
	for (size_t i = 0; status > 0 && i < COUNT_OF(ways); i++)
		status = run_mkfs(program, ways[i], file_fd, e);
	if (status <= 0)
		return status;
	return err_set(e, ERR_NO_SPACE, "%s makes no filesystem for the container's disk (%d)",
		       program, process_exit_code(status));
}

static int make_file(int folder_fd, const char *name, uint64_t bytes, struct err *e)
{
	if (unlinkat(folder_fd, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove the file %s", name);
	/* dup2 onto itself would leave it close-on-exec */
	own_fd int low = openat(folder_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	own_fd int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, 10);
	if (fd < 0)
		return err_sys(e, "make the container's disk");
	if (ftruncate(fd, (off_t)bytes) < 0)
		return err_sys(e, "make the container's disk of %llu bytes",
			       (unsigned long long)bytes);
	return make_filesystem(fd, e);
}

static int mount_file(int folder_fd, const char *name, struct err *e)
{
	own_fd int fd = openat(folder_fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open the container's disk");
	return runtime_disk_own_mount_in_parent(fd, e);
}

int quota_disk_make(int folder_fd, uint64_t bytes, struct err *e)
{
	int r = make_file(folder_fd, QUOTA_DISK_FILE, bytes, e);

	fault_point("quota.disk");
	return r < 0 ? r : mount_file(folder_fd, QUOTA_DISK_FILE, e);
}

int quota_disk_open(int folder_fd, struct err *e)
{
	return mount_file(folder_fd, QUOTA_DISK_FILE, e);
}

/* ---- another size ---- */

int quota_disk_grow(bool *ret, int folder_fd, uint64_t bytes, struct err *e)
{
	own_fd int file =
		openat(folder_fd, QUOTA_DISK_FILE, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (file < 0)
		return err_sys(e, "open the container's disk");
	*ret = process_has_capability(CAP_SYS_RESOURCE);
	if (!*ret)
		return 0;
	own_fd int disk = runtime_disk_own_mount_in_parent(file, e);
	return disk < 0 ? disk : runtime_disk_own_grow(file, disk, bytes, e);
}

/* What has several names stays one, on the one filesystem. The work folder begins anew. */
static int copy_all(int from_fd, int to_fd, struct err *e)
{
	static const struct copy_options options = { .all_attributes = true, .opaque = true };

	if (mkdirat(to_fd, "upper", 0755) < 0 || mkdirat(to_fd, "work", 0700) < 0)
		return err_sys(e, "make the folders upper and work");
	own_fd int from = openat(from_fd, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int to = openat(to_fd, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 || to < 0)
		return err_sys(e, "open the folder upper");
	int r = copy_tree_contents(from, to, true, &options, e);
	if (r == 0 && syncfs(to) < 0)
		return err_sys(e, "sync the container's disk");
	return r;
}

static int fill_new(int folder_fd, uint64_t bytes, struct err *e)
{
	int r = make_file(folder_fd, QUOTA_DISK_NEW, bytes, e);
	if (r < 0)
		return r;
	own_fd int from = quota_disk_open(folder_fd, e);
	own_fd int to = from < 0 ? -1 : mount_file(folder_fd, QUOTA_DISK_NEW, e);
	return to < 0 ? to : copy_all(from, to, e);
}

int quota_disk_renew(int folder_fd, uint64_t bytes, struct err *e)
{
	int r = fill_new(folder_fd, bytes, e);

	fault_point("quota.renew");
	if (r == 0 && (renameat(folder_fd, QUOTA_DISK_NEW, folder_fd, QUOTA_DISK_FILE) < 0 ||
		       fsync(folder_fd) < 0))
		r = err_sys(e, "put the container's new disk in its place");
	if (r < 0)
		unlinkat(folder_fd, QUOTA_DISK_NEW, 0);
	return r < 0 ? err_add(e, "resize the container's disk") : 0;
}
