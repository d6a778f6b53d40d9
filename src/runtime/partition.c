#include "runtime/partition.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"

enum {
	SECTOR = 512,
	GUID_SIZE = 16,
	HEADER_SIZE_MIN = 92, /* UEFI 2.10, table 5.5 */
	ENTRY_SIZE_MIN = 128,
	ENTRY_SIZE_MAX = 4096,
	ENTRIES_MAX = 1024, /* tools make 128 */
	HEAD_SIZE = 4096,   /* all that a filesystem is known by */
};

/* As on the disk: the first three fields are little-endian. */
static const uint8_t root_types[][GUID_SIZE] = {
#if defined(__x86_64__)
	/* 4f68bce3-e8cd-4db1-96e7-fbcaf984b709 */
	{ 0xe3, 0xbc, 0x68, 0x4f, 0xcd, 0xe8, 0xb1, 0x4d, 0x96, 0xe7, 0xfb, 0xca, 0xf9, 0x84, 0xb7,
	  0x09 },
#elif defined(__aarch64__)
	/* b921b045-1df0-41c3-af44-4c6f280d3fae */
	{ 0x45, 0xb0, 0x21, 0xb9, 0xf0, 0x1d, 0xc3, 0x41, 0xaf, 0x44, 0x4c, 0x6f, 0x28, 0x0d, 0x3f,
	  0xae },
#endif
	/* 0fc63daf-8483-4772-8e79-3d69d8477de4: any of Linux's, where there is none of the above */
	{ 0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d,
	  0xe4 },
};

static const struct magic {
	const char *filesystem; /* NULL: one that we know, and do not take */
	const char *name;
	size_t offset;
	const char *bytes;
	size_t length;
} magics[] = {
	{ "ext4", "ext4", 1024 + 56, "\x53\xef", 2 },
	{ "squashfs", "squashfs", 0, "hsqs", 4 },
	{ "erofs", "erofs", 1024, "\xe2\xe1\xf5\xe0", 4 },
	{ NULL, "an encrypted volume (LUKS)", 0, "LUKS\xba\xbe", 6 },
	{ NULL, "xfs", 0, "XFSB", 4 },
	{ NULL, "a disk image of qemu (qcow2)", 0, "QFI\xfb", 4 },
	{ NULL, "a gzip file", 0, "\x1f\x8b", 2 },
	{ NULL, "a zstd file", 0, "\x28\xb5\x2f\xfd", 4 },
	{ NULL, "an xz file", 0,
	  "\xfd"
	  "7zXZ",
	  5 },
	{ NULL, "a disk with an MBR", 510, "\x55\xaa", 2 },
};

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

/* UEFI 2.10, 5.3.2: CRC-32 as in Ethernet. */
static uint32_t crc32(const uint8_t *bytes, size_t length)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static int read_at(const struct runtime_partition_disk *disk, uint64_t offset, void *to,
		   size_t length, struct err *e)
{
	if (offset > disk->size || length > disk->size - offset)
		return err_set(e, ERR_CORRUPT, "it ends before byte %llu",
			       (unsigned long long)offset + length);
	return disk->read(disk->context, offset, to, length, e);
}

/* ---- what lies at an offset ---- */

static int find_filesystem(struct runtime_partition *p, const struct runtime_partition_disk *disk,
			   struct err *e)
{
	uint8_t head[HEAD_SIZE] = { 0 };
	size_t length = p->size < HEAD_SIZE ? (size_t)p->size : HEAD_SIZE;

	int r = read_at(disk, p->offset, head, length, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < COUNT_OF(magics); i++) {
		const struct magic *m = &magics[i];
		if (memcmp(head + m->offset, m->bytes, m->length) != 0)
			continue;
		p->filesystem = m->filesystem;
		return m->filesystem
			       ? 0
			       : err_set(e, ERR_UNSUPPORTED,
					 "it is %s, and not ext4, squashfs or erofs", m->name);
	}
	return err_set(e, ERR_UNSUPPORTED, "there is no ext4, squashfs or erofs in it");
}

/* ---- GPT ---- */

struct table {
	uint64_t offset, first, last; /* first and last sector that partitions may have */
	uint32_t count, size, crc;
};

