/* setup_user.h - how the first process comes into the container's user namespace. A new one it is
 * born in, clone3(2). But namespaces of others that are joined are joined with the rights of the
 * caller, which are gone in there; and what is new must belong to a user namespace that is joined.
 * Then the process joins what it can, clones another that goes on in its place, and ends:
 *
 *	child				the other
 *	join the foreign ones, and
 *	the user namespace, if joined
 *	clone3  ---------------------->
 *	its maps, if it is new		waits
 *	RUNTIME_MESSAGE_PID to the parent
 *	go  ------------------------->	root of the user namespace
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;
struct runtime_setup;

/* Does it take that other process? */
bool runtime_setup_user_forks(const struct runtime_setup *setup);

/* Enters the cgroup, then the user namespace where there is one. Returns in the process that goes
 * on. flags: CLONE_* of the namespaces to make with it, where it is cloned here. */
int runtime_setup_user_enter_in_child(const struct runtime_setup *setup, uint64_t flags,
				      struct err *e);
