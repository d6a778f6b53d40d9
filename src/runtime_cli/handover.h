/* handover.h - what create, run, exec and restore hand to their callers: the pid in a file, the
 * terminal and the pidfd through sockets. */
#pragma once
#include <sys/types.h>

struct err;

/* The pid as text without newline, in one step: a reader sees nothing or all. NULL: nothing. */
int runtime_cli_handover_pid(const char *path, pid_t pid, struct err *e);

/* Connects to the unix stream socket path, sends the descriptor with the name it has, and hangs up;
 * the receiver's protocol is runc's: docs/terminals.md there. */
int runtime_cli_handover_fd(const char *path, int fd, const char *name, struct err *e);

/* The terminal's master, named "/dev/pts/N". */
int runtime_cli_handover_terminal(const char *path, int master, struct err *e);
