/* layer.h - layers by diff id: anything that can be a lowerdir. Today a folder, layers/HEX/fs,
 * with layer.json beside it; it is complete once it has that name. Everyone but this module sees
 * a path and a descriptor only, so that a second kind (an EROFS image) can come.
 * A diff id is taken as "sha256:HEX" or as the HEX alone. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"

struct err;
struct store;

/* What layer.json says. */
struct layer_facts {
	char *diff_id;     /* "sha256:HEX" */
	uint64_t size;     /* bytes of its files */
	uint64_t tar_size; /* bytes of the tar stream that has this diff id */
	uint64_t entries;
	uint64_t skipped; /* struct unpack_result: what is not as in the tar */
	uint64_t unowned;
	char *created; /* RFC 3339: when it was unpacked */
};
void layer_facts_clear(struct layer_facts *facts);

bool storage_layer_exists(const struct store *store, const char *diff_id);

/* An O_PATH descriptor of what is to be a lowerdir; ERR_NOT_FOUND. */
int storage_layer_open(const struct store *store, const char *diff_id, struct err *e);

/* Its absolute path; the caller frees. Pure: the layer need not exist. */
char *storage_layer_path(const struct store *store, const char *diff_id);

int storage_layer_facts(const struct store *store, const char *diff_id, struct layer_facts *to,
			struct err *e);

struct layer_writer {
	const struct store *store;
	char *name; /* ".new-..." in layers/ */
	int lock;   /* of that folder, held until the end */
	int fs_fd;  /* the empty fs/ to fill, a readable folder */
};

/* Makes a folder to fill. Returns 0; 1 if a layer of this diff id is there already (*to
 * untouched); or fails: with wait false, ERR_STATE while another process unpacks the same.
 * diff_id NULL: it is not known before the end (import, commit). */
int storage_layer_begin(struct layer_writer *to, const struct store *store, const char *diff_id,
			bool wait, struct err *e);

/* Writes layer.json, syncfs, gives it its name, fsync of layers/. That somebody was faster is
 * no error. After it (also when it failed) only storage_layer_end() may follow. */
int storage_layer_commit(struct layer_writer *writer, const struct layer_facts *facts,
			 struct err *e);

/* The same where a damaged layer has the name: it is exchanged for the new one in one step, and
 * goes with storage_layer_end(). */
int storage_layer_replace(struct layer_writer *writer, const struct layer_facts *facts,
			  struct err *e);

/* Removes what was not committed; frees. For a zeroed struct it does nothing. */
void storage_layer_end(struct layer_writer *writer);
