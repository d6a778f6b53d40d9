/* handover.h - what create, run, exec and restore hand to their callers: the pid in a file, the
 * terminal and the pidfd through sockets. */
#pragma once
#include <sys/types.h>

struct err;

/* The pid as text without newline, in one step: a reader sees nothing or all. NULL: nothing. */
int runtime_cli_handover_pid(const char *path, pid_t pid, struct err *e);

/* The terminal's master, named "/dev/pts/N", to the unix stream socket path; the receiver's
 * protocol is runc's: docs/terminals.md there. */
int runtime_cli_handover_terminal(const char *path, int master, struct err *e);

/* In the same way, named "pidfd". NULL: nothing. */
int runtime_cli_handover_pidfd(const char *path, int pidfd, struct err *e);
