/* tar_build.h - tars byte by byte, also such as no tar program writes. For tests alone. */
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "storage/unpack.h"

struct tar_entry {
	char type;        /* '0' file, '1' hard link, '2' symbolic link, '3' char, '4' block,
			   * '5' folder, '6' fifo, 'x' pax header for the next; 0 ends a list */
	const char *name; /* at most 100 bytes */
	const char *link;
	const char *body;
	unsigned mode; /* 0: 0644 or 0755 */
	unsigned uid, gid;
	unsigned major, minor;
	uint64_t size; /* what the header says if it is not the body's length */
	int64_t mtime;
};

static inline void tar_octal(char *field, size_t width, uint64_t value)
{
	for (size_t i = width - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

static inline void tar_checksum(char header[512])
{
	unsigned sum = 0;

	memset(header + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)header[i];
	tar_octal(header + 148, 7, sum);
	header[154] = 0;
	header[155] = ' ';
}

static inline void tar_add(struct str *to, const struct tar_entry *entry)
{
	static const char zeros[512];
	char header[512] = { 0 };
	size_t length = entry->body ? strlen(entry->body) : 0;
	unsigned mode = entry->mode ? entry->mode : entry->type == '5' ? 0755 : 0644;

	memcpy(header, entry->name, strnlen(entry->name, 100));
	tar_octal(header + 100, 8, mode);
	tar_octal(header + 108, 8, entry->uid);
	tar_octal(header + 116, 8, entry->gid);
	tar_octal(header + 124, 12, entry->size ? entry->size : length);
	tar_octal(header + 136, 12, (uint64_t)(entry->mtime ? entry->mtime : 1000000000));
	header[156] = entry->type;
	if (entry->link)
		memcpy(header + 157, entry->link, strnlen(entry->link, 100));
	memcpy(header + 257,
	       "ustar\0"
	       "00",
	       8);
	tar_octal(header + 329, 8, entry->major);
	tar_octal(header + 337, 8, entry->minor);
	tar_checksum(header);
	str_add_n(to, header, sizeof(header));
	str_add_n(to, entry->body, length);
	str_add_n(to, zeros, (512 - length % 512) % 512);
}

/* A pax header with one record, for the entry that follows. */
static inline void tar_add_pax(struct str *to, const char *key, const void *value, size_t length)
{
	static const char zeros[512];
	struct str record = { 0 };
	char header[512] = { 0 };
	size_t rest = strlen(key) + length + 3, total = rest;

	while (total != rest + (size_t)snprintf(NULL, 0, "%zu", total))
		total = rest + (size_t)snprintf(NULL, 0, "%zu", total);
	str_addf(&record, "%zu %s=", total, key);
	str_add_n(&record, value, length);
	str_add_char(&record, '\n');
	memcpy(header, "pax", 3);
	tar_octal(header + 100, 8, 0644);
	tar_octal(header + 124, 12, record.length);
	header[156] = 'x';
	memcpy(header + 257,
	       "ustar\0"
	       "00",
	       8);
	tar_checksum(header);
	str_add_n(to, header, sizeof(header));
	str_add_n(to, record.text, record.length);
	str_add_n(to, zeros, (512 - record.length % 512) % 512);
	str_clear(&record);
}

static inline void tar_end(struct str *to)
{
	static const char zeros[1024];
	str_add_n(to, zeros, sizeof(zeros));
}

/* A string as a byte_source, in pieces of at most step bytes. */
struct tar_source {
	const char *text;
	size_t left, step;
};

static inline ssize_t tar_source_next(void *context, const void **block, struct err *e)
{
	struct tar_source *source = context;
	size_t n = source->left < source->step ? source->left : source->step;

	(void)e;
	*block = source->text;
	source->text += n;
	source->left -= n;
	return (ssize_t)n;
}
