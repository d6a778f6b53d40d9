/* since.h - points in time as people give them to --since and --until. */
#pragma once
#include <stdint.h>

struct err;

/* "2026-01-31T12:00:00Z", a day ("2026-01-31"), seconds since 1970, or a span that ended just now
 * ("10m"). A text of NULL leaves *ret alone. ERR_INVALID names the option. */
int cli_since_parse(int64_t *ret, const char *option, const char *text, struct err *e);
