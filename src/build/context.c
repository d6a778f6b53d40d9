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
#include "build/archive.h"
#include "build/file.h"
#include "build/git.h"
#include "build/step.h"
#include "engine/engine.h"
#include "storage/store.h"

enum { INPUT_CHUNK = 128 << 10 };

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

/* Of a folder that the user named the file may lie anywhere; else it is in the context. */
static int read_file(struct build_context *to, const char *folder, const char *file, bool inside,
		     struct err *e)
{
	if (!file)
		return read_default(to, folder, e);
	bool input = strcmp(file, "-") == 0;
	own_fd int fd = input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			      : open_regular(inside ? to->fd : -1, file, e);
	if (fd < 0)
		return input ? err_sys(e, "standard input") : fd;
	return read_all(to, fd, input ? "standard input" : file, e);
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
static int find_ignore(struct build_context *to, const char *file, bool inside, struct err *e)
{
	bool found = false;
	int r = 0;

	if (!str_equal(file, "-")) {
		own_free char *own = mem_format("%s.dockerignore", file ? file : to->file_name);
		r = read_ignore(to, file && !inside ? -1 : to->fd, own, &found, e);
	}
	if (r == 0 && !found)
		r = read_ignore(to, to->fd, ".containerignore", &found, e);
	if (r == 0 && !found)
		r = read_ignore(to, to->fd, ".dockerignore", &found, e);
	return r;
}

/* ---- what is no folder ---- */

/* All of standard input, in a file without a name: what it is can be told, and it be read again. */
static int save_input(const struct store *store, struct err *e)
{
	own_free char *chunk = mem_new(1, INPUT_CHUNK);
	ssize_t n;

	own_fd int fd = openat(store->root_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "make a file for the context");
	while ((n = read(STDIN_FILENO, chunk, INPUT_CHUNK)) != 0) {
		if (n < 0 && errno != EINTR)
			return err_sys(e, "read standard input");
		int r = n > 0 ? fd_write_all(fd, chunk, (size_t)n) : 0;
		if (r < 0)
			return err_number(e, -r, "save the context");
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? err_sys(e, "rewind") : take_fd(&fd);
}

static int open_input(struct build_context *to, struct build *build, int folder_fd,
		      const char *file, struct err *e)
{
	bool archive;

	own_fd int input = save_input(build->engine->store, e);
	if (input < 0)
		return input;
	int r = build_archive_is_fd(&archive, input, "standard input", e);
	if (r < 0)
		return r;
	if (!archive && file)
		return err_set(e, ERR_INVALID, "standard input is no tar, in which -f could be");
	if (!archive)
		return read_all(to, input, "standard input", e);
	to->fd = fcntl(folder_fd, F_DUPFD_CLOEXEC, 3);
	return to->fd < 0 ? err_sys(e, "open the context")
			  : build_archive_unpack_fd(build->engine, input, folder_fd, "/", e);
}

static int open_git(struct build_context *to, int folder_fd, const char *address, struct err *e)
{
	int r = build_git_clone(folder_fd, address, false, e);

	if (r < 0)
		return r;
	to->fd = openat(folder_fd, "tree", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return to->fd < 0 ? err_sys(e, "open the repository") : 0;
}

static bool is_repository(const char *path)
{
	return build_git_is(path) || build_git_is_local(path);
}

static int open_made(struct build_context *ret, struct build *build, const char *path,
		     const char *file, struct err *e)
{
	size_t folder;
	int r = build_step_folder(build, &folder, e);

	if (r < 0)
		return r;
	int folder_fd = build->folders.items[folder].fs_fd;
	r = is_repository(path) ? open_git(ret, folder_fd, path, e)
				: open_input(ret, build, folder_fd, file, e);
	if (r < 0 || ret->fd < 0)
		return r;
	r = read_file(ret, path, file, true, e);
	return r < 0 ? r : find_ignore(ret, file, true, e);
}

int build_context_open(struct build_context *ret, struct build *build, const char *path,
		       const char *file, struct err *e)
{
	bool input = strcmp(path, "-") == 0;

	if (input && str_equal(file, "-"))
		return read_file(ret, path, file, false, e);
	if (input || is_repository(path))
		return open_made(ret, build, path, file, e);
	ret->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->fd < 0)
		return err_sys(e, "open the context %s", path);
	ret->stays = true;
	int r = read_file(ret, path, file, false, e);
	return r < 0 ? r : find_ignore(ret, file, false, e);
}
