#include "runtime/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/strv.h"
#include "runtime/clone.h"

#define FOLDERS "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/run/wrappers/bin"

char *runtime_program_find(const char *name)
{
	own_clear(strv_clear) struct strv folders = { 0 };
	const char *path = getenv("PATH");

	strv_split(&folders, str_empty(path) ? "" : path, ':');
	strv_split(&folders, FOLDERS, ':');
	for (size_t i = 0; i < folders.count; i++) {
		own_free char *full = path_join(folders.items[i], name);
		if (*full == '/' && access(full, X_OK) == 0)
			return take_ptr(&full);
	}
	return NULL;
}

_Noreturn static void exec_program(const char *path, const struct strv *argv, int number,
				   int answer)
{
	own_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 3; i++)
		dup2(i == number ? answer : null, i);
	execve(path, argv->items, environ);
	_exit(127);
}

int runtime_program_run(const char *path, const struct strv *argv, int number, size_t bytes_max,
			struct str *said, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	own_fd int reading = ends[0];
	own_fd int writing = ends[1];
	pid_t child = runtime_clone(0, -1, NULL);
	if (child == 0)
		exec_program(path, argv, number, writing);
	close(take_fd(&writing));
	if (child < 0)
		return err_number(e, -child, "start %s", path);
	fd_read_all(reading, bytes_max, said, e);
	close(take_fd(&reading)); /* one that says more than that must not wait for us */
	return process_wait(child);
}
