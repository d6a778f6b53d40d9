/* after.h - what is to be done when a container has ended for good that only the engine can do: to
 * take back what its networks left on the host. Few containers need it. after.json in the run
 * folder has the command; it is run once, by whoever removes that folder. */
#pragma once
#include "base/strv.h"

struct err;

/* The run folder's path is added to the command: by then it is .dead-ID. */
int monitor_after_write_at(int run_fd, const struct strv *command, struct err *e);

/* In the folder .dead-ID of containers, $run/containers (path): runs what is there and waits. What
 * goes wrong is warned of. */
void monitor_after_run(int containers_fd, const char *containers, const char *dead);
