#include "image/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

int image_file_open(struct image_file *to, const char *path, struct err *e)
{
	struct image_file file = { .fd = STDOUT_FILENO };
	struct stat st;

	if (strcmp(path, "-") == 0) {
		*to = file;
		return 0;
	}
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		file.fd = open(path, O_WRONLY | O_CLOEXEC);
		if (file.fd < 0)
			return err_sys(e, "open %s", path);
	} else {
		file.temporary = mem_format("%s.%d~", path, (int)getpid());
		file.fd = open(file.temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (file.fd < 0) {
			free(file.temporary);
			return err_sys(e, "create %s", path);
		}
	}
	file.path = mem_text(path);
	*to = file;
	return 0;
}

int image_file_commit(struct image_file *file, struct err *e)
{
	if (file->temporary && rename(file->temporary, file->path) < 0)
		return err_sys(e, "rename to %s", file->path);
	mem_replace(&file->temporary, NULL);
	return 0;
}

void image_file_end(struct image_file *file)
{
	if (file->temporary)
		unlink(file->temporary);
	if (file->path)
		close(file->fd);
	free(file->temporary);
	free(file->path);
	*file = (struct image_file){ 0 };
}
