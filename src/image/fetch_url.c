#include "image/fetch_url.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/path.h"
#include "image/http.h"
#include "image/invocation.h"
#include "image/jail.h"

static int write_to(void *context, const void *bytes, size_t length, struct err *e)
{
	int r = fd_write_all(*(const int *)context, bytes, length);

	return r < 0 ? err_number(e, -r, "write the file") : 0;
}

int image_fetch_url_verb(const struct image_invocation *invocation, struct err *e)
{
	if (invocation->count != 2 || invocation->folder_fd < 0 ||
	    !path_is_name(invocation->operands[1]))
		return err_set(e, ERR_INVALID, "fetch takes an address, a name and a folder");
	own_fd int fd = openat(invocation->folder_fd, invocation->operands[1],
			       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "make the file");
	int r = image_jail_enter_at(-1, e);
	const struct byte_sink sink = { write_to, &fd };
	return r < 0 ? r : image_http_get(invocation->operands[0], &sink, e);
}
