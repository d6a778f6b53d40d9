/* tar_head.h - how a tar begins: POSIX pax(1), "ustar Interchange Format", whose magic GNU's has,
 * too. */
#pragma once
#include <stdbool.h>
#include <string.h>

enum { STORAGE_TAR_HEAD = 512 };

static inline bool storage_tar_begins(const char head[STORAGE_TAR_HEAD])
{
	return memcmp(head + 257, "ustar", 5) == 0;
}
