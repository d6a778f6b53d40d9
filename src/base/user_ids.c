#include "base/user_ids.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"

enum { LINES = 256 }; /* bytes; of the first lines */

/* Its first line, and whether there is another. False: there is no such file. */
static bool read_map(unsigned first[3], bool *more)
{
	char text[LINES] = "";
	own_fd int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 ||
	    sscanf(text, "%u %u %u", &first[0], &first[1], &first[2]) != 3)
		return false;
	const char *end = strchr(text, '\n');
	*more = end && end[1];
	return true;
}

/* Only the first user namespace maps all ids to themselves, in one line. */
bool user_ids_are_mapped(void)
{
	unsigned first[3];
	bool more;

	return read_map(first, &more) && (first[0] != 0 || first[1] != 0 || first[2] != UINT32_MAX);
}

bool user_ids_are_one(void)
{
	unsigned first[3];
	bool more;

	return read_map(first, &more) && first[2] == 1 && !more;
}
