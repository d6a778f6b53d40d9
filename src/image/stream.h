/* stream.h - the tree of a container as a tar on standard output, or filled by one on standard
 * input: for `cp` and `export`, which hand it over as --folder-fd. */
#pragma once

struct err;
struct image_invocation;

/* Verb "pack": a name in the folder ("." for all of it), and what it is called in the archive. */
int image_stream_pack_verb(const struct image_invocation *invocation, struct err *e);

/* Verb "unpack": a path below the folder, which is there. */
int image_stream_unpack_verb(const struct image_invocation *invocation, struct err *e);

/* Verb "unpack-check": would unpack take standard input for a tar? ERR_INVALID: no. */
int image_stream_unpack_check_verb(const struct image_invocation *invocation, struct err *e);

/* Verbs "pack-layer" and "unpack-layer": a layer that a container wrote, its whiteouts as OCI's,
 * the owners as the container's ids. The folder that is filled is empty. */
int image_stream_pack_layer_verb(const struct image_invocation *invocation, struct err *e);
int image_stream_unpack_layer_verb(const struct image_invocation *invocation, struct err *e);
