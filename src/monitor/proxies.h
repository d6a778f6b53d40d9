/* proxies.h - the programs that carry the connections of a container's ports at ::1
 * (network/proxy.h), named in the file MONITOR_PROXIES of its run folder; they end with it. */
#pragma once
#include <stdint.h>
#include <sys/types.h>

struct err;

#define MONITOR_PROXIES "proxies"

int monitor_proxies_add(int run_dir_fd, pid_t pid, uint16_t port, struct err *e);

/* Ends that of the port, or with 0 all. No such file, or they have ended: there is nothing. */
void monitor_proxies_end(int run_dir_fd, uint16_t port);
