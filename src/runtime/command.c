#include "runtime/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/strv.h"
#include "runtime/runtime.h"

/* moby's default, where neither image nor user says a PATH */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int runtime_command_probe(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

int runtime_command_find_in_container(char **ret, const char *name, const struct strv *env,
				      struct err *e)
{
	own_clear(strv_clear) struct strv folders = { 0 };
	const char *path = strv_value(env, "PATH");
	int found = ENOENT;

	if (strchr(name, '/')) {
		int number = runtime_command_probe(name);
		if (number)
			return runtime_command_error(e, number, name);
		*ret = mem_text(name);
		return 0;
	}
	if (!*name)
		return runtime_command_error(e, ENOENT, name);
	strv_split(&folders, str_empty(path) ? DEFAULT_PATH : path, ':');
	for (size_t i = 0; i < folders.count; i++) {
		const char *folder = *folders.items[i] ? folders.items[i] : ".";
		own_free char *candidate = path_join(folder, name);
		int number = runtime_command_probe(candidate);
		if (number == 0) {
			*ret = take_ptr(&candidate);
			return 0;
		}
		if (number == EACCES)
			found = EACCES;
	}
	return runtime_command_error(e, found, name);
}
