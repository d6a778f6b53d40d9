/* stream.h - the tree of a container as a tar on standard output, or filled by one on standard
 * input: for `cp` and `export`, which hand it over as --folder-fd. */
#pragma once

struct err;
struct image_invocation;

/* Verb "pack": a name in the folder ("." for all of it), and what it is called in the archive. */
int image_stream_pack_verb(const struct image_invocation *invocation, struct err *e);

/* Verb "unpack": a path below the folder, which is there. */
int image_stream_unpack_verb(const struct image_invocation *invocation, struct err *e);
