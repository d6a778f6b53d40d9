/* loop.h - a file as a block device, loop(4). The device is freed by the kernel with its last user
 * (LO_FLAGS_AUTOCLEAR), whoever was killed before. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;

enum { RUNTIME_LOOP_PATH = 32 };

struct runtime_loop_part {
	uint64_t offset;
	uint64_t size; /* 0: to the end of the file */
	bool writable;
};

/* A new one on the file, which stays the caller's. path becomes its name below /dev; what is
 * returned keeps it until something is mounted on it. */
int runtime_loop_attach(char path[RUNTIME_LOOP_PATH], int file_fd,
			const struct runtime_loop_part *part, struct err *e);

/* The one that has the whole file, writable, already; -1: there is none. */
int runtime_loop_find(char path[RUNTIME_LOOP_PATH], int file_fd);
