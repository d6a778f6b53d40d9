/* partition.h - where the root filesystem is in a disk image: the whole of it, or the one partition
 * of a GPT (UEFI 2.10, 5.3) that has the type of a root filesystem for this processor (UAPI.2,
 * Discoverable Partitions Specification). Looks at bytes alone, and trusts none. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct err;

/* Bytes of the disk at an offset: all of them, or it fails. */
struct runtime_partition_disk {
	int (*read)(void *context, uint64_t offset, void *to, size_t length, struct err *e);
	void *context;
	uint64_t size;
};

struct runtime_partition {
	uint64_t offset, size;  /* bytes; within the disk */
	const char *filesystem; /* as the kernel calls it: "ext4", "squashfs", "erofs" */
};

/* ERR_UNSUPPORTED for what is no such disk; the error says what it is, if that is known. */
int runtime_partition_find(struct runtime_partition *ret, const struct runtime_partition_disk *disk,
			   struct err *e);
