/* listen.h - sockets that a service manager has handed to this process for its container:
 * sd_listen_fds(3), from the environment. They are descriptors 3, 4... */
#pragma once
#include <stddef.h>

struct err;

/* How many there are: LISTEN_FDS, if LISTEN_PID is this process or is not there (as crun has it;
 * runc wants it to be). ERR_INVALID: it is no number, or one of them is not open. */
int runtime_listen_count(size_t *ret, struct err *e);
