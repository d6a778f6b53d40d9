/* stream.h - a container's files as a tar on standard input or output: by holm-image, which parses
 * and writes archives for us, in its jail, and gets the tree as a descriptor. */
#pragma once
#include <stdbool.h>

#include "oci/id_map.h"

struct engine;
struct err;
struct strv;

struct engine_stream {
	int folder_fd;     /* O_PATH will do */
	const char *entry; /* what is packed of it, "." for all; or the folder in it to unpack to */
	const char *name;  /* what entry is called in the archive */
	bool without_root; /* of "." what is in it alone, by their own names */
	struct oci_id_map ids; /* of the container */
	int archive_fd;        /* in the place of standard input or output; 0: those */
};

/* The options of holm-image that tell it ids. */
void engine_stream_add_ids(struct strv *to, const struct oci_id_map *ids);

/* To standard output. */
int engine_stream_pack(struct engine *engine, const struct engine_stream *stream, struct err *e);

/* From standard input: tar, also in gzip, zstd, xz or bzip2. Folders that are there are filled,
 * never replaced by something else, nor something else by a folder. */
int engine_stream_unpack(struct engine *engine, const struct engine_stream *stream, struct err *e);
