#include "cli/filter.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"

static struct cli_filter_key *key_of(struct cli_filter *filter, const char *name)
{
	for (size_t i = 0; i < filter->count; i++)
		if (strcmp(filter->items[i].name, name) == 0)
			return &filter->items[i];
	filter->items = mem_resize(filter->items, filter->count + 1, sizeof(*filter->items));
	struct cli_filter_key *key = &filter->items[filter->count++];
	*key = (struct cli_filter_key){ .name = mem_text(name) };
	return key;
}

static bool is_known(const char *name, const char *const *keys)
{
	for (; *keys; keys++)
		if (strcmp(name, *keys) == 0)
			return true;
	return false;
}

static int unknown(const char *name, const char *const *keys, struct err *e)
{
	own_clear(strv_clear) struct strv all = { 0 };

	for (; *keys; keys++)
		strv_add(&all, *keys);
	own_free char *list = strv_join(&all, ", ");
	return err_set(e, ERR_INVALID, "--filter: '%s' is not one of %s", name, list);
}

int cli_filter_parse(struct cli_filter *ret, const struct strv *given, const char *const *keys,
		     struct err *e)
{
	for (size_t i = 0; i < given->count; i++) {
		own_free char *name = mem_text(given->items[i]);
		char *equals = strchr(name, '=');
		if (!equals)
			return err_set(e, ERR_INVALID, "--filter: '%s' is not written KEY=VALUE",
				       name);
		*equals = '\0';
		if (!is_known(name, keys))
			return unknown(name, keys, e);
		strv_add(&key_of(ret, name)->values, equals + 1);
	}
	return 0;
}

void cli_filter_clear(struct cli_filter *filter)
{
	for (size_t i = 0; i < filter->count; i++) {
		free(filter->items[i].name);
		strv_clear(&filter->items[i].values);
	}
	free(filter->items);
	*filter = (struct cli_filter){ 0 };
}

const struct strv *cli_filter_values(const struct cli_filter *filter, const char *key)
{
	for (size_t i = 0; i < filter->count; i++)
		if (strcmp(filter->items[i].name, key) == 0)
			return &filter->items[i].values;
	return NULL;
}

bool cli_filter_flag(const struct cli_filter *filter, const char *key, bool is)
{
	const struct strv *values = cli_filter_values(filter, key);

	if (!values)
		return true;
	for (size_t i = 0; i < values->count; i++) {
		const char *value = values->items[i];
		if ((strcmp(value, "true") == 0 || strcmp(value, "1") == 0) == is)
			return true;
	}
	return false;
}

bool cli_filter_label(const struct cli_filter *filter, const char *key, const struct strv *labels)
{
	const struct strv *values = cli_filter_values(filter, key);

	for (size_t i = 0; values && i < values->count; i++) {
		const char *wanted = values->items[i];
		bool found = strchr(wanted, '=') ? strv_contains(labels, wanted)
						 : strv_find_key(labels, wanted) >= 0;
		if (!found)
			return false;
	}
	return true;
}

bool cli_filter_glob(const char *pattern, const char *text)
{
	return fnmatch(pattern, text, FNM_PATHNAME) == 0;
}
