/* tar_split.h - a layer's tar again, byte for byte, from its unpacked files and from what docker
 * and podman keep beside them: lines of JSON, packed by gzip, that hold the headers and the padding
 * and name the files (github.com/vbatts/tar-split, tar/storage/entry.go). All of it is hostile:
 * files are opened below their folder alone, and who reads the tar checks its digest. */
#pragma once
#include "base/own.h"
#include "storage/unpack.h"

struct err;
struct image_tar_split;

enum { IMAGE_TAR_SPLIT_LINE_MAX = 4 << 20 };

/* lines: unpacked; files_fd: the folder with the layer's files. Both stay the caller's, and valid
 * until the end. */
struct image_tar_split *image_tar_split_new(const struct byte_source *lines, int files_fd);
void image_tar_split_free(struct image_tar_split *split);
OWN_DEFINE(image_tar_split_free, struct image_tar_split *)

/* The tar. ERR_CORRUPT for what is no such line, or a file that is not there as it was. */
struct byte_source image_tar_split_source(struct image_tar_split *split);
