/* Any bytes as a disk: what is found in it lies in it. */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "runtime/partition.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static int read_bytes(void *context, uint64_t offset, void *to, size_t length, struct err *e)
{
	(void)e;
	memcpy(to, (const unsigned char *)context + offset, length);
	return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
	const struct runtime_partition_disk disk = { read_bytes, (void *)(uintptr_t)bytes, length };
	struct runtime_partition p = { 0 };
	struct err e = { 0 };

	if (runtime_partition_find(&p, &disk, &e) < 0) {
		assert(*e.text && !p.filesystem);
		return 0;
	}
	assert(p.filesystem && p.size && p.offset <= length && p.size <= length - p.offset);
	return 0;
}
