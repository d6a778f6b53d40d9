/* launch.h - the last part of the way of a process into a container, the same for its first one
 * and for exec: streams or terminal, user, limits, rights, and exec(2) when the parent says so.
 * By now the process is in all its namespaces but, maybe, a PID namespace that was joined: that
 * takes a fork, which comes last, when the process has no more rights than it keeps. Nobody inside
 * can see it before (the class of CVE-2016-9962). */
#pragma once
#include <stdbool.h>

#include "base/strv.h"
#include "runtime/channel.h"
#include "runtime/hooks.h"
#include "runtime/rights.h"
#include "runtime/terminal.h"

struct err;
struct oci_spec;
struct oci_process;
struct runtime_container;
struct runtime_options;

struct runtime_launch {
	const struct oci_spec *spec;
	const struct oci_process *process;
	const struct runtime_options *options;
	const struct runtime_container *container; /* that is entered; NULL: one is made */
	struct runtime_rights rights;
	int init_fd;                /* holm-init on its read-only mount; -1: none */
	int channel;                /* to the parent, later to who starts it */
	int start_fd;               /* where to wait for that one; -1: it is the parent */
	int proc_fd;                /* for LSM labels; -1 where there are none */
	int ruleset;                /* Landlock's; -1: none */
	bool fork;                  /* a PID namespace was joined for children */
	bool wait;                  /* for what the parent writes: runtime_launch_wait_in_child() */
	struct strv env;            /* process's, and HOME */
	struct runtime_hooks hooks; /* of a container that is made */
	struct runtime_terminal terminal; /* opened by the child */
};

#define RUNTIME_LAUNCH_INIT                                                                        \
	{                                                                                          \
		.init_fd = -1, .channel = -1, .start_fd = -1, .proc_fd = -1, .ruleset = -1,        \
		.terminal = RUNTIME_TERMINAL_INIT, .hooks = RUNTIME_HOOKS_INIT                     \
	}

/* Parses what process asks for. The caller ends *ret with clear, after a failure, too. */
int runtime_launch_prepare_in_parent(struct runtime_launch *ret, const struct oci_spec *spec,
				     const struct oci_process *process,
				     const struct runtime_options *options, struct err *e);
void runtime_launch_clear(struct runtime_launch *launch);

/* The first thing that the child does: waits, if it has to, until the parent has written the ids
 * of the user namespace and the OOM score (which later forks inherit). */
int runtime_launch_wait_in_child(const struct runtime_launch *launch, struct err *e);

/* What the child cannot do by itself: asks the parent for it, and waits until it is done. */
int runtime_launch_ask_in_child(const struct runtime_launch *launch, enum runtime_message what,
				const int *fds, size_t fds_count, struct err *e);

/* In the container's mount namespace and root. Returns only on failure. */
int runtime_launch_in_child(struct runtime_launch *launch, struct err *e);
