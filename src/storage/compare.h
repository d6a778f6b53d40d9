/* compare.h - are two trees the same? Of a layer and of what its blob unpacks to. In holm-image
 * only (storage_archive). */
#pragma once
#include <stdbool.h>

struct err;
struct str;

/* Compares what lies below both folders, which stay the caller's: names, types, owners, modes,
 * devices, links, attributes, bytes, and the times of all but folders (a layer does not say those
 * of the folders it merely walks through). Follows no link and crosses no mount. Returns 0; or 1,
 * with the first difference in *where: "usr/bin/x: other bytes"; or fails. */
int storage_compare(int expected_fd, int found_fd, struct str *where, struct err *e);
