/* sealed.h - a program as something to exec that nobody in a container can write, also not by
 * /proc/PID/exe (CVE-2019-5736). fd is its file, opened O_RDONLY or O_PATH; the results are the
 * caller's, for execveat(2) or by /proc/self/fd. */
#pragma once

struct err;

/* A detached read-only clone of the mount that the file lies on, reduced to the file: open_tree(2)
 * and mount_setattr(2), Linux 5.12; for a caller without CAP_SYS_ADMIN, who may make no mounts, a
 * sealed copy in memory. */
int sealed_open(int fd, struct err *e);
