/* run_mounts.h - what RUN --mount asks for, made for one step: folders and files of the host that
 * its container gets mounted. Secrets lie in the run folder (a tmpfs) for that time, and are in no
 * key. Cache mounts are $root/caches/HEX, HEX of their id, with a lock (flock) on the folder. */
#pragma once
#include <stddef.h>
#include <sys/types.h>

#include "base/shape.h"
#include "build/mount.h"
#include "build/run_folder.h"
#include "build/tree.h"
#include "storage/layer.h"

struct build_step;
struct create_options;
struct err;
struct storage_hash;

#define BUILD_CACHES "caches"

struct build_run_mount {
	struct build_mount mount;
	struct build_tree tree; /* of a bind: what it shows; empty: to be read (layer_sum.h) */
	unsigned char sum[STORAGE_HASH_SIZE]; /* of that */
};

struct build_run_mounts {
	SHAPE_LIST_OF(struct build_run_mount) items;
	SHAPE_LIST_OF(int) locks;           /* of caches */
	SHAPE_LIST_OF(pid_t) forwards;      /* forward.h */
	struct build_run_folder run_folder; /* of secrets and sockets */
	const struct build_step *step;
	struct layer_writer places;
	char *env_files; /* of secrets that are variables: JSON, or NULL */
};

/* Reads the flags, and what binds show. The caller clears, after a failure, too. */
int build_run_mounts_read(struct build_run_mounts *ret, const struct build_step *step,
			  struct err *e);
void build_run_mounts_sum(struct storage_hash *hash, const struct build_run_mounts *mounts);

/* Makes them, and adds them to the options. */
int build_run_mounts_make(struct build_run_mounts *mounts, struct create_options *to,
			  struct err *e);

/* Everything but the caches goes. */
void build_run_mounts_clear(struct build_run_mounts *mounts);
