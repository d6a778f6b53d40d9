/* moment.h - points in time as Docker and OCI write them (RFC 3339, nanoseconds, UTC). */
#pragma once
#include <stdint.h>

struct err;

enum { MOMENT_TEXT_SIZE = 40 };

/* Nanoseconds since 1970 (CLOCK_REALTIME). */
int64_t moment_now_ns(void);

/* CLOCK_MONOTONIC, for measuring and for time limits. */
int64_t moment_monotonic_ns(void);

/* "2026-11-22T12:00:00.123456789Z", trailing zeros of the fraction cut as Go does. */
void moment_format(char to[MOMENT_TEXT_SIZE], int64_t ns);

/* "2026-11-22 13:00:00 +0100 CET", as Go prints a time: of this machine's time zone. */
void moment_format_local(char to[MOMENT_TEXT_SIZE], int64_t ns);

/* RFC 3339 with any offset (none: UTC), or seconds since 1970 with a fraction. ERR_INVALID, also
 * for years that 64 bits of nanoseconds do not hold: before 1678, after 2262. */
int moment_parse(int64_t *ret, const char *text, struct err *e);

/* "3 minutes", "About an hour": how docker ps words a span. to has 32 bytes. */
void moment_format_span(char to[32], int64_t span_ns);
