#include "image/fetch_url.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/number.h"
#include "base/own.h"
#include "base/path.h"
#include "image/http.h"
#include "image/invocation.h"
#include "image/jail.h"

struct file {
	int fd;
	uint64_t left; /* bytes that it may still grow by */
};

static int write_to(void *context, const void *bytes, size_t length, struct err *e)
{
	struct file *file = context;

	if (length > file->left)
		return err_set(e, ERR_INVALID, "the file at this address is too large");
	file->left -= length;
	int r = fd_write_all(file->fd, bytes, length);
	return r < 0 ? err_number(e, -r, "write the file") : 0;
}

int image_fetch_url_verb(const struct image_invocation *invocation, struct err *e)
{
	struct file file = { .left = UINT64_MAX };

	if (invocation->count < 2 || invocation->count > 3 || invocation->folder_fd < 0 ||
	    !path_is_name(invocation->operands[1]))
		return err_set(e, ERR_INVALID,
			       "fetch takes an address, a name and a folder, and how many bytes");
	if (invocation->count == 3 &&
	    number_parse_u64(&file.left, invocation->operands[2], UINT64_MAX, e) < 0)
		return -e->number;
	own_fd int fd = openat(invocation->folder_fd, invocation->operands[1],
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "make the file");
	int r = image_jail_enter_at(-1, e);
	file.fd = fd;
	const struct byte_sink sink = { write_to, &file };
	return r < 0 ? r : image_http_get(invocation->operands[0], &sink, e);
}
