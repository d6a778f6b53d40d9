/* source.h - where an image that was named comes from: a registry, or one of the other places
 * that "holm run" takes an image from. Pure text; the loading itself is holm-image's. */
#pragma once
#include <stdbool.h>

struct err;

enum image_transport {
	IMAGE_FROM_REGISTRY,       /* "nginx", "docker://ghcr.io/a/b:1" */
	IMAGE_FROM_OCI,            /* "oci:DIR[:NAME]": an OCI image layout */
	IMAGE_FROM_OCI_ARCHIVE,    /* "oci-archive:FILE[:NAME]": the same in a tar file */
	IMAGE_FROM_DOCKER_ARCHIVE, /* "docker-archive:FILE[:REFERENCE]": what docker save writes */
	IMAGE_FROM_DIR,            /* "dir:ROOTFS": a folder that becomes one layer */
	IMAGE_FROM_TAR,            /* "tar:FILE": a root filesystem in a tar, as for holm import */
	IMAGE_FROM_DISK,           /* "disk:FILE": a disk image, which is mounted and not copied */
	IMAGE_FROM_TEMPLATE,       /* "template:debian/bookworm", "template:busybox" */
};

/* What ends the name of a template that boots: "template:debian/bookworm/system". */
#define IMAGE_TEMPLATE_SYSTEM "/system"

struct image_source {
	enum image_transport transport;
	char *path; /* the folder or file; "debian/bookworm" of a template; NULL of a registry */
	char *name; /* what stands behind the path's colon, or NULL. Of a registry the reference as
		     * typed */
};

/* Splits text. The caller ends *source with image_source_clear(). ERR_INVALID for an empty path,
 * for a template that is no distribution/release, and for a bad reference of a registry. */
int image_source_parse(struct image_source *source, const char *text, struct err *e);
void image_source_clear(struct image_source *source);

/* The name under which index.json keeps what came from there: the full reference, or
 * "template:debian/bookworm"; NULL for what is known by its digest alone (folders and archives
 * keep names of their own). The caller frees. */
char *image_source_stored_name(const struct image_source *source);

/* What text means. For a system a template is the one that has an init, and the name of a file here
 * that ends as disk images (.img, .raw, .ext4, .squashfs, .erofs) or archives do is that file. The
 * caller frees. */
char *image_source_for(const char *text, bool system);
