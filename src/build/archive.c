#include "build/archive.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "engine/engine.h"
#include "engine/stream.h"
#include "image/command.h"
#include "storage/tar_head.h"

static const struct {
	const char *bytes;
	size_t length;
} compressions[] = {
	{ "\x1f\x8b", 2 },
	{ "\x28\xb5\x2f\xfd", 4 },
	{ "\xfd\x37zXZ", 6 },
	{ "BZh", 3 },
};

/* What is compressed is looked at by holm-image, in its jail. */
static int is_packed_tar(bool *ret, int fd, struct err *e)
{
	const struct image_command_files files = { -1, -1, .input = fd };
	own_clear(strv_clear) struct strv arguments = { 0 };

	strv_add(&arguments, "unpack-check");
	int r = image_command_run_on(&files, NULL, &arguments, IMAGE_SHOW_NOTHING, e);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "rewind");
	*ret = r == 0;
	return r < 0 && e->kind != ERR_INVALID ? r : 0;
}

int build_archive_is_fd(bool *ret, int fd, const char *name, struct err *e)
{
	char head[STORAGE_TAR_HEAD] = { 0 };

	ssize_t n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return err_sys(e, "read %s", name);
	for (size_t i = 0; i < COUNT_OF(compressions); i++)
		if (memcmp(head, compressions[i].bytes, compressions[i].length) == 0)
			return is_packed_tar(ret, fd, e);
	*ret = n == sizeof(head) && storage_tar_begins(head);
	return 0;
}

int build_archive_is(bool *ret, int root_fd, const char *path, struct err *e)
{
	own_fd int fd = path_open(root_fd, path, O_RDONLY | O_NONBLOCK, 0, e);

	return fd < 0 ? fd : build_archive_is_fd(ret, fd, path, e);
}

int build_archive_unpack_fd(struct engine *engine, int fd, int to_fd, const char *to, struct err *e)
{
	const struct engine_stream stream = { .folder_fd = to_fd, .entry = to, .archive_fd = fd };
	own_fd int made = path_make_dirs(to_fd, to, 0755, e);

	return made < 0 ? made : engine_stream_unpack(engine, &stream, e);
}

int build_archive_unpack(struct engine *engine, int root_fd, const char *path, int to_fd,
			 const char *to, struct err *e)
{
	own_fd int fd = path_open(root_fd, path, O_RDONLY | O_NONBLOCK, 0, e);

	return fd < 0 ? fd : build_archive_unpack_fd(engine, fd, to_fd, to, e);
}