static int read_header(struct table *table, const struct runtime_partition_disk *disk,
		       uint8_t header[SECTOR], struct err *e)
{
	uint32_t size = get32(header + 12), crc = get32(header + 16);

	if (size < HEADER_SIZE_MIN || size > SECTOR)
		return err_set(e, ERR_CORRUPT, "the header of its GPT has %u bytes", size);
	memset(header + 16, 0, 4);
	if (crc32(header, size) != crc || get64(header + 24) != 1)
		return err_set(e, ERR_CORRUPT, "the header of its GPT is damaged");
	*table = (struct table){ .first = get64(header + 40),
				 .last = get64(header + 48),
				 .count = get32(header + 80),
				 .size = get32(header + 84),
				 .crc = get32(header + 88) };
	uint64_t sectors = disk->size / SECTOR, at = get64(header + 72);
	if (at < 2 || at >= sectors || table->first > table->last || table->last >= sectors)
		return err_set(e, ERR_CORRUPT, "its GPT is of a larger disk");
	if (!table->count || table->count > ENTRIES_MAX || table->size < ENTRY_SIZE_MIN ||
	    table->size > ENTRY_SIZE_MAX || table->size % ENTRY_SIZE_MIN)
		return err_set(e, ERR_CORRUPT, "its GPT has %u entries of %u bytes", table->count,
			       table->size);
	table->offset = at * SECTOR;
	return 0;
}

static int take_entry(struct runtime_partition *p, const struct table *table, const uint8_t *entry,
		      struct err *e)
{
	uint64_t first = get64(entry + 32), last = get64(entry + 40);

	if (first < table->first || last > table->last || first > last)
		return err_set(e, ERR_CORRUPT, "a partition of it is outside of the disk");
	p->offset = first * SECTOR;
	p->size = (last - first + 1) * SECTOR;
	return 0;
}

/* 1: found; 0: there is none of this type. */
static int choose(struct runtime_partition *p, const struct table *table, const uint8_t *entries,
		  const uint8_t type[GUID_SIZE], struct err *e)
{
	const uint8_t *found = NULL;

	for (uint32_t i = 0; i < table->count; i++) {
		const uint8_t *entry = entries + (size_t)i * table->size;
		if (memcmp(entry, type, GUID_SIZE) != 0)
			continue;
		if (found)
			return err_set(e, ERR_UNSUPPORTED,
				       "more than one of its partitions may be the root");
		found = entry;
	}
	int r = found ? take_entry(p, table, found, e) : 0;
	return r < 0 ? r : found != NULL;
}

static int read_gpt(struct runtime_partition *p, const struct runtime_partition_disk *disk,
		    uint8_t header[SECTOR], struct err *e)
{
	struct table table = { 0 };

	int r = read_header(&table, disk, header, e);
	if (r < 0)
		return r;
	size_t length = (size_t)table.count * table.size;
	own_free uint8_t *entries = mem_new(length, 1);
	r = read_at(disk, table.offset, entries, length, e);
	if (r < 0)
		return r;
	if (crc32(entries, length) != table.crc)
		return err_set(e, ERR_CORRUPT, "the entries of its GPT are damaged");
	for (size_t i = 0; r == 0 && i < COUNT_OF(root_types); i++)
		r = choose(p, &table, entries, root_types[i], e);
	if (r == 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "none of its partitions is a root filesystem of Linux for this "
			       "processor");
	return r < 0 ? r : find_filesystem(p, disk, e);
}

int runtime_partition_find(struct runtime_partition *ret, const struct runtime_partition_disk *disk,
			   struct err *e)
{
	struct runtime_partition p = { .size = disk->size };
	uint8_t header[SECTOR] = { 0 };
	int r = 0;

	if (disk->size < HEAD_SIZE)
		return err_set(e, ERR_UNSUPPORTED, "it is too small for a filesystem");
	r = read_at(disk, SECTOR, header, sizeof(header), e);
	if (r == 0)
		r = memcmp(header, "EFI PART", 8) == 0 ? read_gpt(&p, disk, header, e)
						       : find_filesystem(&p, disk, e);
	if (r == 0)
		*ret = p;
	return r;
}
