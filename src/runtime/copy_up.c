#include "runtime/copy_up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/err.h"
#include "base/own.h"

int runtime_copy_up_is_empty(int fd)
{
	int reading = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *dir = reading < 0 ? NULL : fdopendir(reading);

	if (!dir)
		return -errno;
	for (struct dirent *entry; (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return 0;
	return 1;
}

int runtime_copy_up_in_child(int from_fd, int to_fd, struct err *e)
{
	static const struct copy_options options = {
		.one_filesystem = true,
		.all_attributes = true,
		.sockets = true,
	};

	int empty = runtime_copy_up_is_empty(to_fd);
	if (empty < 0)
		return err_number(e, -empty, "read the volume");
	return empty ? copy_tree_contents(from_fd, to_fd, true, &options, e) : 0;
}
