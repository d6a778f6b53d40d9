/* number.h - numbers as people and files spell them, read strictly: the whole text, decimal, in
 * range; nothing is ever rounded, wrapped or cut. All fail with ERR_INVALID, leaving *ret alone,
 * and the message gives the text and the accepted form. */
#pragma once
#include <stdint.h>

struct err;

int number_parse_u64(uint64_t *ret, const char *text, uint64_t max, struct err *e);
int number_parse_i64(int64_t *ret, const char *text, int64_t min, int64_t max, struct err *e);

/* A user or group id: 0 to 4294967294 (4294967295 is -1 to the kernel, "leave alone"). */
int number_parse_id(uint32_t *ret, const char *text, struct err *e);

/* Bytes as Docker takes them: "512m", "1.5g", "100", "1kb"; powers of 1024; b k m g t p. */
int number_parse_bytes(int64_t *ret, const char *text, struct err *e);

/* Go's durations: "1h30m", "1.5s", "300ms", "10us"; and a bare number of seconds.
 * Nanoseconds; never negative. */
int number_parse_duration_ns(int64_t *ret, const char *text, struct err *e);

/* CPUs as Docker takes them, "1.5": nanocpus (1e9 each), at most 9 decimals. */
int number_parse_nanocpus(int64_t *ret, const char *text, struct err *e);

/* The value of a hexadecimal digit, in either case; -1: it is none. */
int number_hex_digit(int c);

/* "1.5kB", "23.4MB": powers of 1000 and 3-4 digits, as docker prints sizes; to has 16 bytes. */
void number_format_bytes(char to[16], uint64_t bytes);

/* "1.5KiB", "23.45MiB": powers of 1024 and 4 digits, as docker prints memory; to has 16 bytes. */
void number_format_binary(char to[16], uint64_t bytes);
