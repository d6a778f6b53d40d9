/* filter.h - the values of --filter KEY=VALUE, where the command itself applies them. */
#pragma once
#include <stdbool.h>

#include "base/strv.h"

struct err;

struct cli_filter_key {
	char *name;
	struct strv values;
};

struct cli_filter {
	struct cli_filter_key *items;
	size_t count;
};

/* keys: what this command knows, closed by NULL. ERR_INVALID names the others. */
int cli_filter_parse(struct cli_filter *ret, const struct strv *given, const char *const *keys,
		     struct err *e);
void cli_filter_clear(struct cli_filter *filter);

/* NULL: the key was not given. */
const struct strv *cli_filter_values(const struct cli_filter *filter, const char *key);

/* Do the values ("true", "1"...) ask for what is? True if none was given. */
bool cli_filter_flag(const struct cli_filter *filter, const char *key, bool is);

/* "KEY" or "KEY=VALUE", all of them, within labels. */
bool cli_filter_label(const struct cli_filter *filter, const char *key, const struct strv *labels);

/* "*" and "?" match anything but a slash; all of text must fit. */
bool cli_filter_glob(const char *pattern, const char *text);
