/* user_entry.h - an ordinary user becomes root of a user namespace: the calling process itself goes
 * in, and has there every right over the user's own files and subordinate ids, and a mount
 * namespace. Whatever it starts from then on is in there, too. */
#pragma once
#include <stdbool.h>

struct err;
struct runtime_idmap;

/* A new user namespace with these ids, and a mount namespace of it. newuidmap(1) and newgidmap(1)
 * are run by a child that stays behind. For a process with one thread. */
int runtime_user_entry_new(const struct runtime_idmap *ids, struct err *e);

/* May the caller make one at all? A child tries. The error says what forbids it. */
int runtime_user_entry_may(struct err *e);

/* Is this one (a descriptor) what runtime_user_entry_new() with these ids would make: the caller's,
 * a child of where the caller is, with the maps of the process pid in there? Whoever gave us
 * the pid need not be believed. */
bool runtime_user_entry_fits(int user_fd, int pid, const struct runtime_idmap *ids);

/* That one, and a new mount namespace. */
int runtime_user_entry_join(int user_fd, struct err *e);
