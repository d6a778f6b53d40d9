/* seal.h - what a step wrote becomes a layer that the same step gives everywhere: every time is one
 * that is given, and nothing of the host stays in it. */
#pragma once
#include <stdint.h>

struct err;

/* Walks the folder by descriptors. Counts the bytes of its files, and its entries. */
int build_seal(int folder_fd, int64_t time_s, uint64_t *ret_size, uint64_t *ret_entries,
	       struct err *e);
