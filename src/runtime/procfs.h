/* procfs.h - writes to /proc that nobody can redirect (rule R2): a procfs of our own that is
 * mounted nowhere, or one that was checked to be the root of a real procfs, and no path below it
 * that leaves it. (The class of CVE-2019-16884, CVE-2023-27561 and CVE-2025-52881.) */
#pragma once

struct err;

/* A detached procfs of the caller's PID namespace, by fsopen(2); where a user namespace may not
 * make one, /proc itself, checked. Returns a descriptor of its root. */
int runtime_procfs_open(struct err *e);

/* Is fd the root of a real procfs? f_type and inode 1. */
int runtime_procfs_check(int fd, struct err *e);

/* One write(2) of text into path ("sys/kernel/msgmax") below proc_fd, by
 * openat2(RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS). */
int runtime_procfs_write(int proc_fd, const char *path, const char *text, struct err *e);
