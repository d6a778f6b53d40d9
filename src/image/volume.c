#include "image/volume.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "image/decompress.h"
#include "image/file.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/layer.h"
#include "image/read.h"
#include "storage/pack.h"
#include "storage/store.h"
#include "storage/unpack.h"
#include "storage/volume.h"

static int open_volume(const struct image_invocation *invocation, struct err *e)
{
	if (invocation->count != 2)
		return err_set(e, ERR_INVALID, "expected the name of a volume, and a file");
	return storage_volume_open(invocation->store, invocation->operands[0], e);
}

/* ---- out ---- */

static int write_fd(void *context, const void *bytes, size_t length, struct err *e)
{
	const struct image_file *file = context;

	int r = fd_write_all(file->fd, bytes, length);
	return r < 0 ? err_number(e, -r, "write the archive") : 0;
}

int image_volume_export_verb(const struct image_invocation *invocation, struct err *e)
{
	static const struct pack_options options = { .plain_names = true, .one_filesystem = true };
	own_clear(image_file_end) struct image_file file = { 0 };

	own_fd int data = open_volume(invocation, e);
	if (data < 0)
		return data;
	int r = image_file_open(&file, invocation->operands[1], e);
	if (r < 0)
		return r;
	const struct byte_sink sink = { write_fd, &file };
	r = storage_pack(data, &options, &sink, e);
	return r < 0 ? r : image_file_commit(&file, e);
}

/* ---- in ---- */

static int unpack(int data, int fd, struct err *e)
{
	struct image_layer_limits limits = { 0 };
	struct unpack_result result;

	int r = image_layer_limits(&limits, e);
	if (r < 0)
		return r;
	limits.unpack.plain_names = true;
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(fd, NULL, NULL);
	struct byte_source packed = image_fd_source(bytes);
	own(image_decompress_free) struct image_decompress *plain =
		image_decompress_new(&packed, limits.ratio_max);
	image_decompress_take_others(plain);
	struct byte_source source = image_decompress_source(plain);
	return storage_unpack(data, &source, &limits.unpack, &result, e);
}

int image_volume_import_verb(const struct image_invocation *invocation, struct err *e)
{
	own_fd int data = open_volume(invocation, e);
	if (data < 0)
		return data;
	const char *path = invocation->operands[1];
	own_fd int fd =
		strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	int r = image_jail_enter(invocation->store, e);
	return r < 0 ? r : unpack(data, fd, e);
}
