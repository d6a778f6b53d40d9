/* apt_sources.h - where this host gets its packages from, as sources.list(5) says it in both of its
 * formats; so that a root filesystem is made from the same mirror. Pure text. */
#pragma once
#include <stddef.h>

#include "base/shape.h"
#include "base/strv.h"

struct image_apt_source {
	char *uri;          /* "http://ftp.debian.org/debian" */
	struct strv suites; /* "bookworm", "bookworm-updates" */
	char *signed_by;    /* path of a keyring, or NULL */
};

struct image_apt_sources {
	SHAPE_LIST_OF(struct image_apt_source) items;
};
void image_apt_sources_clear(struct image_apt_sources *sources);

/* Adds the "deb" lines of a *.list, or the stanzas of a *.sources. What is not understood is left
 * out: apt would say more about it than we could. */
void image_apt_sources_add_list(struct image_apt_sources *to, const char *text);
void image_apt_sources_add_deb822(struct image_apt_sources *to, const char *text);

/* The lines of a sources.list for this suite of "debian" or "ubuntu", from the mirrors in
 * sources or else from the distribution's own: the suite, its updates if the host takes updates,
 * its security fixes. The caller frees. NULL: a distribution that is not known. */
char *image_apt_sources_for(const struct image_apt_sources *sources, const char *distribution,
			    const char *suite);
