#include "runtime_cli/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/own.h"
#include "base/str.h"

int runtime_cli_input_read(struct str *to, const char *path, struct err *e)
{
	bool standard = str_equal(path, "-");
	own_fd int file = standard ? -1 : open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0 && !standard)
		return err_sys(e, "open %s", path);
	int r = fd_read_all(standard ? STDIN_FILENO : file, JSON_BYTES_MAX, to, e);
	return r < 0 ? err_add(e, "%s", path) : 0;
}

int runtime_cli_input_read_regular(struct str *to, const char *path, struct err *e)
{
	own_fd int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (file < 0 || fstat(file, &st) < 0)
		return err_sys(e, "open %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is no regular file", path);
	int r = fd_read_all(file, JSON_BYTES_MAX, to, e);
	return r < 0 ? err_add(e, "%s", path) : 0;
}
