/* config_file.h - the files of --env-file and --label-file, as Docker reads them: one assignment
 * a line, '#' begins a comment line, no quoting of any kind. Bytes from outside: bounded. */
#pragma once
#include <stddef.h>

struct err;
struct shape_map;
struct strv;

enum { CONFIG_FILE_BYTES_MAX = 1 << 20 };

/* KEY=value is added as it stands; KEY alone is looked up in environment ("KEY=value" strings,
 * may be NULL) and left out if it has none. Values keep their blanks. ERR_INVALID with the line's
 * number. */
int config_env_text(struct strv *to, const char *text, size_t length, char *const *environment,
		    struct err *e);

/* The same for labels; KEY alone is KEY=. */
int config_label_text(struct shape_map *to, const char *text, size_t length, struct err *e);

/* Read such a file (- is not special); the error names it. */
int config_env_file(struct strv *to, const char *path, char *const *environment, struct err *e);
int config_label_file(struct shape_map *to, const char *path, struct err *e);

/* The value of key in such a list, or NULL. */
const char *config_environment_value(char *const *environment, const char *key);
