/* input.h - files that a caller names on the command line: links are followed, "-" is the standard
 * input. */
#pragma once

struct err;
struct str;

/* At most JSON_BYTES_MAX bytes. The caller clears. */
int runtime_cli_input_read(struct str *to, const char *path, struct err *e);

/* The same of a file that nobody named: only a regular one, so that no FIFO holds us up for ever
 * (signals are the container's by then). */
int runtime_cli_input_read_regular(struct str *to, const char *path, struct err *e);
