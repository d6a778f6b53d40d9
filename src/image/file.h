/* file.h - a file that a verb writes for a person: it appears whole or not at all. */
#pragma once

struct err;

struct image_file {
	int fd; /* to write to; never the caller's to close */
	char *path;
	char *temporary; /* NULL: stdout, or what is no regular file */
};

/* path "-": stdout. What is there and no regular file (a fifo, /dev/null) is written as it is. */
int image_file_open(struct image_file *to, const char *path, struct err *e);

/* Gives it its name. */
int image_file_commit(struct image_file *file, struct err *e);

/* Removes what was not committed; for a zeroed struct it does nothing. */
void image_file_end(struct image_file *file);
