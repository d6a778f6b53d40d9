/* identity.h - what makes a system itself and nobody else: machine-id(5), the host keys of sshd(8),
 * the seed of the random numbers. A clone gets others. */
#pragma once

struct container;
struct engine;
struct err;

/* Writes others into upper_fd, the empty upper folder of c, for those that c's layers have: a new
 * machine-id where there is one, new host keys of the same kinds (by the host's ssh-keygen; without
 * it they are taken away, with a warning), no seed. Where c's root is a copy (copied.h), upper_fd
 * has all of that in the folder of from_fd, the container that it is a clone of. */
int engine_identity_renew(struct engine *engine, const struct container *c, int from_fd,
			  int upper_fd, struct err *e);
