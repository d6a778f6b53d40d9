#include "storage/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/own.h"

/* A name of a folder, seen without following it; folders come back open. */
static int visit(int dir_fd, const char *name, dev_t device, uint64_t *bytes, int *folder)
{
	struct stat st;

	*folder = -1;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_dev != device)
		return 0;
	if (!S_ISDIR(st.st_mode)) {
		*bytes += (uint64_t)st.st_blocks * 512 / (uint64_t)st.st_nlink;
		return 0;
	}
	*bytes += (uint64_t)st.st_blocks * 512;
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	*folder = fd;
	return 0;
}

static int walk(int fd, dev_t device, unsigned depth, uint64_t *bytes)
{
	own_dir DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		int number = errno;
		close(fd);
		return -number;
	}
	if (depth > TREE_DEPTH_MAX)
		return -ELOOP;
	while ((entry = readdir(dir))) {
		int folder;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		int r = visit(dirfd(dir), entry->d_name, device, bytes, &folder);
		if (r == 0 && folder >= 0)
			r = walk(folder, device, depth + 1, bytes);
		if (r < 0)
			return r;
	}
	return 0;
}

int storage_tree_size(int folder_fd, uint64_t *ret, struct err *e)
{
	struct stat st;
	uint64_t bytes = 0;

	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open folder");
	int r = fstat(fd, &st) < 0 ? -errno : walk(fd, st.st_dev, 0, &bytes);
	if (r == -ELOOP)
		return err_set(e, ERR_CORRUPT, "more than %d folders deep", TREE_DEPTH_MAX);
	if (r < 0)
		return err_number(e, -r, "measure a folder");
	*ret = bytes;
	return 0;
}
