/* template.h - root filesystems of distributions, made by mmdebstrap from the packages of the
 * host's own mirror, as images: "template:debian/bookworm". */
#pragma once

struct err;
struct image_report;
struct store;

/* Makes the image name ("debian/bookworm") and reports it. Takes a minute and the network; of
 * several at the same time one works, and the others take what it made. Forks before it enters the
 * jail. ERR_UNSUPPORTED without mmdebstrap. */
int image_template(const struct store *store, struct image_report *report, const char *name,
		   struct err *e);
