/* mount.h - RUN --mount=type=bind|cache|tmpfs|secret|ssh, as text. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;

enum build_mount_type {
	BUILD_MOUNT_BIND,
	BUILD_MOUNT_CACHE,
	BUILD_MOUNT_TMPFS,
	BUILD_MOUNT_SECRET,
	BUILD_MOUNT_SSH,
};

enum build_mount_sharing {
	BUILD_MOUNT_SHARED,
	BUILD_MOUNT_PRIVATE,
	BUILD_MOUNT_LOCKED,
};

struct build_mount {
	enum build_mount_type type;
	char *id;
	char *target; /* NULL: not said */
	char *source; /* below from; NULL: all of it */
	char *from;   /* a stage, an image, a named context; NULL: the context */
	char *env;    /* of a secret: the variable that has it */
	bool writable;
	bool required;
	enum build_mount_sharing sharing;
	int64_t size; /* of a tmpfs, bytes; 0: no bound */
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
};

/* Behind "mount=". The caller clears, after a failure, too. ERR_INVALID. */
int build_mount_parse(struct build_mount *ret, const char *text, struct err *e);
void build_mount_clear(struct build_mount *mount);

/* What a flag takes files from: "from=x", or the from of a mount; NULL. The caller frees. */
char *build_mount_flag_from(const char *flag);
