/* base64.h - RFC 4648 §4, for user:password. */
#pragma once
#include <stddef.h>

struct str;

void image_base64_add(struct str *to, const void *bytes, size_t length);

/* Appends what text means; -EINVAL (and *to as it was) for what is not base64 to its end. Missing
 * padding is taken, as the files in the wild have it. */
int image_base64_decode(struct str *to, const char *text);
