#include "engine/copy_place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"

enum { LINKS_MAX = 40 }; /* as many as the kernel follows; path_resolution(7) */

void copy_place_clear(struct copy_place *place)
{
	own_fd_call(&place->dir_fd);
	free(place->name);
	free(place->path);
	free(place->base);
	*place = (struct copy_place)COPY_PLACE_NONE;
}

static const char *last_part(const char *path)
{
	return strrchr(path, '/') + 1;
}

static void read_end(struct copy_place *place, const char *path)
{
	place->contents = str_equal(path, ".") || str_ends(path, "/.");
	place->asserted = place->contents || str_ends(path, "/");
}

static int use_root(struct copy_place *place, int root_fd, struct err *e)
{
	place->dir_fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
	if (place->dir_fd < 0 || fstat(root_fd, &place->st) < 0)
		return err_sys(e, "open the root");
	place->name = mem_text(".");
	place->exists = true;
	place->contents = true;
	return 0;
}

/* Once: what stands at place->path. */
static int look(struct copy_place *place, int root_fd, struct err *e)
{
	const char *last;

	own_fd_call(&place->dir_fd);
	place->dir_fd = -1;
	if (strcmp(place->path, "/") == 0)
		return use_root(place, root_fd, e);
	place->dir_fd = path_open_parent(root_fd, place->path, false, &last, e);
	if (place->dir_fd < 0)
		return place->dir_fd;
	mem_replace(&place->name, last);
	place->exists = fstatat(place->dir_fd, last, &place->st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!place->exists && errno != ENOENT)
		return err_sys(e, "%s", place->path);
	return 0;
}

/* place->path becomes what the link there says. */
static int follow_link(struct copy_place *place, struct err *e)
{
	char target[PATH_MAX];

	ssize_t n = readlinkat(place->dir_fd, place->name, target, sizeof(target) - 1);
	if (n < 0)
		return err_sys(e, "read the link %s", place->path);
	target[n] = '\0';
	own_free char *folder =
		mem_text_n(place->path, (size_t)(last_part(place->path) - place->path));
	own_free char *joined = *target == '/' ? mem_text(target) : path_join(folder, target);
	for (size_t end = strlen(joined); end > 1 && joined[end - 1] == '/'; end--)
		joined[end - 1] = '\0';
	/* ".." is the kernel's business, where it does not come last */
	own_free char *clean = path_is_name(last_part(joined)) ? NULL : path_clean(joined);
	mem_replace(&place->path, clean ? clean : joined);
	return 0;
}

static bool is_link(const struct copy_place *place)
{
	return place->exists && S_ISLNK(place->st.st_mode);
}

int copy_place_find(struct copy_place *ret, int root_fd, const char *path, bool follow,
		    struct err *e)
{
	own_free char *absolute = path_join("/", path);

	ret->path = path_clean(absolute);
	ret->base = mem_text(last_part(ret->path));
	read_end(ret, path);
	int r = look(ret, root_fd, e);
	for (int links = 0; r == 0 && is_link(ret) && (follow || ret->asserted); links++) {
		if (links == LINKS_MAX)
			return err_number(e, ELOOP, "%s", path);
		r = follow_link(ret, e);
		if (r == 0)
			r = look(ret, root_fd, e);
	}
	if (r == 0 && ret->exists && ret->asserted && !S_ISDIR(ret->st.st_mode)) {
		ret->exists = false;
		return err_number(e, ENOTDIR, "%s", path);
	}
	return r;
}

int copy_place_open(const struct copy_place *place, struct err *e)
{
	int fd =
		openat(place->dir_fd, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open %s", place->path) : fd;
}
