/* pool.h - memory that goes all at once: what was read of a file of Kubernetes objects, and what
 * was made of it. */
#pragma once
#include <stddef.h>

struct kube_pool_piece;

struct kube_pool {
	struct kube_pool_piece *pieces;
};

/* Zeroed, and never NULL. Gone with kube_pool_clear(). */
void *kube_pool_new(struct kube_pool *pool, size_t count, size_t size);
const char *kube_pool_text(struct kube_pool *pool, const char *text, size_t length);
const char *kube_pool_format(struct kube_pool *pool, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void kube_pool_clear(struct kube_pool *pool);
