/* whiteout.h - how the folder of a layer on disk says what it hides of the layers below: as
 * overlayfs does, by a device 0:0 and an attribute (overlayfs.rst, "whiteouts and opaque
 * directories"); or, where fuse-overlayfs wrote, by names, as a layer in an archive (image-spec
 * layer.md#whiteouts). The root of a folder with such names is marked, since elsewhere they are
 * those of files. */
#pragma once
#include <stdbool.h>

struct err;
struct stat;

#define OCI_WHITEOUT_PREFIX ".wh."
#define OCI_WHITEOUT_OPAQUE ".wh..wh..opq"

bool oci_whiteout_is_device(const struct stat *st);

/* Does nothing show of the folders of this name below? */
bool oci_whiteout_is_opaque(int folder_fd, bool by_names);

/* root_fd may be O_PATH, which costs two calls more. */
bool oci_whiteout_is_by_names(int root_fd);
/* Fails where there are no attributes user.*. */
int oci_whiteout_mark_by_names(int root_fd, struct err *e);

/* "x" of ".wh.x", borrowed and never "." or ".."; NULL if it is no such name. */
const char *oci_whiteout_hidden(const char *name);
