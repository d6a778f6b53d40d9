#include "build/once.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

struct record {
	char key[DIGEST_TEXT_SIZE];
	char name[64]; /* of the folder: ".new-" and 16 digits */
	uint64_t size, entries;
};

void build_once_close(struct build_once *once)
{
	own_fd_call(&once->fd);
	once->fd = -1;
}

/* Locks belong to the open file, which a fork shares. */
int build_once_part(struct build_once *once, struct err *e)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", once->fd);
	int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open the list of steps");
	build_once_close(once);
	once->fd = fd;
	return 0;
}

int build_once_open(struct build_once *ret, struct err *e)
{
	int fd = memfd_create("steps", MFD_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "make a file in memory");
	ret->fd = fd;
	return build_once_part(ret, e);
}

/* The digest's first bits are the number of the byte. */
static off_t place_of(const char *key)
{
	char digits[16] = "";
	const char *hex = oci_digest_hex(key);

	if (hex)
		memcpy(digits, hex, 15);
	return (off_t)strtoull(digits, NULL, 16);
}

static void lock(const struct build_once *once, short type, off_t start, off_t length)
{
	struct flock range = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length
	};

	while (fcntl(once->fd, F_OFD_SETLKW, &range) < 0 && errno == EINTR)
		;
}

bool build_once_claim(const struct build_once *once, const char *key, struct build_layer *ret)
{
	struct record record;

	lock(once, F_WRLCK, place_of(key), 1);
	for (off_t at = 0; pread(once->fd, &record, sizeof(record), at) == (ssize_t)sizeof(record);
	     at += (off_t)sizeof(record)) {
		if (!str_equal(record.key, key))
			continue;
		ret->name = mem_text(record.name);
		ret->size = record.size;
		ret->entries = record.entries;
		return true;
	}
	return false;
}

int build_once_tell(const struct build_once *once, const struct build_layer *layer, struct err *e)
{
	struct record record = { .size = layer->size, .entries = layer->entries };

	snprintf(record.key, sizeof(record.key), "%s", layer->key);
	snprintf(record.name, sizeof(record.name), "%s", layer->name);
	return write(once->fd, &record, sizeof(record)) == (ssize_t)sizeof(record)
		       ? 0
		       : err_sys(e, "note that the step is done");
}

void build_once_release(const struct build_once *once)
{
	lock(once, F_UNLCK, 0, 0);
}
