/* alpine_release.h - latest-releases.yaml of a mirror of Alpine: which file the mini root
 * filesystem of a branch is now. Pure text. */
#pragma once
#include <stddef.h>

#include "oci/digest.h"

struct err;

enum { ALPINE_RELEASES_BYTES_MAX = 1 << 20, ALPINE_FILE_SIZE = 128 };

struct alpine_release {
	char file[ALPINE_FILE_SIZE];   /* "alpine-minirootfs-3.20.3-x86_64.tar.gz": a plain name */
	char digest[DIGEST_TEXT_SIZE]; /* "sha256:HEX" */
};

/* The entry with "flavor: alpine-minirootfs". ERR_NOT_FOUND, ERR_CORRUPT. */
int image_alpine_release_find(struct alpine_release *ret, const char *yaml, size_t length,
			      struct err *e);

/* What FILE.sha256 says ("HEX  FILE", sha256sum(1)) of a file of this name. */
int image_alpine_release_checksum(struct alpine_release *ret, const char *file, const char *text,
				  size_t length, struct err *e);
