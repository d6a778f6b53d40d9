/* copy_place.h - a path of `cp` as a folder and a name in it; for copy.c alone. */
#pragma once
#include <stdbool.h>
#include <sys/stat.h>

struct err;

struct copy_place {
	int dir_fd;
	char *name; /* in it; "." for the root */
	char *path; /* where that is below the root, links followed as far as they are */
	char *base; /* the last part of the path as it was given: its name in archives */
	bool exists;
	bool contents; /* "/." at the end: what is in the folder, without the folder */
	bool asserted; /* the path says that it is a folder, by "/" or "/." at its end */
	struct stat st;
};
#define COPY_PLACE_NONE                                                                            \
	{                                                                                          \
		.dir_fd = -1                                                                       \
	}

/* Looks for it below root_fd. Its last part is followed where it is a link, if follow is asked for
 * or the path says that it is a folder. One that does not exist is no error while the folder that
 * it would be in does: ERR_NOT_FOUND. The caller ends *ret, which begins as COPY_PLACE_NONE, after
 * a failure, too. */
int copy_place_find(struct copy_place *ret, int root_fd, const char *path, bool follow,
		    struct err *e);
void copy_place_clear(struct copy_place *place);

/* The folder that it is, opened for reading. */
int copy_place_open(const struct copy_place *place, struct err *e);
