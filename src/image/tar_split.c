#include "image/tar_split.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/shape.h"
#include "base/str.h"
#include "image/base64.h"

enum { STEP = 256 << 10, TYPE_FILE = 1, TYPE_SEGMENT = 2 };

struct entry {
	int64_t type;
	char *name;
	char *name_raw; /* base64: a name that is no UTF-8 */
	int64_t size;
	char *payload; /* base64; of a file a checksum, which the digest makes needless */
};

static const struct shape entry_shape = {
	sizeof(struct entry),
	(const struct shape_field[]){
		{ "type", SHAPE_INT, offsetof(struct entry, type) },
		{ "name", SHAPE_STRING, offsetof(struct entry, name) },
		{ "name_raw", SHAPE_STRING, offsetof(struct entry, name_raw) },
		{ "size", SHAPE_INT, offsetof(struct entry, size) },
		{ "payload", SHAPE_STRING, offsetof(struct entry, payload) },
		{ 0 },
	},
};

struct image_tar_split {
	struct byte_source lines;
	int files_fd;
	const char *block; /* what of the lines has been read, and not yet looked at */
	size_t block_length;
	struct str line;
	struct str segment;
	int fd; /* of the file at hand, or -1 */
	int64_t left;
	char *buffer;
};

struct image_tar_split *image_tar_split_new(const struct byte_source *lines, int files_fd)
{
	struct image_tar_split *split = mem_new_struct(struct image_tar_split);

	split->lines = *lines;
	split->files_fd = files_fd;
	split->fd = -1;
	split->buffer = mem_new(1, STEP);
	return split;
}

void image_tar_split_free(struct image_tar_split *split)
{
	if (split->fd >= 0)
		close(split->fd);
	str_clear(&split->line);
	str_clear(&split->segment);
	free(split->buffer);
	free(split);
}

/* ---- lines ---- */

/* 1: split->line has one; 0: the end. */
static int read_line(struct image_tar_split *split, struct err *e)
{
	split->line.length = 0;
	for (;;) {
		const char *end = split->block_length
					  ? memchr(split->block, '\n', split->block_length)
					  : NULL;
		size_t length = end ? (size_t)(end - split->block) : split->block_length;
		if (split->line.length + length > IMAGE_TAR_SPLIT_LINE_MAX)
			return err_set(e, ERR_CORRUPT, "tar-split: a line of more than %d bytes",
				       IMAGE_TAR_SPLIT_LINE_MAX);
		str_add_n(&split->line, split->block, length);
		split->block += length + (end != NULL);
		split->block_length -= length + (end != NULL);
		if (end)
			return 1;
		const void *block;
		ssize_t n = split->lines.next(split->lines.context, &block, e);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return split->line.length > 0;
		split->block = block;
		split->block_length = (size_t)n;
	}
}

static void entry_clear(struct entry *entry)
{
	shape_clear(&entry_shape, entry);
}

/* ---- files ---- */

static int open_file(struct image_tar_split *split, const struct entry *entry, struct err *e)
{
	own_clear(str_clear) struct str raw = { 0 };
	struct stat st;

	if (entry->name_raw && image_base64_decode(&raw, entry->name_raw) < 0)
		return err_set(e, ERR_CORRUPT, "tar-split: a name that is not base64");
	const char *name = entry->name_raw ? raw.text : entry->name;
	if (str_empty(name) || (raw.length && strlen(raw.text) != raw.length))
		return err_set(e, ERR_CORRUPT, "tar-split: a file without a name");
	int fd = path_try_open(split->files_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, ERR_CORRUPT, "its file '%.100s': %s", name, strerrordesc_np(-fd));
	split->fd = fd;
	split->left = entry->size;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != entry->size)
		return err_set(e, ERR_CORRUPT, "its file '%.100s' is not as it was", name);
	return 0;
}

static ssize_t read_file(struct image_tar_split *split, const void **block, struct err *e)
{
	size_t wanted = split->left < STEP ? (size_t)split->left : STEP;
	ssize_t n;

	do
		n = read(split->fd, split->buffer, wanted);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read a file of the layer");
	if (n == 0)
		return err_set(e, ERR_CORRUPT, "a file of the layer became shorter");
	split->left -= n;
	if (split->left == 0) {
		close(split->fd);
		split->fd = -1;
	}
	*block = split->buffer;
	return n;
}

/* ---- both ---- */

static int take_entry(struct image_tar_split *split, const struct entry *entry, struct err *e)
{
	split->segment.length = 0;
	if (entry->type == TYPE_FILE && entry->size > 0)
		return open_file(split, entry, e);
	if (entry->type == TYPE_FILE && entry->size == 0)
		return 0;
	if (entry->type != TYPE_SEGMENT)
		return err_set(e, ERR_CORRUPT, "tar-split: an unknown entry");
	if (image_base64_decode(&split->segment, entry->payload ? entry->payload : "") < 0)
		return err_set(e, ERR_CORRUPT, "tar-split: a segment that is not base64");
	return 0;
}

static ssize_t next(void *context, const void **block, struct err *e)
{
	struct image_tar_split *split = context;

	for (;;) {
		own_clear(entry_clear) struct entry entry = { 0 };
		if (split->fd >= 0)
			return read_file(split, block, e);
		int r = read_line(split, e);
		if (r <= 0)
			return r;
		r = shape_read_text(&entry_shape, split->line.text ? split->line.text : "",
				    split->line.length, &entry, e);
		if (r < 0)
			return err_add(e, "tar-split");
		r = take_entry(split, &entry, e);
		if (r < 0)
			return r;
		if (split->segment.length) {
			*block = split->segment.text;
			return (ssize_t)split->segment.length;
		}
	}
}

struct byte_source image_tar_split_source(struct image_tar_split *split)
{
	return (struct byte_source){ next, split };
}
