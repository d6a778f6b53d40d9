/* program.h - a program of the host's as something to exec that nobody in a container can write,
 * also not by /proc/PID/exe (CVE-2019-5736). */
#pragma once

struct err;

/* fd: the program, opened O_RDONLY or O_PATH. A detached read-only mount of it or, for a caller
 * that may make no mounts, a sealed copy in memory. The caller's, for execveat(2). */
int runtime_program_open_in_parent(int fd, struct err *e);
