#include "build/sum.h"

#include <stdint.h>
#include <string.h>

#include "base/strv.h"

void build_sum_add_bytes(struct storage_hash *hash, const void *bytes, size_t length)
{
	uint64_t size = length;
	unsigned char prefix[8];

	for (size_t i = 0; i < sizeof(prefix); i++)
		prefix[i] = (unsigned char)(size >> (8 * i));
	storage_hash_add(hash, prefix, sizeof(prefix));
	storage_hash_add(hash, bytes, length);
}

void build_sum_add(struct storage_hash *hash, const char *text)
{
	static const unsigned char none[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (text)
		build_sum_add_bytes(hash, text, strlen(text));
	else
		storage_hash_add(hash, none, sizeof(none));
}

void build_sum_add_number(struct storage_hash *hash, long long number)
{
	build_sum_add_bytes(hash, &number, sizeof(number));
}

void build_sum_add_all(struct storage_hash *hash, const struct strv *texts)
{
	build_sum_add_number(hash, (long long)texts->count);
	for (size_t i = 0; i < texts->count; i++)
		build_sum_add(hash, texts->items[i]);
}
