/* program.h - a small program of the host's, run to its end for what it says: newuidmap(1),
 * getsubids(1). */
#pragma once
#include <stddef.h>

struct err;
struct str;
struct strv;

/* The path of the program in $PATH, or where Debian, Fedora and others have it; NULL: it is not
 * there. The caller frees. */
char *runtime_program_find(const char *name);

/* Runs it with argv; of its streams number (1 or 2) is appended to *said, up to bytes_max, the
 * others are /dev/null. The wait status, or a negative errno. */
int runtime_program_run(const char *path, const struct strv *argv, int number, size_t bytes_max,
			struct str *said, struct err *e);
