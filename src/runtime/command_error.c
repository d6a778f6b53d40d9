#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "runtime/command.h"
#include "runtime/runtime.h"

int runtime_command_error(struct err *e, int number, const char *command)
{
	if (number == ENOENT || number == ENOTDIR) {
		if (!strchr(command, '/'))
			return err_set(e, ERR_COMMAND_NOT_FOUND,
				       "exec: \"%s\": executable file not found in $PATH", command);
		return err_set(e, ERR_COMMAND_NOT_FOUND, "exec: \"%s\": no such file or directory",
			       command);
	}
	if (number == ENOEXEC) {
		err_set(e, ERR_NOT_EXECUTABLE, "exec: \"%s\": exec format error", command);
		return err_hint(e, "it is a script without a #! line, or built for another kind of "
				   "processor, which qemu-user-static and binfmt-support can run");
	}
	/* podman and Docker look for these two words; the kernel has them for folders, too */
	if (number == EACCES)
		return err_set(e, ERR_NOT_EXECUTABLE, "exec: \"%s\": permission denied", command);
	if (number == EISDIR)
		return err_set(e, ERR_NOT_EXECUTABLE,
			       "exec: \"%s\": is a directory: permission denied", command);
	return err_set(e, ERR_NOT_EXECUTABLE, "exec: \"%s\": %s", command,
		       strerrordesc_np(number) ? strerrordesc_np(number) : "unknown error");
}

int runtime_command_exec_error(struct err *e, int number, const char *command)
{
	if (number != ENOENT)
		return runtime_command_error(e, number, command);
	err_set(e, ERR_COMMAND_NOT_FOUND, "exec: \"%s\": no such file or directory", command);
	return err_hint(e, "the file is there, but its interpreter or loader is not");
}
