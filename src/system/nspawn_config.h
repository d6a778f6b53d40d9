/* nspawn_config.h - the assignments of a .nspawn file, systemd.nspawn(5), in the form of
 * systemd.syntax(7): "[Section]", "Key=value", a backslash at the end of a line that goes on, '#'
 * and ';' before comments. Pure text; which keys there are is not its affair. */
#pragma once
#include <stddef.h>

#include "base/shape.h"

struct err;

enum { NSPAWN_CONFIG_BYTES_MAX = 1 << 20, NSPAWN_CONFIG_LINES_MAX = 20000 };

struct nspawn_line {
	char *key; /* "Exec.Boot" */
	char *value;
	int number;
};

struct nspawn_config {
	SHAPE_LIST_OF(struct nspawn_line) lines;
};

/* ERR_INVALID names the line. The caller clears, also on failure. */
int system_nspawn_config_parse(struct nspawn_config *to, const char *text, size_t length,
			       struct err *e);
void system_nspawn_config_clear(struct nspawn_config *config);
