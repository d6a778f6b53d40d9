/* foreground.h - the command stays as long as the container's process: signals go to it, a terminal
 * is relayed, its exit status becomes ours. For run and exec without --detach. */
#pragma once
#include <signal.h>

struct err;
struct runtime_process;

/* Keeps signals for the process from now on. Call it before the process is made; it resets them. */
int runtime_cli_foreground_open(struct err *e);

/* signals: the descriptor of _open(). Returns the exit status of the process, which it reaps. */
int runtime_cli_foreground_wait(struct runtime_process *process, int signals, struct err *e);
