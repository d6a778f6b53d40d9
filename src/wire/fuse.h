/* fuse.h - some files whose bytes are made when somebody reads them: a read-only FUSE filesystem of
 * one folder, of which each file is mounted by itself. /dev/fuse, protocol 7.x of <linux/fuse.h>;
 * Documentation/filesystems/fuse.rst. What asks is the kernel, not whoever reads, and still no size
 * is taken from a request unbounded. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { WIRE_FUSE_NAME_MAX = 16 };

/* What waits for an answer that takes the text of a file: a read, or how long it is. The kernel
 * wants to know that with each open(2), since sendfile(2) reads no further. */
struct wire_fuse_request {
	uint64_t unique; /* its number */
	size_t file;     /* below the number of files */
	bool is_read;
	uint64_t offset;
	uint32_t size;
};

/* Makes such a filesystem, mounted nowhere: *ret_mount is a detached mount of its folder, in which
 * the files have their numbers as names. Looking one up asks for it: who does that must not be who
 * answers. Returns
 * the descriptor that requests come to (O_NONBLOCK; readable when there are some); both are the
 * caller's. ERR_UNSUPPORTED: this kernel, or this user, has no FUSE. */
int wire_fuse_open(int *ret_mount, struct err *e);

/* Answers what does not need a text. 1: *ret has to be answered; 0: there is no more for now, or
 * that was enough for once, and device is still readable; -errno: nothing is mounted any more
 * (-ENODEV), or worse. */
int wire_fuse_next(int device, size_t files, struct wire_fuse_request *ret);

/* With what of the text is asked for. A reader that has gone meanwhile is no error. */
void wire_fuse_answer(int device, const struct wire_fuse_request *request, const char *text,
		      size_t length);
