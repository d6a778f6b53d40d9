/* file.h - one file of a container, read and written as it is: owner, mode and what links to it
 * stay. */
#pragma once
#include "base/str.h"

struct engine;
struct err;

enum { SYSTEM_FILE_BYTES_MAX = 64 << 20 };

/* The whole of it, added to *ret. ERR_NOT_FOUND; ERR_INVALID for what is no regular file or is
 * larger. */
int system_file_read(struct engine *engine, const char *container, const char *path,
		     struct str *ret, struct err *e);

/* Other bytes for it, which must be there. */
int system_file_write(struct engine *engine, const char *container, const char *path,
		      const struct str *bytes, struct err *e);
