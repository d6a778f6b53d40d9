/* snapshot_file.h - the snapshots of a container: snapshots/NAME.json in its folder, each its
 * record at that time, whose frozen layers (container.h) hold what it had written. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"
#include "engine/container.h"

struct err;

struct snapshot {
	char *name;
	char *comment; /* NULL: none */
	int64_t created_ns;
	int64_t expires_ns; /* 0: never */
	bool scheduled;     /* by a schedule, not by a person */
	bool live;          /* the container ran */
	int64_t paused_ns;  /* and stood still so long for it */
	struct container container;
};
extern const struct shape snapshot_shape; /* of all but the name */
void snapshot_clear(struct snapshot *snapshot);

struct snapshots {
	struct snapshot *items; /* the oldest first */
	size_t count;
};
void snapshots_clear(struct snapshots *snapshots);

/* As a container's. ERR_INVALID. */
int snapshot_name_check(const char *name, struct err *e);

/* folder_fd: of the container, locked for all that changes. ERR_NOT_FOUND, ERR_EXISTS. */
int snapshot_read(struct snapshot *ret, int folder_fd, const char *name, struct err *e);
int snapshot_write(int folder_fd, const struct snapshot *snapshot, struct err *e);
int snapshot_remove(int folder_fd, const char *name, struct err *e);
int snapshot_rename(int folder_fd, const char *name, const char *new_name, struct err *e);

/* One that cannot be read is an error that names it. */
int snapshot_list(struct snapshots *ret, int folder_fd, struct err *e);

/* "snap0", or the next that is free behind all of these; the caller frees. */
char *snapshot_next_name(const struct snapshots *snapshots, const char *prefix);
