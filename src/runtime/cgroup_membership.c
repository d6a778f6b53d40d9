#include "runtime/cgroup_membership.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

/* A line of some 100 bytes for each hierarchy. */
enum { MEMBERSHIP_BYTES_MAX = 65536 };

/* "4:cpu,cpuacct:/path" */
static const char *path_in(const char *line, const char *controllers)
{
	const char *field = strchr(line, ':');
	const char *end = field ? strchr(field + 1, ':') : NULL;

	if (!end || (size_t)(end - field - 1) != strlen(controllers) ||
	    strncmp(field + 1, controllers, strlen(controllers)) != 0)
		return NULL;
	return end + 1;
}

int runtime_cgroup_membership_read(char **ret, pid_t pid, const char *controllers, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	char file[40] = "/proc/self/cgroup";
	char *rest = NULL;

	if (pid)
		snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	int r = fd_read_file_at(AT_FDCWD, file, MEMBERSHIP_BYTES_MAX, &text, e);
	if (r < 0)
		return r;
	for (char *line = strtok_r(text.text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *path = path_in(line, controllers);
		if (!path)
			continue;
		*ret = mem_text(path);
		return 0;
	}
	return err_set(e, ERR_NOT_FOUND, "%s names no cgroup of %s", file,
		       *controllers ? controllers : "version 2");
}
