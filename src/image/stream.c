#include "image/stream.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/fs_ids.h"
#include "base/own.h"
#include "image/decompress.h"
#include "image/invocation.h"
#include "image/jail.h"
#include "image/read.h"
#include "storage/pack.h"
#include "storage/tar_head.h"
#include "storage/unpack.h"

static int check(const struct image_invocation *invocation, size_t operands, struct err *e)
{
	if (invocation->folder_fd < 0)
		return err_set(e, ERR_INVALID, "--folder-fd is missing");
	if (invocation->count != operands)
		return err_set(e, ERR_INVALID, "expected %zu operands", operands);
	return 0;
}

static int write_out(void *context, const void *bytes, size_t length, struct err *e)
{
	(void)context;
	int r = fd_write_all(STDOUT_FILENO, bytes, length);
	return r < 0 ? err_number(e, -r, "write the archive") : 0;
}

int image_stream_pack_verb(const struct image_invocation *invocation, struct err *e)
{
	static const struct byte_sink sink = { write_out, NULL };

	int r = check(invocation, 2, e);
	if (r == 0)
		r = image_jail_enter_at(-1, e);
	if (r < 0)
		return r;
	const struct pack_options options = {
		.plain_names = true,
		.no_kernel = true,
		.without_root = invocation->without_root,
		.entry = invocation->operands[0],
		.name = invocation->operands[1],
		.ids = &invocation->ids,
	};
	return storage_pack(invocation->folder_fd, &options, &sink, e);
}

/* Standard input, seen through whatever it is compressed with. */
struct input {
	struct image_fd_source *bytes;
	struct image_decompress *inflated;
};

static struct byte_source open_input(struct input *input)
{
	input->bytes = image_fd_source_new(STDIN_FILENO, NULL, NULL);
	const struct byte_source packed = image_fd_source(input->bytes);
	input->inflated = image_decompress_new(&packed, 0);
	image_decompress_take_others(input->inflated);
	return image_decompress_source(input->inflated);
}

static void close_input(struct input *input)
{
	image_decompress_free(input->inflated);
	image_fd_source_free(input->bytes);
}

/* Of the container: what is made there is its first. */
static int act_as_root(const struct oci_id_map *ids, struct err *e)
{
	uid_t uid = 0;
	gid_t gid = 0;

	oci_id_map_owner_to_host(ids, &uid, &gid);
	return fs_ids_set(uid, gid, e);
}

int image_stream_unpack_verb(const struct image_invocation *invocation, struct err *e)
{
	struct unpack_result result;

	int r = check(invocation, 1, e);
	if (r == 0 && invocation->ids.uids.count)
		r = act_as_root(&invocation->ids, e);
	if (r == 0)
		r = image_jail_enter_at(invocation->folder_fd, e);
	if (r < 0)
		return r;
	own_clear(close_input) struct input input;
	const struct byte_source source = open_input(&input);
	return storage_unpack_into(invocation->folder_fd, invocation->operands[0], &invocation->ids,
				   &source, &result, e);
}

/* As much of the beginning as size, where there is so much. */
static ssize_t read_head(char *to, size_t size, const struct byte_source *source, struct err *e)
{
	size_t have = 0;
	const void *block;
	ssize_t n = 1;

	while (have < size && (n = source->next(source->context, &block, e)) > 0) {
		size_t part = (size_t)n < size - have ? (size_t)n : size - have;
		memcpy(to + have, block, part);
		have += part;
	}
	return n < 0 ? n : (ssize_t)have;
}

int image_stream_unpack_check_verb(const struct image_invocation *invocation, struct err *e)
{
	char head[STORAGE_TAR_HEAD];

	(void)invocation;
	int r = image_jail_enter_at(-1, e);
	if (r < 0)
		return r;
	own_clear(close_input) struct input input;
	const struct byte_source source = open_input(&input);
	ssize_t n = read_head(head, sizeof(head), &source, e);
	if (n < 0 && e->kind != ERR_CORRUPT)
		return (int)n;
	return n == (ssize_t)sizeof(head) && storage_tar_begins(head)
		       ? 0
		       : err_set(e, ERR_INVALID, "it is no tar");
}

/* ---- layers that containers wrote ---- */

int image_stream_pack_layer_verb(const struct image_invocation *invocation, struct err *e)
{
	static const struct byte_sink sink = { write_out, NULL };

	int r = check(invocation, 0, e);
	if (r == 0)
		r = image_jail_enter_at(-1, e);
	if (r < 0)
		return r;
	const struct pack_options options = { .whiteouts = true, .ids = &invocation->ids };
	return storage_pack(invocation->folder_fd, &options, &sink, e);
}

int image_stream_unpack_layer_verb(const struct image_invocation *invocation, struct err *e)
{
	static const struct unpack_limits limits = { 0 };
	struct unpack_result result;

	int r = check(invocation, 0, e);
	if (r == 0)
		r = image_jail_enter_at(invocation->folder_fd, e);
	if (r < 0)
		return r;
	own(image_fd_source_free) struct image_fd_source *bytes =
		image_fd_source_new(STDIN_FILENO, NULL, NULL);
	const struct byte_source source = image_fd_source(bytes);
	r = storage_unpack(invocation->folder_fd, &source, &limits, &result, e);
	/* its bytes before a record names it */
	return r == 0 && syncfs(invocation->folder_fd) < 0 ? err_sys(e, "sync the layer") : r;
}
