#include "runtime/give.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/path.h"
#include "oci/runtime_spec.h"
#include "runtime/user.h"

/* Each level holds a descriptor, and RLIMIT_NOFILE is 1024 by default. */
enum { DEPTH_MAX = 900 };

struct give {
	uid_t uid;
	gid_t gid;
	dev_t device;
	unsigned depth;
};

static int give_folder(struct give *give, int fd);

static int give_entry(struct give *give, int dir_fd, const char *name)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_dev != give->device)
		return 0;
	if ((st.st_uid != give->uid || st.st_gid != give->gid) &&
	    fchownat(dir_fd, name, give->uid, give->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return 0;
	own_fd int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
	/* what was opened may be another folder than what was looked at */
	if (fstat(fd, &st) < 0 || st.st_dev != give->device)
		return 0;
	return give_folder(give, fd);
}

static int give_folder(struct give *give, int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	if (++give->depth > DEPTH_MAX)
		return -ELOOP;
	while (r == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = give_entry(give, fd, entry->d_name);
	give->depth--;
	return r;
}

static int give_mount(int root_fd, const char *destination, const struct runtime_user *user,
		      struct err *e)
{
	struct stat st;

	own_fd int place = path_open(root_fd, destination, O_PATH, 0, e);
	if (place < 0)
		return place;
	if (fstat(place, &st) < 0)
		return err_sys(e, "look at it");
	struct give give = { user->uid, user->gid, st.st_dev, 0 };
	if (fchownat(place, "", user->uid, user->gid, AT_EMPTY_PATH) < 0)
		return err_sys(e, "give it to user %u:%u", user->uid, user->gid);
	if (!S_ISDIR(st.st_mode))
		return 0;
	own_fd int fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : give_folder(&give, fd);
	return r < 0 ? err_number(e, -r, "give it to user %u:%u", user->uid, user->gid) : 0;
}

int runtime_give_mounts_in_child(int root_fd, const struct oci_spec *spec,
				 const struct runtime_user *user, struct err *e)
{
	for (size_t i = 0; i < spec->mounts.count; i++) {
		const struct oci_mount *mount = &spec->mounts.items[i];
		if (!strv_contains(&mount->options, "chown"))
			continue;
		if (give_mount(root_fd, mount->destination, user, e) < 0)
			return err_add(e, "mount %s: chown", mount->destination);
	}
	return 0;
}
