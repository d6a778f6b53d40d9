/* cover.h - files that lie over some of a container's own in /proc and /sys, and show it something
 * else: those of one folder, whose filesystem the caller may serve itself. So whoever waits for the
 * container's process answers meanwhile what that one asks when it looks them up. */
#pragma once
#include <stddef.h>

struct err;
struct runtime_tree;

struct runtime_cover {
	const char *path; /* absolute; nothing happens where the container has no such file */
	const char *name; /* in the folder */
};

struct runtime_covers {
	int folder; /* a detached mount; stays the caller's, though it is used up */
	const struct runtime_cover *items;
	size_t count;
	int server_fd;               /* readable when something is asked; stays the caller's */
	int (*serve)(void *context); /* answers what is there, and does not wait; < 0: no more */
	void *context;
};

/* covers may be NULL in all three. */

/* At once after clone(2): who holds the server's descriptor waits in vain if the server is gone. */
void runtime_cover_leave_in_child(const struct runtime_covers *covers);

/* In the container's mount namespace, before the host's root is let go. */
int runtime_cover_attach_in_child(const struct runtime_covers *covers,
				  const struct runtime_tree *tree, struct err *e);

/* Until one of fds (-1: none) can be read or has ended. */
void runtime_cover_serve_in_parent(const struct runtime_covers *covers, const int fds[2]);
