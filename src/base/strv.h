/* strv.h - a list of strings that owns them. items is closed by a NULL that count does not
 * count (so it serves as argv), and is NULL while the list is empty. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct strv {
	char **items;
	size_t count;
};

void strv_clear(struct strv *v);
void strv_add(struct strv *v, const char *text);
void strv_add_take(struct strv *v, char *text); /* v owns text from here on */
void strv_addf(struct strv *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strv_add_all(struct strv *v, const struct strv *more);
bool strv_contains(const struct strv *v, const char *text);
void strv_remove(struct strv *v, size_t index);

/* The index of the item that is KEY or starts with KEY=, or -1: for environments. */
int strv_find_key(const struct strv *v, const char *key);

/* The value of KEY=value, borrowed, or NULL. */
const char *strv_value(const struct strv *v, const char *key);

/* Sets KEY=value (assignment is the whole text), replacing an earlier one in place. */
void strv_set(struct strv *v, const char *assignment);

/* Adds the parts of text between separators, empty parts too; nothing for "". */
void strv_split(struct strv *v, const char *text, char separator);

/* "a, b, c"; the caller frees. */
char *strv_join(const struct strv *v, const char *between);
