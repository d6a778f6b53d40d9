/* transfer.h - a whole container as a stream of bytes, for a file or another host: a line that says
 * what it is, then sections. A section is a letter, the length of a name in one byte, the name,
 * then chunks (length in four bytes, lowest first, and so many bytes), and a chunk of none. 'H':
 * the records, as JSON; 'I': the image, an OCI archive; 'L' and a name: a layer, a tar; 'M': of one
 * that runs on elsewhere the images of its processes, a tar; 'E': the end, without which the stream
 * was cut; behind that 'C': it has gone on there and ends here. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

struct err;
struct str;
struct strv;

enum {
	TRANSFER_HEADER = 'H',
	TRANSFER_IMAGE = 'I',
	TRANSFER_LAYER = 'L',
	TRANSFER_MEMORY = 'M',
	TRANSFER_END = 'E',
	TRANSFER_COMMIT = 'C',
};

enum {
	TRANSFER_VERSION = 1,
	TRANSFER_CHUNK_MAX = 1 << 20,
	TRANSFER_NAME_MAX = 255,
	TRANSFER_HEADER_MAX = 64 << 20,
};

/* The first line, and one section from memory. */
int transfer_write_begin(int fd, struct err *e);
int transfer_write_text(int fd, char kind, const char *text, size_t length, struct err *e);

/* A section of what holm-image, called with these arguments, writes. folder_fd: its --folder-fd,
 * or -1. */
int transfer_write_command(int fd, char kind, const char *name, const struct strv *arguments,
			   int folder_fd, struct err *e);

/* ERR_CORRUPT: it is no such stream. ERR_UNSUPPORTED: of a newer holm. */
int transfer_read_begin(int fd, struct err *e);

/* The next section's kind; name is filled. The rest of the section is read by one of those below.
 * ERR_CORRUPT where the stream ends. */
int transfer_read_kind(int fd, char name[TRANSFER_NAME_MAX + 1], struct err *e);
int transfer_read_text(int fd, size_t bytes_max, struct str *to, struct err *e);
int transfer_read_past(int fd, struct err *e);
int transfer_read_command(int fd, const struct strv *arguments, int folder_fd, struct err *e);
