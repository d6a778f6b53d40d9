/* commit.h - what a container wrote, packed as a layer on top of those of its image. */
#pragma once

struct err;
struct image_invocation;

/* Verb "commit": the container's id, the digest of its image's manifest ("": it has none), and
 * maybe a full name. --folder-fd is what it wrote, --request-fd the new image's config without
 * the layer. The image is named once all of it is stored, and its container is still there; on
 * failure nothing stays. */
int image_commit_verb(const struct image_invocation *invocation, struct err *e);
