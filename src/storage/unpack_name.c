#include "storage/unpack_name.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/whiteout.h"
#include "storage/unpack.h"

enum { PART_MAX = 255 };

#define WHITEOUT_META OCI_WHITEOUT_PREFIX OCI_WHITEOUT_PREFIX

void unpack_name_clear(struct unpack_name *name)
{
	free(name->text);
	*name = (struct unpack_name){ 0 };
}

static bool is_part(const char *part, size_t length, const char *text)
{
	return strlen(text) == length && memcmp(part, text, length) == 0;
}

static void drop_last(char *path, size_t *length)
{
	while (*length && path[*length - 1] != '/')
		(*length)--;
	if (*length)
		(*length)--; /* the slash */
}

/* Cleans name into out, which has room for it. Returns the length, or fails. */
static int clean(char *out, const char *name, struct err *e)
{
	size_t length = 0;
	int depth = 0;

	for (const char *at = name; *at;) {
		size_t part = strcspn(at, "/");
		if (part > PART_MAX)
			return err_set(e, ERR_CORRUPT, "a name of more than %d bytes", PART_MAX);
		if (is_part(at, part, "..")) {
			if (depth-- == 0)
				return err_set(e, ERR_CORRUPT, "the name leaves the layer");
			drop_last(out, &length);
		} else if (part && !is_part(at, part, ".")) {
			if (++depth > UNPACK_DEPTH_MAX)
				return err_set(e, ERR_CORRUPT, "more than %d folders deep",
					       UNPACK_DEPTH_MAX);
			if (length)
				out[length++] = '/';
			memcpy(out + length, at, part);
			length += part;
		}
		at += part + (at[part] == '/');
	}
	out[length] = '\0';
	return (int)length;
}

/* A whiteout name as a folder: only AUFS's own folders may be there. */
static int check_folders(struct unpack_name *to, const char *last, struct err *e)
{
	for (const char *at = to->text; at < last; at += strcspn(at, "/") + 1) {
		if (str_starts(at, WHITEOUT_META))
			to->kind = UNPACK_NAME_IGNORED;
		else if (str_starts(at, OCI_WHITEOUT_PREFIX))
			return err_set(e, ERR_CORRUPT, "a folder is called like a whiteout");
	}
	return 0;
}

static int classify(struct unpack_name *to, struct err *e)
{
	char *slash = strrchr(to->text, '/');
	char *last = slash ? slash + 1 : to->text;

	to->kind = UNPACK_NAME_PLAIN;
	int r = check_folders(to, last, e);
	if (r < 0 || to->kind == UNPACK_NAME_IGNORED || !str_starts(last, OCI_WHITEOUT_PREFIX))
		return r;
	if (strcmp(last, OCI_WHITEOUT_OPAQUE) == 0) {
		to->kind = UNPACK_NAME_OPAQUE;
		*(slash ? slash : to->text) = '\0';
		return 0;
	}
	if (str_starts(last, WHITEOUT_META)) {
		to->kind = UNPACK_NAME_IGNORED;
		return 0;
	}
	const char *hidden = last + strlen(OCI_WHITEOUT_PREFIX);
	if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return err_set(e, ERR_CORRUPT, "a whiteout of '%s'", hidden);
	to->kind = UNPACK_NAME_WHITEOUT;
	memmove(last, hidden, strlen(hidden) + 1);
	return 0;
}

static int parse(struct unpack_name *to, const char *name, bool plain, struct err *e)
{
	size_t length = strlen(name);

	if (length > UNPACK_PATH_MAX)
		return err_set(e, ERR_CORRUPT, "a path of %zu bytes is too long", length);
	struct unpack_name parsed = { UNPACK_NAME_PLAIN, mem_new(1, length + 1) };
	int r = clean(parsed.text, name, e);
	if (r >= 0 && !plain)
		r = classify(&parsed, e);
	if (r < 0) {
		unpack_name_clear(&parsed);
		return r;
	}
	*to = parsed;
	return 0;
}

int unpack_name_parse(struct unpack_name *to, const char *name, struct err *e)
{
	return parse(to, name, false, e);
}

int unpack_name_parse_plain(struct unpack_name *to, const char *name, struct err *e)
{
	return parse(to, name, true, e);
}
