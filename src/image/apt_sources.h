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

struct image_apt_wish {
	const char *distribution; /* "debian" or "ubuntu" */
	const char *suite;
	const char *architecture; /* Debian's name of it */
	const char *mirror;       /* this one alone; NULL: the host's */
	const char *keyring;      /* that of the distribution's package, if NULL */
};

struct image_apt_choice {
	char *lines;   /* of a sources.list */
	char *uri;     /* where the suite itself is */
	char *keyring; /* a path */
	const char *keyring_package, *components;
};
void image_apt_choice_clear(struct image_apt_choice *choice);

/* The suite, its updates if the host takes updates, its security fixes: from the mirrors in
 * sources, or else from the distribution's own; or the suite from wish->mirror and no other. */
void image_apt_sources_choose(struct image_apt_choice *choice,
			      const struct image_apt_sources *sources,
			      const struct image_apt_wish *wish);
