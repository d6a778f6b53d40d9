#include "build/places.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/strv.h"
#include "storage/layer.h"

static int make_all(int root_fd, char *const *paths, size_t count, bool files, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		own_fd int fd = files ? path_make_file(root_fd, paths[i], 0644, e)
				      : path_make_dirs(root_fd, paths[i], 0755, e);
		if (fd < 0)
			return fd;
	}
	return 0;
}

int build_places_make(struct layer_writer *ret, const struct store *store,
		      const struct strv *folders, const struct strv *files, struct err *e)
{
	static const char *const own_folders[] = { "/dev", "/proc", "/sys", "/etc" };
	static const char *const own_files[] = { "/etc/hosts", "/etc/hostname",
						 "/etc/resolv.conf" };

	int r = storage_layer_begin(ret, store, NULL, true, e);
	if (r == 0)
		r = make_all(ret->fs_fd, (char *const *)own_folders, COUNT_OF(own_folders), false,
			     e);
	if (r == 0)
		r = make_all(ret->fs_fd, (char *const *)own_files, COUNT_OF(own_files), true, e);
	if (r == 0 && folders)
		r = make_all(ret->fs_fd, folders->items, folders->count, false, e);
	if (r == 0 && files)
		r = make_all(ret->fs_fd, files->items, files->count, true, e);
	return r < 0 ? err_add(e, "make places for mounts") : 0;
}
