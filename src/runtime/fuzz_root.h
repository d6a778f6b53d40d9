/* fuzz_root.h - for fuzz targets: a root of which /etc is read, in a temporary folder. */
#pragma once
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A root with an empty /etc; path is one for mkdtemp(3). */
static int open_root(char path[])
{
	if (!mkdtemp(path))
		abort();
	int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || mkdirat(root, "etc", 0700) < 0)
		abort();
	return root;
}

static void remove_root(int root, const char *path)
{
	unlinkat(root, "etc/passwd", 0);
	unlinkat(root, "etc/group", 0);
	unlinkat(root, "etc", AT_REMOVEDIR);
	rmdir(path);
}
