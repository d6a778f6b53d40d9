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

struct target {
	int fd;
};

static int write_to(void *context, const void *bytes, size_t length, struct err *e)
{
	const struct target *target = context;
	int r = fd_write_all(target->fd, bytes, length);

	return r < 0 ? err_number(e, -r, "write the file") : 0;
}

static int get(const char *address, struct target *target, struct err *e)
{
	static const struct image_http_settings settings = { 0 };
	own(image_http_free) struct image_http *http = image_http_new(&settings);
	struct image_http_response response = { 0 };
	const struct byte_sink sink = { write_to, target };
	const struct image_http_request request = { .url = address, .sink = &sink };

	int r = image_http_perform(http, &request, &response, e);
	if (r == 0 && response.status != 200)
		r = err_set(e, response.status == 404 ? ERR_NOT_FOUND : ERR_UNREACHABLE,
			    "the server answers %ld", response.status);
	image_http_response_clear(&response);
	return r;
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
	struct target target = { fd };
	return r < 0 ? r : get(invocation->operands[0], &target, e);
}
