#include "build/context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "build/file.h"

void build_context_close(struct build_context *context)
{
	own_fd_call(&context->fd);
	build_ignore_clear(&context->ignore);
	free(context->file_name);
	free(context->file);
	*context = (struct build_context)BUILD_CONTEXT_NONE;
}

static int read_all(struct build_context *to, int fd, const char *name, struct err *e)
{
	struct str text = { 0 };
	int r = fd_read_all(fd, BUILD_FILE_BYTES_MAX, &text, e);

	if (r < 0) {
		str_clear(&text);
		return err_add(e, "%s", name);
	}
	to->file_name = mem_text(name);
	to->file_length = text.length;
	to->file = str_take(&text);
	return 0;
}

/* A regular file, and no fifo to wait for. Below the context links are followed in it alone. */
static int open_regular(int root_fd, const char *path, struct err *e)
{
	struct stat st;

	own_fd int fd = root_fd >= 0 ? path_try_open(root_fd, path, O_RDONLY | O_NONBLOCK, 0)
				     : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_number(e, root_fd >= 0 ? -fd : errno, "open %s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s: not a file", path);
	return take_fd(&fd);
}

/* ---- the Dockerfile ---- */

static int read_default(struct build_context *to, const char *folder, struct err *e)
{
	static const char *const names[] = { "Dockerfile", "Containerfile" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		own_fd int fd = open_regular(to->fd, names[i], e);
		if (fd >= 0)
			return read_all(to, fd, names[i], e);
		if (e->kind != ERR_NOT_FOUND)
			return fd;
	}
	err_set(e, ERR_NOT_FOUND, "no Dockerfile in %s", folder);
	return err_hint(e, "name the file: -f FILE");
}

static int read_file(struct build_context *to, const char *folder, const char *file, struct err *e)
{
	if (!file)
		return read_default(to, folder, e);
	own_fd int fd = strcmp(file, "-") == 0 ? dup(STDIN_FILENO) : open_regular(-1, file, e);
	if (fd < 0)
		return fd;
	return read_all(to, fd, strcmp(file, "-") == 0 ? "standard input" : file, e);
}

/* ---- the ignore file ---- */

/* *found: it is there. */
static int read_ignore(struct build_context *to, int root_fd, const char *path, bool *found,
		       struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };

	own_fd int fd = open_regular(root_fd, path, e);
	if (fd < 0 && e->kind == ERR_NOT_FOUND)
		return 0;
	if (fd < 0)
		return fd;
	*found = true;
	int r = fd_read_all(fd, BUILD_IGNORE_BYTES_MAX, &text, e);
	if (r < 0)
		return err_add(e, "%s", path);
	return build_ignore_parse(&to->ignore, path, text.text ? text.text : "", text.length, e);
}

/* That of the Dockerfile itself, FILE.dockerignore, goes before those of the context. */
static int find_ignore(struct build_context *to, const char *file, struct err *e)
{
	bool found = false;
	int r = 0;

	if (file && strcmp(file, "-") != 0) {
		own_free char *own = mem_format("%s.dockerignore", file);
		r = read_ignore(to, -1, own, &found, e);
	} else if (!file) {
		own_free char *own = mem_format("%s.dockerignore", to->file_name);
		r = read_ignore(to, to->fd, own, &found, e);
	}
	if (r == 0 && !found)
		r = read_ignore(to, to->fd, ".containerignore", &found, e);
	if (r == 0 && !found)
		r = read_ignore(to, to->fd, ".dockerignore", &found, e);
	return r;
}

int build_context_open(struct build_context *ret, const char *path, const char *file, struct err *e)
{
	if (strcmp(path, "-") == 0)
		return read_file(ret, path, file ? file : "-", e);
	ret->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->fd < 0)
		return err_sys(e, "open the context %s", path);
	int r = read_file(ret, path, file, e);
	return r < 0 ? r : find_ignore(ret, file, e);
}
