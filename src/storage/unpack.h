/* unpack.h - a tar stream into a layer's folder. libarchive reads the tar; all writing is here,
 * beneath the folder's descriptor (rule R1). Kept: owners, modes with setuid, times to the
 * nanosecond, hard links, symbolic links, devices, fifos, sparse files, any bytes in names,
 * xattrs user.* (not user.overlay.*) and security.capability. OCI whiteouts become overlayfs's
 * (image-spec v1.1 layer.md). Sockets are left out. In holm-image only (storage_archive). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct oci_id_map;

/* A stream of bytes. next() sets *block, which is borrowed until the next call, and returns how
 * many bytes are there; 0 at the end; or a negative errno with e filled. */
struct byte_source {
	ssize_t (*next)(void *context, const void **block, struct err *e);
	void *context;
};

struct unpack_limits {
	uint64_t bytes_max;   /* of file data written; 0: UNPACK_BYTES_MAX or what the disk has */
	uint64_t entries_max; /* 0: UNPACK_ENTRIES_MAX */
	bool plain_names; /* ".wh.x" is a file like any other: no layer, but what somebody has */
};

#define UNPACK_BYTES_MAX (UINT64_C(64) << 30)
enum {
	UNPACK_ENTRIES_MAX = 4 << 20,
	UNPACK_DEPTH_MAX = 512, /* folders in one name */
	UNPACK_PATH_MAX = 4095, /* PATH_MAX: nothing could open a longer name */
	UNPACK_XATTRS_MAX = 128,
	UNPACK_RESERVE = 64 << 20, /* bytes of the disk that unpacking leaves free */
};
#define UNPACK_APPARENT_MAX (INT64_C(1) << 40) /* size of one (sparse) file */

struct unpack_result {
	uint64_t size; /* bytes of files' data */
	uint64_t entries;
	uint64_t skipped; /* sockets, and devices where they may not be made */
	uint64_t unowned; /* of other owners than they should: there is one id alone */
};

/* Reads source to its end and fills the empty folder fs_fd. Sets the umask to 022. A name that
 * leaves the layer or is not one, a hostile whiteout, a broken tar: ERR_CORRUPT naming the entry;
 * beyond a limit ERR_CORRUPT with a hint; a full disk ERR_NO_SPACE. What was written so far stays;
 * the caller throws the folder away. */
int storage_unpack(int fs_fd, const struct byte_source *source, const struct unpack_limits *limits,
		   struct unpack_result *result, struct err *e);

/* The same into a tree that is there, and that others may change meanwhile: below the folder of it
 * that path names. There are no whiteouts. Folders that are there are filled, never replaced by
 * something else, nor something else by a folder (ERR_STATE); the rest is replaced. Owners are
 * those of a container with these ids. */
int storage_unpack_into(int root_fd, const char *path, const struct oci_id_map *ids,
			const struct byte_source *source, struct unpack_result *result,
			struct err *e);
