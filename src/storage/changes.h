/* changes.h - what differs between two trees of files: what a container changed in its image, or
 * one image in another. As in `docker diff` a folder counts as changed when something in it is,
 * or when its owner or mode is another; a file when its owner, mode, kind, size or time is. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct err;

enum storage_change_kind { STORAGE_CHANGED = 'C', STORAGE_ADDED = 'A', STORAGE_DELETED = 'D' };

struct storage_change {
	enum storage_change_kind kind;
	char *path; /* "/etc/passwd" */
};

struct storage_changes {
	struct storage_change *items;
	size_t count;
};

struct storage_changes_options {
	bool upper; /* the new tree is an overlay's upper folder: what is not in it is as it was,
		     * and whiteouts and opaque folders say what went */
	const char *const *left_out; /* paths without the first slash, the last NULL; may be NULL */
};

/* Sorted by path, a folder before what is in it. Both are readable folders, or O_PATH. The
 * caller clears *ret, after a failure, too. */
int storage_changes_find(struct storage_changes *ret, int old_fd, int new_fd,
			 const struct storage_changes_options *options, struct err *e);
void storage_changes_clear(struct storage_changes *changes);
