/* pool.h - memory that goes all at once: what was read of a file, and what was made of it. */
#pragma once
#include <stddef.h>

struct pool_piece;

struct pool {
	struct pool_piece *pieces;
};

/* Zeroed, and never NULL. Gone with pool_clear(). */
void *pool_new(struct pool *pool, size_t count, size_t size);
const char *pool_text(struct pool *pool, const char *text, size_t length);
const char *pool_format(struct pool *pool, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void pool_clear(struct pool *pool);
