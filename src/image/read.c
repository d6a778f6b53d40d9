#include "image/read.h"

#include <archive.h>
#include <errno.h>
#include <unistd.h>

#include "base/mem.h"

enum { READ_BYTES = 256 << 10 };

struct image_fd_source {
	int fd;
	void (*seen)(void *context, size_t bytes);
	void *context;
	char *bytes;
};

struct image_fd_source *image_fd_source_new(int fd, void (*seen)(void *context, size_t bytes),
					    void *context)
{
	struct image_fd_source *source = mem_new_struct(struct image_fd_source);

	source->fd = fd;
	source->seen = seen;
	source->context = context;
	source->bytes = mem_resize(NULL, 1, READ_BYTES);
	return source;
}

void image_fd_source_free(struct image_fd_source *source)
{
	free(source->bytes);
	free(source);
}

static ssize_t fd_next(void *context, const void **block, struct err *e)
{
	struct image_fd_source *source = context;
	ssize_t n;

	do
		n = read(source->fd, source->bytes, READ_BYTES);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read");
	if (source->seen && n > 0)
		source->seen(source->context, (size_t)n);
	*block = source->bytes;
	return n;
}

struct byte_source image_fd_source(struct image_fd_source *source)
{
	return (struct byte_source){ fd_next, source };
}

ssize_t image_read_block(struct archive *archive, void *context, const void **block)
{
	struct image_read *read_from = context;

	ssize_t n = read_from->source.next(read_from->source.context, block, &read_from->error);
	if (n >= 0)
		return n;
	read_from->failed = true;
	archive_set_error(archive, EIO, "the source failed");
	return ARCHIVE_FATAL;
}
