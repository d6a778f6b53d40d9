/* alpine_release.c - one list of mappings of scalars, as mkimage of Alpine's aports writes it: an
 * entry begins at a line "-", its fields are indented. Blocks of text are indented further, and no
 * fields. */
#include "image/alpine_release.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

#define FLAVOR "alpine-minirootfs"

enum { INDENT = 2, SCALAR_MAX = 200 };

struct entry {
	char flavor[SCALAR_MAX], file[SCALAR_MAX], sha256[SCALAR_MAX];
};

static void take_field(struct entry *entry, const char *line, size_t length)
{
	const struct {
		const char *key;
		char *to;
	} fields[] = {
		{ "flavor: ", entry->flavor },
		{ "file: ", entry->file },
		{ "sha256: ", entry->sha256 },
	};

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		size_t key = strlen(fields[i].key);
		if (length > key && strncmp(line, fields[i].key, key) == 0)
			snprintf(fields[i].to, SCALAR_MAX, "%.*s", (int)(length - key), line + key);
	}
}

static int check(struct alpine_release *ret, const char *file, const char *hex, struct err *e)
{
	if (!path_is_name(file) || strlen(file) >= ALPINE_FILE_SIZE || strpbrk(file, "?#%\\ ") ||
	    !str_starts(file, FLAVOR "-") || !str_ends(file, ".tar.gz"))
		return err_set(e, ERR_CORRUPT,
			       "\"%.80s\" is not the name of a mini root filesystem", file);
	if (!oci_digest_is_hex(hex))
		return err_set(e, ERR_CORRUPT, "no sha256 of %s", file);
	snprintf(ret->file, sizeof(ret->file), "%s", file);
	snprintf(ret->digest, sizeof(ret->digest), "sha256:%s", hex);
	return 0;
}

static bool begins_entry(const char *line, size_t length)
{
	return length && *line == '-';
}

int image_alpine_release_find(struct alpine_release *ret, const char *yaml, size_t length,
			      struct err *e)
{
	struct entry entry = { 0 };
	const char *end = yaml + length;

	while (yaml < end) {
		const char *stop = memchr(yaml, '\n', (size_t)(end - yaml));
		size_t n = (size_t)((stop ? stop : end) - yaml);
		bool next = begins_entry(yaml, n);
		if (next && str_equal(entry.flavor, FLAVOR))
			break;
		if (next)
			entry = (struct entry){ 0 };
		else if (n > INDENT && yaml[INDENT] != ' ')
			take_field(&entry, yaml + INDENT, n - INDENT);
		yaml += n + (stop != NULL);
	}
	if (!str_equal(entry.flavor, FLAVOR))
		return err_set(e, ERR_NOT_FOUND, "it names no mini root filesystem");
	return check(ret, entry.file, entry.sha256, e);
}

int image_alpine_release_checksum(struct alpine_release *ret, const char *file, const char *text,
				  size_t length, struct err *e)
{
	char hex[SCALAR_MAX], name[SCALAR_MAX];
	char line[2 * SCALAR_MAX];

	snprintf(line, sizeof(line), "%.*s",
		 (int)(length < sizeof(line) ? length : sizeof(line) - 1), text);
	if (sscanf(line, "%199s %199s", hex, name) != 2 || !str_equal(name, file))
		return err_set(e, ERR_CORRUPT, "it is no checksum of %.100s", file);
	return check(ret, file, hex, e);
}
