#include "system/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/path.h"
#include "engine/engine.h"
#include "engine/tree.h"

/* What somebody inside has put there is looked at before it is opened: a pipe would block, and a
 * device do whatever it does. */
static int open_regular(const struct engine_tree *tree, const char *path, int flags, struct err *e)
{
	struct stat st;

	own_fd int found = path_open(tree->root_fd, path, O_PATH, 0, e);
	if (found < 0)
		return found;
	if (fstat(found, &st) < 0)
		return err_sys(e, "look at %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is not a regular file", path);
	own_fd int fd = path_open(tree->root_fd, path, flags | O_NONBLOCK | O_NOCTTY, 0, e);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is not a regular file", path);
	return take_fd(&fd);
}

int system_file_read(struct engine *engine, const char *container, const char *path,
		     struct str *ret, struct err *e)
{
	own_clear(engine_tree_close) struct engine_tree tree = ENGINE_TREE_NONE;

	int r = engine_tree_open(engine, container, ENGINE_TREE_WITH_MOUNTS, &tree, e);
	if (r < 0)
		return r;
	own_fd int fd = open_regular(&tree, path, O_RDONLY, e);
	return fd < 0 ? fd : fd_read_all(fd, SYSTEM_FILE_BYTES_MAX, ret, e);
}

int system_file_write(struct engine *engine, const char *container, const char *path,
		      const struct str *bytes, struct err *e)
{
	own_clear(engine_tree_close) struct engine_tree tree = ENGINE_TREE_NONE;

	int r = engine_tree_open(engine, container, ENGINE_TREE_WITH_MOUNTS, &tree, e);
	if (r < 0)
		return r;
	own_fd int fd = open_regular(&tree, path, O_WRONLY, e);
	if (fd < 0)
		return fd;
	r = fd_write_all(fd, bytes->text, bytes->length);
	if (r < 0)
		return err_number(e, -r, "write %s", path);
	/* last: what was there before is lost only when the new is */
	if (ftruncate(fd, (off_t)bytes->length) < 0)
		return err_sys(e, "cut %s to its length", path);
	return engine_tree_check(engine, &tree, e);
}
