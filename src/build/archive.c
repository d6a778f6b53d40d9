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

/* POSIX pax(1), "ustar Interchange Format": the magic of a header. */
enum { MAGIC_OFFSET = 257, HEAD = 512 };

static const struct {
	const char *bytes;
	size_t length;
	const char *program; /* of what holm does not read */
} compressions[] = {
	{ "\x1f\x8b", 2, NULL },
	{ "\x28\xb5\x2f\xfd", 4, NULL },
	{ "\xfd"
	  "7zXZ",
	  5, "xz" },
	{ "BZh", 3, "bzip2" },
};

int build_archive_is_fd(bool *ret, int fd, const char *name, struct err *e)
{
	char head[HEAD] = { 0 };

	*ret = false;
	ssize_t n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return err_sys(e, "read %s", name);
	for (size_t i = 0; i < COUNT_OF(compressions); i++) {
		if (memcmp(head, compressions[i].bytes, compressions[i].length) != 0)
			continue;
		if (compressions[i].program) {
			err_set(e, ERR_UNSUPPORTED, "%s: archives in %s are not unpacked", name,
				compressions[i].program);
			return err_hint(e, "COPY it, and unpack it in a RUN");
		}
		*ret = true;
		return 0;
	}
	*ret = n == sizeof(head) && !memcmp(head + MAGIC_OFFSET, "ustar", 5);
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
