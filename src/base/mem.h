/* mem.h - small allocations, which end the program when there is no memory: state on disk must
 * survive kill -9 at any moment anyway. Sizes that come from outside are bounded by the caller. */
#pragma once
#include <stddef.h>

/* Zeroed memory for count objects of this size; never NULL. The caller frees it. */
void *mem_new(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* As reallocarray(3); never NULL for a size that is not 0. */
void *mem_resize(void *old, size_t count, size_t size);

/* Copies; mem_text(NULL) is NULL. The caller frees. */
char *mem_text(const char *text);
char *mem_text_n(const char *text, size_t length);
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Frees *field and stores a copy of text (NULL: none). */
void mem_replace(char **field, const char *text);

#define mem_new_struct(type) ((type *)mem_new(1, sizeof(type)))
#define COUNT_OF(array)      (sizeof(array) / sizeof((array)[0]))
