/* base.h - the images that a build for several platforms stands on. A name of the store means one
 * image, of one platform: so all that the stages need are looked up before the first begins, one
 * after the other, those of this machine last, and from then on they go by digest. A build for one
 * platform looks an image up when a stage comes to it. */
#pragma once

struct build;
struct err;

struct build_base {
	char *name;
	char *platform; /* NULL: this machine's */
	char *digest;
};

void build_base_clear(struct build_base *base);

/* Brings what is missing. */
int build_bases_bring(struct build *build, struct err *e);

/* The digest of the manifest, borrowed; NULL: it has not been looked up. */
const char *build_base_find(const struct build *build, const char *name, const char *platform);
