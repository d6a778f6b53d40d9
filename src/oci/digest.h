/* digest.h - content addresses as image-spec v1.1 descriptor.md writes them. holm stores sha256
 * alone (the one algorithm every registry and tool must have), and takes no other spelling: no
 * upper case, no other length, nothing that could be a path. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct err;

enum {
	DIGEST_HEX_LENGTH = 64,
	DIGEST_TEXT_SIZE = 72, /* "sha256:", 64 hex digits, NUL */
};

/* Is text "sha256:" and 64 lower-case hex digits, and nothing else? NULL is not. */
bool oci_digest_is_valid(const char *text);

/* Is text 64 lower-case hex digits? */
bool oci_digest_is_hex(const char *text);

/* The same as an error: ERR_CORRUPT "<what>: 'sha256:../x' is not a digest". For algorithms that
 * exist and that holm lacks (sha512) ERR_UNSUPPORTED. text may be NULL. */
int oci_digest_check(const char *text, const char *what, struct err *e);

/* The part behind "sha256:" of a digest, or of text that is the 64 digits alone; borrowed. NULL
 * if it is neither. */
const char *oci_digest_hex(const char *text);
