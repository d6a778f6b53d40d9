/* seal.h - what a step wrote becomes a layer that the same step gives everywhere: every time is one
 * that is given, and nothing of the host stays in it. */
#pragma once
#include <stdint.h>

struct err;

/* Walks the folder by descriptors. Counts the bytes of its files, and its entries. */
int build_seal(int folder_fd, int64_t time_s, uint64_t *ret_size, uint64_t *ret_entries,
	       struct err *e);

/* Counts alone: the files are another layer's, too. */
int build_seal_count(int folder_fd, uint64_t *ret_size, uint64_t *ret_entries, struct err *e);
