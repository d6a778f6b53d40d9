#include "runtime_cli/input.h"

#include <fcntl.h>
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
