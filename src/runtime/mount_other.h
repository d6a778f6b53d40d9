/* mount_other.h - a mount that another container sees, as the source of a bind: /dev/shm of
 * `--ipc container:NAME`. */
#pragma once
#include <stdbool.h>

struct err;

/* A detached private clone of the mount at path, a folder or file as the process of "PID:START"
 * sees it. The path is walked below that process's root, links included. Returns a descriptor.
 * setns(2) wants a process that shares its root with nobody: a child does it. */
int runtime_mount_other_open_in_parent(const char *owner, const char *path, bool recursive,
				       struct err *e);
