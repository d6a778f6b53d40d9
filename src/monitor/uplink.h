/* uplink.h - the program that carries the packets of an ordinary user's container, named in the
 * file MONITOR_UPLINK of its run folder; it ends with the container. */
#pragma once
#include <sys/types.h>

struct err;

#define MONITOR_UPLINK "uplink"

int monitor_uplink_write(int run_dir_fd, pid_t pid, struct err *e);

/* Its pidfd, the caller's; -1: no such file, or it has ended. */
int monitor_uplink_open(pid_t *ret_pid, int run_dir_fd);

/* Ends it. No such file, or it has ended: there is nothing. */
void monitor_uplink_end(int run_dir_fd);
