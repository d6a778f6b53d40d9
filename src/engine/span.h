/* span.h - spans of time that people give for things that live long: "90m", "12h", "7d", "2w". */
#pragma once
#include <stdint.h>

struct err;

/* Nanoseconds, more than 0 and at most a hundred years; several parts add up: "1d12h".
 * ERR_INVALID. */
int engine_span_parse(int64_t *ret, const char *text, struct err *e);
