#include "base/pool.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct pool_piece {
	struct pool_piece *next;
	max_align_t bytes[];
};

void *pool_new(struct pool *pool, size_t count, size_t size)
{
	size_t blocks = (count * size + sizeof(max_align_t) - 1) / sizeof(max_align_t) + 1;
	struct pool_piece *piece = mem_new(blocks, sizeof(max_align_t));

	piece->next = pool->pieces;
	pool->pieces = piece;
	return piece->bytes;
}

const char *pool_text(struct pool *pool, const char *text, size_t length)
{
	char *copy = pool_new(pool, length + 1, 1);

	memcpy(copy, text, length);
	return copy;
}

const char *pool_format(struct pool *pool, const char *format, ...)
{
	va_list list, again;

	va_start(list, format);
	va_copy(again, list);
	int length = vsnprintf(NULL, 0, format, list);
	char *text = pool_new(pool, (size_t)length + 1, 1);
	vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(list);
	return text;
}

void pool_clear(struct pool *pool)
{
	struct pool_piece *next;

	for (struct pool_piece *piece = pool->pieces; piece; piece = next) {
		next = piece->next;
		free(piece);
	}
	pool->pieces = NULL;
}
