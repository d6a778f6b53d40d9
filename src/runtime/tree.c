#include "runtime/tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"

void runtime_tree_add(struct runtime_tree *tree, const char *path, const char *type, int fd)
{
	tree->mounts = mem_resize(tree->mounts, tree->count + 1, sizeof(*tree->mounts));
	tree->mounts[tree->count++] = (struct runtime_tree_mount){
		.path = path_clean(path),
		.type = mem_text(type),
		.fd = fd,
	};
}

void runtime_tree_clear(struct runtime_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		free(tree->mounts[i].path);
		free(tree->mounts[i].type);
		if (tree->mounts[i].fd >= 0)
			close(tree->mounts[i].fd);
	}
	free(tree->mounts);
	*tree = (struct runtime_tree){ .root_fd = tree->root_fd };
}

/* Is path the mount's own ("/dev" of "/dev") or below it? */
static bool holds(const struct runtime_tree_mount *mount, const char *path, bool below)
{
	size_t length = strlen(mount->path);

	if (!str_starts(path, mount->path))
		return false;
	return path[length] == '/' || (!below && path[length] == '\0');
}

int runtime_tree_find(const struct runtime_tree *tree, const char *path, bool below, char **rest)
{
	own_free char *clean = path_clean(path);
	const struct runtime_tree_mount *best = NULL;

	/* of two at one place the later one lies on top */
	for (size_t i = 0; i < tree->count; i++) {
		const struct runtime_tree_mount *m = &tree->mounts[i];
		if (holds(m, clean, below) && (!best || strlen(m->path) >= strlen(best->path)))
			best = m;
	}
	const char *at = clean + (best ? strlen(best->path) : 0);
	*rest = mem_text(*at ? at : "/");
	return best ? best->fd : tree->root_fd;
}

const struct runtime_tree_mount *runtime_tree_mount_of_type(const struct runtime_tree *tree,
							    const char *type)
{
	for (size_t i = tree->count; i > 0; i--)
		if (strcmp(tree->mounts[i - 1].type, type) == 0)
			return &tree->mounts[i - 1];
	return NULL;
}

int runtime_tree_open(const struct runtime_tree *tree, const char *path, int flags)
{
	own_free char *rest = NULL;
	int from = runtime_tree_find(tree, path, false, &rest);

	return path_try_open(from, rest, flags, 0);
}

int runtime_tree_open_unlinked(const struct runtime_tree *tree, const char *path)
{
	own_free char *rest = NULL;
	int from = runtime_tree_find(tree, path, false, &rest);

	return path_try_open_unlinked(from, rest, O_PATH);
}

int runtime_tree_make_dirs(const struct runtime_tree *tree, const char *path, mode_t mode,
			   struct err *e)
{
	own_free char *rest = NULL;
	int from = runtime_tree_find(tree, path, false, &rest);

	return path_make_dirs(from, rest, mode, e);
}

int runtime_tree_make_file(const struct runtime_tree *tree, const char *path, mode_t mode,
			   struct err *e)
{
	own_free char *rest = NULL;
	int from = runtime_tree_find(tree, path, false, &rest);

	return path_make_file(from, rest, mode, e);
}

int runtime_tree_open_parent(const struct runtime_tree *tree, const char *path, char **last,
			     struct err *e)
{
	own_free char *rest = NULL;
	const char *name;
	int from = runtime_tree_find(tree, path, true, &rest);

	int fd = path_open_parent(from, rest, true, &name, e);
	if (fd >= 0)
		*last = mem_text(name);
	return fd;
}
