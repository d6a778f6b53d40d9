#include "image/read.h"

#include <archive.h>
#include <errno.h>
#include <unistd.h>

#include "base/mem.h"

enum { READ_BYTES = 256 << 10 };

struct image_fd_source {
	int fd;
	int64_t at;   /* -1: where fd stands */
	int64_t left; /* of a range */
	void (*seen)(void *context, size_t bytes);
	void *context;
	char *bytes;
};

struct image_fd_source *image_fd_source_new(int fd, void (*seen)(void *context, size_t bytes),
					    void *context)
{
	struct image_fd_source *source = mem_new_struct(struct image_fd_source);

	source->fd = fd;
	source->at = -1;
	source->seen = seen;
	source->context = context;
	source->bytes = mem_resize(NULL, 1, READ_BYTES);
	return source;
}

struct image_fd_source *image_fd_source_range(int fd, int64_t from, int64_t length,
					      void (*seen)(void *context, size_t bytes),
					      void *context)
{
	struct image_fd_source *source = image_fd_source_new(fd, seen, context);

	source->at = from;
	source->left = length;
	return source;
}

void image_fd_source_free(struct image_fd_source *source)
{
	free(source->bytes);
	free(source);
}

static ssize_t read_range(struct image_fd_source *source, struct err *e)
{
	size_t step = source->left < READ_BYTES ? (size_t)source->left : READ_BYTES;
	ssize_t n;

	if (!step)
		return 0;
	do
		n = pread(source->fd, source->bytes, step, source->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read");
	if (n == 0)
		return err_set(e, ERR_CORRUPT, "the file has become shorter");
	source->at += n;
	source->left -= n;
	return n;
}

static ssize_t read_on(const struct image_fd_source *source, struct err *e)
{
	ssize_t n;

	do
		n = read(source->fd, source->bytes, READ_BYTES);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_sys(e, "read") : n;
}

static ssize_t fd_next(void *context, const void **block, struct err *e)
{
	struct image_fd_source *source = context;

	ssize_t n = source->at < 0 ? read_on(source, e) : read_range(source, e);
	if (n < 0)
		return n;
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
