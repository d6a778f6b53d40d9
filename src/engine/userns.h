/* userns.h - which ids of the host a container has. --userns auto and private take a range that no
 * other container has, living or stored: out of those that /etc/subuid and /etc/subgid give the
 * user "containers" (podman's name) or "holm", else out of 1879048192 to 2147352575, which nobody
 * else uses (systemd, "Users, Groups, UIDs and GIDs on systemd Systems"). The record keeps it. */
#pragma once
#include "engine/container.h"

struct engine;
struct err;

/* Sets c->security.ids. *ret_lock: what keeps others from taking the same until the record is on
 * disk (flock(2) of $root/containers), the caller's; -1 where there is nothing to keep. */
int engine_userns_resolve(int *ret_lock, struct engine *engine, struct container *c, struct err *e);

/* Gives what fd is open on to the root of the container, if that has ids of its own. */
int engine_userns_give(const struct container *c, int fd, struct err *e);
