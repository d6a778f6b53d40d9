#include "runtime/partition.h"

#include <endian.h>
#include <string.h>

#include "base/err.h"
#include "base/unit.h"

enum { SIZE = 1 << 20, SECTOR = 512, FIRST = 64, LAST = 1999 };

static uint8_t disk_bytes[SIZE];

static const uint8_t root_type[] = {
#if defined(__aarch64__)
	0x45, 0xb0, 0x21, 0xb9, 0xf0, 0x1d, 0xc3, 0x41,
	0xaf, 0x44, 0x4c, 0x6f, 0x28, 0x0d, 0x3f, 0xae,
#else
	0xe3, 0xbc, 0x68, 0x4f, 0xcd, 0xe8, 0xb1, 0x4d,
	0x96, 0xe7, 0xfb, 0xca, 0xf9, 0x84, 0xb7, 0x09,
#endif
};
static const uint8_t linux_type[] = { 0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47,
				      0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4 };

static int read_bytes(void *context, uint64_t offset, void *to, size_t length, struct err *e)
{
	(void)context;
	(void)e;
	ck_assert(offset <= SIZE && length <= SIZE - offset);
	memcpy(to, disk_bytes + offset, length);
	return 0;
}

static int find(struct runtime_partition *p, struct err *e)
{
	const struct runtime_partition_disk disk = { read_bytes, NULL, SIZE };

	return runtime_partition_find(p, &disk, e);
}

static uint32_t crc32(const uint8_t *bytes, size_t length)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < 8 * length; i++) {
		uint32_t bit = (crc ^ (uint32_t)(bytes[i / 8] >> i % 8)) & 1;
		crc = crc >> 1 ^ (bit ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static void put32(size_t at, uint32_t value)
{
	value = htole32(value);
	memcpy(disk_bytes + at, &value, sizeof(value));
}

static void put64(size_t at, uint64_t value)
{
	value = htole64(value);
	memcpy(disk_bytes + at, &value, sizeof(value));
}

static void seal(void)
{
	put32(SECTOR + 88, crc32(disk_bytes + 2 * SECTOR, 128 * 128));
	put32(SECTOR + 16, 0);
	put32(SECTOR + 16, crc32(disk_bytes + SECTOR, 92));
}

static void add_partition(int at, const uint8_t type[16], uint64_t first, uint64_t last)
{
	size_t entry = 2 * SECTOR + 128 * (size_t)at;

	memcpy(disk_bytes + entry, type, 16);
	put64(entry + 32, first);
	put64(entry + 40, last);
	seal();
}

static void make_gpt(void)
{
	memset(disk_bytes, 0, SIZE);
	memcpy(disk_bytes + SECTOR, "EFI PART\0\0\1", 12);
	put32(SECTOR + 12, 92);
	put64(SECTOR + 24, 1);
	put64(SECTOR + 40, FIRST);
	put64(SECTOR + 48, LAST);
	put64(SECTOR + 72, 2);
	put32(SECTOR + 80, 128);
	put32(SECTOR + 84, 128);
	memcpy(disk_bytes + FIRST * SECTOR + 1080, "\x53\xef", 2);
	seal();
}

START_TEST(the_root_partition_is_found_by_its_type)
{
	struct runtime_partition p = { 0 };
	struct err e;

	make_gpt();
	add_partition(0, linux_type, 100, 199);
	add_partition(5, root_type, FIRST, LAST);
	ck_assert_int_eq(find(&p, &e), 0);
	ck_assert_uint_eq(p.offset, FIRST * SECTOR);
	ck_assert_uint_eq(p.size, (LAST - FIRST + 1) * SECTOR);
	ck_assert_str_eq(p.filesystem, "ext4");
	/* and one of Linux's where there is no better */
	make_gpt();
	add_partition(3, linux_type, FIRST, FIRST + 9);
	ck_assert_int_eq(find(&p, &e), 0);
	ck_assert_uint_eq(p.size, 10 * SECTOR);
}
END_TEST

static const struct {
	size_t at;
	const char *bytes;
	size_t length;
	const char *filesystem;
} bare[] = {
	{ 1080, "\x53\xef", 2, "ext4" },
	{ 0, "hsqs", 4, "squashfs" },
	{ 1024, "\xe2\xe1\xf5\xe0", 4, "erofs" },
};

START_TEST(a_filesystem_without_a_table_is_the_whole_disk)
{
	struct runtime_partition p = { 0 };
	struct err e;

	memset(disk_bytes, 0, SIZE);
	ck_assert_int_lt(find(&p, &e), 0);
	memcpy(disk_bytes + bare[_i].at, bare[_i].bytes, bare[_i].length);
	ck_assert_int_eq(find(&p, &e), 0);
	ck_assert_str_eq(p.filesystem, bare[_i].filesystem);
	ck_assert_uint_eq(p.offset, 0);
	ck_assert_uint_eq(p.size, SIZE);
}
END_TEST

static const struct {
	size_t at;
	uint64_t value;
	size_t width;
	const char *why;
} lies[] = {
	{ SECTOR + 12, 91, 4, "91 bytes" },
	{ SECTOR + 12, 513, 4, "513 bytes" },
	{ SECTOR + 24, 2, 8, "damaged" },
	{ SECTOR + 48, 2048, 8, "larger disk" },
	{ SECTOR + 72, 0, 8, "larger disk" },
	{ SECTOR + 72, UINT64_MAX, 8, "larger disk" },
	{ SECTOR + 72, UINT64_C(1) << 55, 8, "larger disk" },
	{ SECTOR + 72, 2047, 8, "ends before" },
	{ SECTOR + 80, 0, 4, "0 entries" },
	{ SECTOR + 80, UINT32_MAX, 4, "entries" },
	{ SECTOR + 84, 127, 4, "127 bytes" },
	{ SECTOR + 84, UINT32_MAX, 4, "bytes" },
	{ 2 * SECTOR + 32, 2, 8, "outside" },
	{ 2 * SECTOR + 40, 2000, 8, "outside" },
	{ 2 * SECTOR + 40, UINT64_MAX, 8, "outside" },
	{ 2 * SECTOR + 32, LAST + 1, 8, "outside" },
};

START_TEST(a_table_that_lies_is_refused)
{
	struct runtime_partition p = { 0 };
	struct err e;

	make_gpt();
	add_partition(0, root_type, FIRST, LAST);
	if (lies[_i].width == 4)
		put32(lies[_i].at, (uint32_t)lies[_i].value);
	else
		put64(lies[_i].at, lies[_i].value);
	seal();
	ck_assert_int_lt(find(&p, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, lies[_i].why));
}
END_TEST

START_TEST(a_table_that_is_damaged_or_ambiguous_is_refused)
{
	struct runtime_partition p = { 0 };
	struct err e;

	make_gpt();
	add_partition(0, root_type, FIRST, LAST);
	disk_bytes[2 * SECTOR + 60] ^= 1;
	ck_assert_int_lt(find(&p, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "damaged"));
	disk_bytes[2 * SECTOR + 60] ^= 1;
	add_partition(1, root_type, FIRST, LAST);
	ck_assert_int_lt(find(&p, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "more than one"));
	make_gpt();
	ck_assert_int_lt(find(&p, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "none of its partitions"));
}
END_TEST

UNIT_MAIN("runtime/partition", UNIT(the_root_partition_is_found_by_its_type),
	  UNIT_LOOP(a_filesystem_without_a_table_is_the_whole_disk, 3),
	  UNIT_LOOP(a_table_that_lies_is_refused, sizeof(lies) / sizeof(*lies)),
	  UNIT(a_table_that_is_damaged_or_ambiguous_is_refused))
