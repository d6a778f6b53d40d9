/* user_network.h - the networks of an ordinary user, who may make no bridge in the host's network
 * namespace. They lie in one namespace of the user's, all of them, which slirp4netns connects to
 * the world and keeps: it starts with the first container that is in a network, and ends with the
 * last. docs/decisions/0043-networks-of-an-ordinary-user.md. */
#pragma once
#include <stdbool.h>

struct engine;
struct err;

/* Is the network namespace that we are in none in which we can make networks, though we can in one
 * of our own? */
bool engine_user_network_applies(void);

/* Opens the namespace; where it is not there it is made. While *ret_lock, the caller's, is open it
 * stays: until then a container that is on its way in counts for nothing. Both are the caller's.
 * ERR_UNSUPPORTED: slirp4netns is not here. ERR_STATE: it is that of an earlier user namespace. */
int engine_user_network_open(int *ret_lock, struct engine *engine, struct err *e);

/* Moves the caller into an open one, for good. */
int engine_user_network_enter(int namespace_fd, struct err *e);

/* The same for who looks at networks or changes them, and makes none; 0 where there is none: then
 * nothing of any network is there, either. */
int engine_user_network_look(struct engine *engine, struct err *e);

/* A container has left, or did not get in: ends slirp4netns if it was the last. */
void engine_user_network_leave(struct engine *engine);

/* Was slirp4netns started for them, and not ended? */
bool engine_user_network_runs(const struct engine *engine);
