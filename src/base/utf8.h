/* utf8.h - UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str;

/* Length of the sequence at text, of which left bytes (at least one) are there; 0: it is none. */
size_t utf8_length(const char *text, size_t left);

bool utf8_valid(const char *text, size_t length);

/* Appends a code point, which the caller has checked. */
void utf8_add(struct str *to, uint32_t code);
