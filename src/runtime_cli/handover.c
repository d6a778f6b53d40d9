#include "runtime_cli/handover.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/socket.h"

int runtime_cli_handover_pid(const char *path, pid_t pid, struct err *e)
{
	char text[16];

	if (!path)
		return 0;
	int length = snprintf(text, sizeof(text), "%d", (int)pid);
	int r = fd_write_file_at(AT_FDCWD, path, text, (size_t)length, 0644, e);
	return r < 0 ? err_add(e, "write the pid file") : 0;
}

int runtime_cli_handover_terminal(const char *path, int master, struct err *e)
{
	char name[32];
	int number = 0;

	if (ioctl(master, TIOCGPTN, &number) < 0)
		return err_sys(e, "ask for the terminal's number");
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	return socket_send_fd(path, name, strlen(name), master, e);
}

int runtime_cli_handover_pidfd(const char *path, int pidfd, struct err *e)
{
	return path ? socket_send_fd(path, "pidfd", strlen("pidfd"), pidfd, e) : 0;
}
