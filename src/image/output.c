#include "image/output.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strv.h"

enum { OUT_BYTES = 64 << 10 };

struct image_output {
	int fd;        /* of a tar */
	int folder_fd; /* or of a folder; the other is -1 */
	struct archive *archive;
	int write_error; /* errno of the write that failed */
	bool ended;      /* nothing more is written */
	struct strv names;
};

/* It never fails to libarchive, which then would not free its buffer (3.6): who calls libarchive
 * looks at write_error. */
static la_ssize_t write_block(struct archive *archive, void *context, const void *block, size_t n)
{
	struct image_output *output = context;

	(void)archive;
	if (!output->write_error && !output->ended)
		output->write_error = -fd_write_all(output->fd, block, n);
	return (la_ssize_t)n;
}

static int archive_failed(const struct image_output *output, struct err *e)
{
	const char *text = archive_error_string(output->archive);

	if (output->write_error)
		return err_number(e, output->write_error, "write the archive");
	return err_set(e, ERR_SYSTEM, "write tar: %.200s", text ? text : "unknown");
}

struct image_output *image_output_tar(int fd)
{
	struct image_output *output = mem_new_struct(struct image_output);

	output->fd = fd;
	output->folder_fd = -1;
	output->archive = archive_write_new();
	if (!output->archive)
		abort();
	archive_write_set_format_pax_restricted(output->archive);
	archive_write_set_bytes_per_block(output->archive, OUT_BYTES);
	archive_write_set_bytes_in_last_block(output->archive, 1);
	archive_write_open(output->archive, output, NULL, write_block, NULL);
	return output;
}

struct image_output *image_output_folder(int folder_fd)
{
	struct image_output *output = mem_new_struct(struct image_output);

	output->fd = -1;
	output->folder_fd = folder_fd;
	return output;
}

void image_output_free(struct image_output *output)
{
	/* free writes the end of an archive that has none: to nowhere */
	output->ended = true;
	if (output->archive)
		archive_write_free(output->archive);
	strv_clear(&output->names);
	free(output);
}

bool image_output_has(const struct image_output *output, const char *name)
{
	return strv_contains(&output->names, name);
}

static int begin_tar(struct image_output *output, const char *name, int64_t size, struct err *e)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_copy_pathname(entry, name);
	archive_entry_set_mode(entry, S_IFREG | 0644);
	archive_entry_set_size(entry, size);
	archive_entry_set_mtime(entry, 0, 0);
	int r = archive_write_header(output->archive, entry);
	archive_entry_free(entry);
	bool fine = (r == ARCHIVE_OK || r == ARCHIVE_WARN) && !output->write_error;
	return fine ? 0 : archive_failed(output, e);
}

static int begin_file(const struct image_output *output, const char *name, struct err *e)
{
	own_free char *path = mem_text(name);

	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(output->folder_fd, path, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "make folder %s", path);
		*slash = '/';
	}
	int fd = openat(output->folder_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd < 0 ? err_sys(e, "create %s", path) : fd;
}

static int put(struct image_output *output, int fd, const void *bytes, size_t length, struct err *e)
{
	if (!output->archive) {
		int r = fd_write_all(fd, bytes, length);
		return r < 0 ? err_number(e, -r, "write") : 0;
	}
	if (archive_write_data(output->archive, bytes, length) != (la_ssize_t)length ||
	    output->write_error)
		return archive_failed(output, e);
	return 0;
}

int image_output_file(struct image_output *output, const char *name, int64_t size,
		      const struct byte_source *source, struct err *e)
{
	own_fd int fd = -1;
	const void *block;
	int64_t done = 0;
	ssize_t n;
	int r = 0;

	if (output->archive)
		r = begin_tar(output, name, size, e);
	else
		r = fd = begin_file(output, name, e);
	if (r < 0)
		return r;
	while ((n = source->next(source->context, &block, e)) > 0) {
		done += n;
		if (done > size)
			break;
		r = put(output, fd, block, (size_t)n, e);
		if (r < 0)
			return r;
	}
	if (n < 0)
		return (int)n;
	if (done != size)
		return err_set(e, ERR_CORRUPT, "%s is not %lld bytes long", name, (long long)size);
	strv_add(&output->names, name);
	return 0;
}

struct text_source {
	const char *text;
};

static ssize_t text_next(void *context, const void **block, struct err *e)
{
	struct text_source *source = context;
	size_t length = strlen(source->text);

	(void)e;
	*block = source->text;
	source->text += length;
	return (ssize_t)length;
}

int image_output_text(struct image_output *output, const char *name, const char *text,
		      struct err *e)
{
	struct text_source context = { text };
	struct byte_source source = { text_next, &context };

	return image_output_file(output, name, (int64_t)strlen(text), &source, e);
}

int image_output_finish(struct image_output *output, struct err *e)
{
	if (output->archive &&
	    (archive_write_close(output->archive) != ARCHIVE_OK || output->write_error))
		return archive_failed(output, e);
	return 0;
}
