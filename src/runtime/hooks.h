/* hooks.h - the six lists of a container's hooks (runtime-spec v1.3
 * config.md#posix-platform-hooks): which there are, where and with which state they run. runtime.h
 * says who runs them when. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct oci_spec;

enum runtime_hooks_kind {
	RUNTIME_HOOKS_PRESTART,
	RUNTIME_HOOKS_CREATE_RUNTIME,
	RUNTIME_HOOKS_CREATE_CONTAINER,
	RUNTIME_HOOKS_START_CONTAINER,
	RUNTIME_HOOKS_POSTSTART,
	RUNTIME_HOOKS_POSTSTOP,
};

struct runtime_hooks {
	const struct oci_spec *spec; /* all three are borrowed; spec NULL: there are none */
	const char *id;
	const char *bundle;
	int output; /* for their standard output: annotation run.oci.hooks.stdout; or -1 */
	int error;  /* the same for standard error */
};

#define RUNTIME_HOOKS_INIT                                                                         \
	{                                                                                          \
		.output = -1, .error = -1                                                          \
	}

/* Checks all six lists, and opens the files that the annotations name (appended to, as crun has
 * it). ERR_INVALID names the member. The caller ends *ret with close, after a failure, too. */
int runtime_hooks_open_in_parent(struct runtime_hooks *ret, const struct oci_spec *spec,
				 const char *id, const char *bundle, struct err *e);
void runtime_hooks_close(struct runtime_hooks *hooks);

/* Are there any that run before pivot_root(2)? */
bool runtime_hooks_before_pivot(const struct runtime_hooks *hooks);

/* Runs one list in its order, in this process's namespaces. pid goes into their state: the
 * container's process as these namespaces number it. Stops at the first that fails; of POSTSTOP
 * all are run, and those that fail are warned of (runtime.md#lifecycle). */
int runtime_hooks_run(const struct runtime_hooks *hooks, enum runtime_hooks_kind kind, pid_t pid,
		      struct err *e);
