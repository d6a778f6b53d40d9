/* lxc_config.h - the lines of a configuration of LXC, lxc.container.conf(5): "key = value", with
 * what it includes in its place, and with the names that keys have had before LXC 2.1 as today's.
 * Which keys there are is not its affair. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/shape.h"

struct err;

enum {
	LXC_CONFIG_BYTES_MAX = 1 << 20, /* of one file */
	LXC_CONFIG_FILES_MAX = 256,     /* of all includes */
	LXC_CONFIG_DEPTH_MAX = 8,
	LXC_CONFIG_LINES_MAX = 20000,
};

struct lxc_line {
	char *key;   /* "lxc.net.0.type" */
	char *value; /* without quotes; may be empty */
	char *file;
	int number;
	bool stock; /* of a file that LXC itself brings: its defaults */
};

struct lxc_config {
	SHAPE_LIST_OF(struct lxc_line) lines;
	size_t files;
	int networks; /* of "lxc.network.type" alone, which begins another one each time */
};

/* Reads a file and what it includes, each of which must be the caller's or root's alone
 * (ERR_PERMISSION). ERR_INVALID names file and line. The caller clears, also on
 * failure. */
int system_lxc_config_read(struct lxc_config *to, const char *path, struct err *e);

/* The same of a text; file is what it is called. */
int system_lxc_config_add(struct lxc_config *to, const char *file, const char *text, size_t length,
			  int depth, struct err *e);
void system_lxc_config_clear(struct lxc_config *config);

/* The last value of a key, or NULL. */
const char *system_lxc_config_get(const struct lxc_config *config, const char *key);
