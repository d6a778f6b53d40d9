/* copy.h - an image from one place to another, past the store: manifests and blobs as they are,
 * nothing unpacked, no name here. Blobs that the destination lacks pass through the store's blobs,
 * where a copy that broke off goes on; they go when it is done. */
#pragma once
struct err;
struct image_invocation;

/* Verb "copy": a source ("[docker://]NAME", "oci:DIR[:NAME]", "oci-archive:FILE[:NAME]", "dir:DIR")
 * and a destination of the same kinds. Of a list of manifests the image for the platform, with
 * --all the list and all its images. Reports what arrived. */
int image_copy_verb(const struct image_invocation *invocation, struct err *e);
