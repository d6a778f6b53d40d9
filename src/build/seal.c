#include "build/seal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"

enum { DEPTH_MAX = 512 };

struct seal {
	struct timespec times[2];
	uint64_t size, entries;
	int depth;
	bool count_only;
};

static int seal_folder(struct seal *seal, int fd, struct err *e);

static int seal_thing(struct seal *seal, int dir_fd, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "look at %s", name);
	seal->entries++;
	if (S_ISREG(st.st_mode))
		seal->size += (uint64_t)st.st_size;
	if (S_ISDIR(st.st_mode)) {
		int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "open folder %s", name);
		if (++seal->depth > DEPTH_MAX) {
			close(fd);
			return err_set(e, ERR_INVALID, "folders more than %d deep", DEPTH_MAX);
		}
		int r = seal_folder(seal, fd, e);
		seal->depth--;
		return r;
	}
	if (!seal->count_only && utimensat(dir_fd, name, seal->times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set the time of %s", name);
	return 0;
}

/* Closes fd. The folder's own time last: its contents change it. */
static int seal_folder(struct seal *seal, int fd, struct err *e)
{
	const struct dirent *entry;
	int r = 0;
	own_dir DIR *dir = fdopendir(fd);

	if (!dir) {
		close(fd);
		return err_sys(e, "read a folder");
	}
	while (r == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = seal_thing(seal, fd, entry->d_name, e);
	if (r == 0 && !seal->count_only && futimens(fd, seal->times) < 0)
		r = err_sys(e, "set the time of a folder");
	return r;
}

static int seal_all(struct seal *seal, int folder_fd, uint64_t *ret_size, uint64_t *ret_entries,
		    struct err *e)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? err_sys(e, "open the layer") : seal_folder(seal, fd, e);

	if (r < 0)
		return err_add(e, "finish the layer");
	*ret_size = seal->size;
	*ret_entries = seal->entries;
	return 0;
}

int build_seal(int folder_fd, int64_t time_s, uint64_t *ret_size, uint64_t *ret_entries,
	       struct err *e)
{
	struct seal seal = { .times = { { .tv_sec = time_s }, { .tv_sec = time_s } } };

	return seal_all(&seal, folder_fd, ret_size, ret_entries, e);
}

int build_seal_count(int folder_fd, uint64_t *ret_size, uint64_t *ret_entries, struct err *e)
{
	struct seal seal = { .count_only = true };

	return seal_all(&seal, folder_fd, ret_size, ret_entries, e);
}
