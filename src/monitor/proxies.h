/* proxies.h - the programs that carry the connections of a container's ports (network/proxy.h),
 * named in the file MONITOR_PROXIES of its run folder; they end with it. */
#pragma once
#include <sys/types.h>

struct err;

#define MONITOR_PROXIES "proxies"

/* where: which port, in a word of the caller's. */
int monitor_proxies_add(int run_dir_fd, pid_t pid, const char *where, struct err *e);

/* Ends that of the port, or with NULL all. No such file, or they have ended: there is nothing. */
void monitor_proxies_end(int run_dir_fd, const char *where);
