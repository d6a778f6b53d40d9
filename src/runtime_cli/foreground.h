/* foreground.h - the command stays as long as the container's process: signals go to it, a terminal
 * is relayed, its exit status becomes ours. For run and exec without --detach. */
#pragma once
#include <signal.h>

struct err;
struct runtime_notify;
struct runtime_process;

/* While something is made: SIGTERM and SIGINT, which nobody else handles then, are held, and the
 * descriptor that is returned is readable once one has come. before: what sigprocmask(2) is to be
 * given afterwards. A signal that the caller ignores stays ignored. */
int runtime_cli_foreground_hold(sigset_t *before, struct err *e);

/* Keeps signals for the process from now on. Call it before the process is made; it resets them. */
int runtime_cli_foreground_open(struct err *e);

/* signals: the descriptor of _open(). notify: what the container tells its service manager, handed
 * on meanwhile; NULL: nothing. Returns the exit status of the process, which it reaps. */
int runtime_cli_foreground_wait(struct runtime_process *process, int signals,
				struct runtime_notify *notify, struct err *e);
