/* mount_option.h - the words in a mount's options: mount(8)'s filesystem-independent ones and
 * those of runtime-spec v1.3 config.md#linux-mount-options, as the flags of mount_setattr(2); the
 * rest is the filesystem's own. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"

struct runtime_mount_options {
	uint64_t set; /* MOUNT_ATTR_* of this mount */
	uint64_t clear;
	uint64_t set_all; /* of this mount and all below it: "rro", "rnosuid"... */
	uint64_t clear_all;
	uint64_t propagation; /* MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE; 0: not said */
	bool propagation_all; /* "rshared"... */
	bool bind;
	bool recursive; /* rbind */
	bool idmap;     /* by the container's user namespace, or the mount's own mappings */
	bool idmap_all;
	char *idmap_text; /* "uids=...;gids=...", of "idmap=": runtime_idmap_parse() */
	bool copy_up;     /* "copyup": fill an empty source from the image */
	bool tmp_copy_up;
	bool give;          /* "chown": to the process's user, see runtime/give.h */
	bool remount;       /* change what is mounted there already */
	bool src_nofollow;  /* "src-nofollow", crun's: a source that is a link is bound as such */
	bool dest_nofollow; /* "dest-nofollow", crun's: a link there is covered, not followed */
	bool copy_symlink;  /* "copy-symlink", crun's: a source that is a link is made again */
	char *subpath;      /* "subpath=a/b": of a bind's source, resolved below it */
	char *of;           /* "of=PID:START": the source is a path of that process */
	struct strv lower;  /* "lower=/folder", the topmost first: a bind of an overlay of them */
	struct strv data;   /* "data=/folder", likewise: overlay.h */
	struct strv super;  /* "sync", "lazytime"...: of any filesystem, nothing to a bind */
	struct strv own;    /* "size=64m", "newinstance": for fsconfig(2), in order */
};

/* The caller clears *ret. */
void runtime_mount_options_parse(struct runtime_mount_options *ret, const struct strv *words);
void runtime_mount_options_clear(struct runtime_mount_options *options);

/* All words that are not the filesystem's own, for `features`. */
void runtime_mount_options_names(struct strv *to);
