#include "runtime_cli/handover.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/own.h"

int runtime_cli_handover_pid(const char *path, pid_t pid, struct err *e)
{
	char text[16];

	if (!path)
		return 0;
	int length = snprintf(text, sizeof(text), "%d", (int)pid);
	int r = fd_write_file_at(AT_FDCWD, path, text, (size_t)length, 0644, e);
	return r < 0 ? err_add(e, "write the pid file") : 0;
}

/* A socket's name has 107 bytes; a longer path is reached through its folder's descriptor. */
static int name_socket(struct sockaddr_un *ret, int *folder, const char *path, struct err *e)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) < sizeof(ret->sun_path)) {
		strcpy(ret->sun_path, path);
		return 0;
	}
	const char *slash = strrchr(path, '/');
	if (!slash || strlen(slash) > 64)
		return err_set(e, ERR_INVALID, "socket %s: the name is too long", path);
	char parent[4096];
	snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	*folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*folder < 0)
		return err_sys(e, "open %s", parent);
	snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d%s", *folder, slash);
	return 0;
}

int runtime_cli_handover_fd(const char *path, int fd, const char *name, struct err *e)
{
	struct sockaddr_un address;
	own_fd int folder = -1;

	own_fd int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return err_sys(e, "make a socket");
	int r = name_socket(&address, &folder, path, e);
	if (r < 0)
		return r;
	if (connect(s, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(e, "connect to %s", path);
	r = fd_send(s, name, strlen(name), &fd, 1, e);
	return r < 0 ? err_add(e, "socket %s", path) : 0;
}

int runtime_cli_handover_terminal(const char *path, int master, struct err *e)
{
	char name[32];
	int number = 0;

	if (ioctl(master, TIOCGPTN, &number) < 0)
		return err_sys(e, "ask for the terminal's number");
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	return runtime_cli_handover_fd(path, master, name, e);
}
