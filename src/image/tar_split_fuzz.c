/* Lines of tar-split over an empty folder: nothing but segments can come out. */
#include <fcntl.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "image/tar_split.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct text {
	const uint8_t *bytes;
	size_t left;
};

static ssize_t next(void *context, const void **block, struct err *e)
{
	struct text *text = context;
	size_t n = text->left < 7 ? text->left : 7;

	(void)e;
	*block = text->bytes;
	text->bytes += n;
	text->left -= n;
	return (ssize_t)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct text text = { bytes, length };
	const struct byte_source lines = { next, &text };
	own_fd int fd = open("/proc/self/fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own(image_tar_split_free) struct image_tar_split *split = image_tar_split_new(&lines, fd);
	struct byte_source tar = image_tar_split_source(split);
	const void *block;
	struct err e;

	while (tar.next(tar.context, &block, &e) > 0)
		;
	return 0;
}
