#include "cli/detach.h"

#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"

/* The control character of a key, or -1. */
static int parse_key(const char *text)
{
	if (text[0] && !text[1])
		return (unsigned char)text[0];
	if (!str_starts(text, "ctrl-") || !text[5] || text[6])
		return -1;
	unsigned char key = (unsigned char)text[5];
	if (isalpha(key))
		return tolower(key) - 'a' + 1;
	return strchr("@[\\]^_", key) ? key - '@' : -1;
}

int cli_detach_parse(struct cli_detach *ret, const char *text, struct err *e)
{
	own_clear(strv_clear) struct strv keys = { 0 };
	struct cli_detach detach = { 0 };

	strv_split(&keys, text, ',');
	if (keys.count > CLI_DETACH_KEYS_MAX)
		return err_set(e, ERR_INVALID, "%zu detach keys are more than %d", keys.count,
			       CLI_DETACH_KEYS_MAX);
	for (size_t i = 0; i < keys.count; i++) {
		int key = parse_key(keys.items[i]);
		if (key < 0)
			return err_set(e, ERR_INVALID,
				       "'%s' is not a detach key: they are written like "
				       "ctrl-p,ctrl-q or a,b",
				       keys.items[i]);
		detach.keys[detach.count++] = (unsigned char)key;
	}
	*ret = detach;
	return 0;
}

/* One more key: as long as what is held is no beginning of the keys, its oldest byte goes out. */
static bool take(struct cli_detach *d, unsigned char key, unsigned char *out, size_t *length)
{
	unsigned char held[CLI_DETACH_KEYS_MAX + 1];
	size_t count = d->held, start = 0;

	memcpy(held, d->keys, count);
	held[count++] = key;
	while (start < count && memcmp(held + start, d->keys, count - start) != 0)
		out[(*length)++] = held[start++];
	d->held = count - start;
	return d->held == d->count;
}

bool cli_detach_filter(struct cli_detach *detach, const unsigned char *typed, size_t length,
		       unsigned char *out, size_t *ret_length)
{
	*ret_length = 0;
	if (!detach->count) {
		memcpy(out, typed, length);
		*ret_length = length;
		return false;
	}
	for (size_t i = 0; i < length; i++)
		if (take(detach, typed[i], out, ret_length))
			return true;
	return false;
}
