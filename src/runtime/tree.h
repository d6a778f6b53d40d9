/* tree.h - the container's tree while it is built: the root's descriptor and those of the mounts
 * made in it. A path below a mount is looked up from that mount's own descriptor, so that no
 * exchange of folders in the tree above can lead it elsewhere once the mount is made. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

struct runtime_tree_mount {
	char *path; /* lexically clean: "/dev/pts" */
	char *type; /* "proc", "bind"... */
	int fd;     /* of the mount's root */
};

struct runtime_tree {
	int root_fd; /* borrowed */
	struct runtime_tree_mount *mounts;
	size_t count;
};

/* Takes fd over. */
void runtime_tree_add(struct runtime_tree *tree, const char *path, const char *type, int fd);
void runtime_tree_clear(struct runtime_tree *tree);

/* The descriptor (borrowed) of the innermost mount that holds path (with below, one that is not
 * mounted right there), and path below it in *rest, which the caller frees. */
int runtime_tree_find(const struct runtime_tree *tree, const char *path, bool below, char **rest);

/* The last mount of this type, or NULL. */
const struct runtime_tree_mount *runtime_tree_mount_of_type(const struct runtime_tree *tree,
							    const char *type);

/* As the functions of base/path.h, from there. */
int runtime_tree_open(const struct runtime_tree *tree, const char *path, int flags); /* -errno */
int runtime_tree_open_unlinked(const struct runtime_tree *tree, const char *path);   /* -errno */
int runtime_tree_make_dirs(const struct runtime_tree *tree, const char *path, mode_t mode,
			   struct err *e);
int runtime_tree_make_file(const struct runtime_tree *tree, const char *path, mode_t mode,
			   struct err *e);

/* The folder that will hold path, made if missing; *last is the name in it, the caller frees it. */
int runtime_tree_open_parent(const struct runtime_tree *tree, const char *path, char **last,
			     struct err *e);
