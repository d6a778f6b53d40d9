/* blob_path.h - where a blob lies below the root; for the files of blob.h. */
#pragma once

struct err;

#define BLOB_FOLDER "images/blobs/sha256"

struct blob_path {
	char text[96];
};

int storage_blob_path(struct blob_path *to, const char *digest, struct err *e);
