#include "base/socket.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"

static int name_below(struct sockaddr_un *ret, int dir_fd, const char *name, struct err *e)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int length =
		snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
	if (length < 0 || (size_t)length >= sizeof(ret->sun_path))
		return err_set(e, ERR_INVALID, "socket %s: the name is too long", name);
	return 0;
}

/* *folder stays open until the name has been used. */
static int name_path(struct sockaddr_un *ret, int *folder, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) < sizeof(ret->sun_path)) {
		strcpy(ret->sun_path, path);
		return 0;
	}
	own_free char *parent = slash ? mem_text_n(path, (size_t)(slash - path) + 1) : NULL;
	if (!parent)
		return err_set(e, ERR_INVALID, "socket %s: the name is too long", path);
	*folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*folder < 0)
		return err_sys(e, "open %s", parent);
	return name_below(ret, *folder, slash + 1, e);
}

/* An abstract name starts with a NUL and has no end but its length. */
static socklen_t name_abstract(struct sockaddr_un *address)
{
	size_t length = strlen(address->sun_path);

	if (address->sun_path[0] != '@')
		return sizeof(*address);
	address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

int socket_connect(int type, const char *path, struct err *e)
{
	struct sockaddr_un address;
	own_fd int folder = -1;

	int r = name_path(&address, &folder, path, e);
	if (r < 0)
		return r;
	own_fd int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "make a socket");
	socklen_t length = name_abstract(&address);
	if (connect(fd, (struct sockaddr *)&address, length) < 0)
		return err_sys(e, "connect to %s", path);
	return take_fd(&fd);
}

int socket_bind_at(int type, int dir_fd, const char *path, struct err *e)
{
	struct sockaddr_un address;

	int r = name_below(&address, dir_fd, path, e);
	if (r < 0)
		return r;
	own_fd int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "make a socket");
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(e, "make the socket %s", path);
	return take_fd(&fd);
}

int socket_send_fd(const char *path, const void *bytes, size_t length, int fd, struct err *e)
{
	own_fd int s = socket_connect(SOCK_STREAM, path, e);

	if (s < 0)
		return s;
	int r = fd_send(s, bytes, length, &fd, 1, e);
	return r < 0 ? err_add(e, "socket %s", path) : 0;
}
