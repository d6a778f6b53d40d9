/* conversation.h - the parent's part of what a process that is made and its parent say to each
 * other over channel.h, until the process waits to be started. */
#pragma once

struct err;
struct runtime_launch;
struct runtime_process;

/* Until READY, and PID as often as the process forks, or an error. After an error the
 * channel is read to its end, so that no process goes unnoticed. */
int runtime_conversation_hold_in_parent(struct runtime_process *process,
					const struct runtime_launch *launch, int forks,
					struct err *e);
