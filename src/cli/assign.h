/* assign.h - options written as assignments: "memory=512m" for --memory 512m, on the command line
 * (holm set) or as the lines of a file (profiles). Keys are the long names of a table's options. */
#pragma once
#include <stddef.h>

struct err;
struct option;

enum { CLI_ASSIGN_BYTES_MAX = 1 << 20 };

/* One assignment; a flag may stand alone. ERR_INVALID: no such key, with the nearest one as the
 * hint, or no value that it takes. */
int cli_assign(const struct option *table, const char *text, void *options, struct err *e);

/* The lines of a file, one assignment each; blanks around key and value do not count, '#' begins a
 * comment line. The error names file and line. */
int cli_assign_file(const struct option *table, const char *path, void *options, struct err *e);

/* Gives to what it has not been given, from the struct of the same table, and the lists of from go
 * in front of its own. from is empty then. */
void cli_assign_merge(const struct option *table, void *to, void *from);
