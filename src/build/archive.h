/* archive.h - tar archives that ADD unpacks, by holm-image. */
#pragma once
#include <stdbool.h>

struct engine;
struct err;

/* Is the file a tar, plain or in gzip, zstd, xz or bzip2? By its bytes, not by its name. */
int build_archive_is(bool *ret, int root_fd, const char *path, struct err *e);

/* The same of an open file, at its beginning. */
int build_archive_is_fd(bool *ret, int fd, const char *name, struct err *e);

/* Into the folder to below to_fd, made if need be. Owners, modes and times are the archive's. */
int build_archive_unpack(struct engine *engine, int root_fd, const char *path, int to_fd,
			 const char *to, struct err *e);

/* The same of an open file. */
int build_archive_unpack_fd(struct engine *engine, int fd, int to_fd, const char *to,
			    struct err *e);
