/* hooks.h - the six lists of a container's hooks (runtime-spec v1.3
 * config.md#posix-platform-hooks), and five of holm's own for the points at which LXC runs some and
 * OCI none: which there are, where and with which state they run. runtime.h says who runs them
 * when. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "oci/runtime_spec.h"

struct err;
struct strv;

enum runtime_hooks_kind {
	RUNTIME_HOOKS_PRESTART,
	RUNTIME_HOOKS_CREATE_RUNTIME,
	RUNTIME_HOOKS_CREATE_CONTAINER,
	RUNTIME_HOOKS_START_CONTAINER,
	RUNTIME_HOOKS_POSTSTART,
	RUNTIME_HOOKS_POSTSTOP,
	/* of org.holm.hooks */
	RUNTIME_HOOKS_PRE_START,
	RUNTIME_HOOKS_PRE_MOUNT,
	RUNTIME_HOOKS_START_HOST,
	RUNTIME_HOOKS_STOP,
	RUNTIME_HOOKS_DESTROY,
};

/* The annotation org.holm.hooks, as JSON: lists as those of the spec. */
#define RUNTIME_HOOKS_MORE "org.holm.hooks"
struct runtime_hooks_more {
	struct oci_hook_list pre_start;
	struct oci_hook_list pre_mount;
	struct oci_hook_list start_host;
	struct oci_hook_list stop;
	struct oci_hook_list destroy;
};
extern const struct shape runtime_hooks_more_shape;

/* What else one gets to know, and who has to do something meanwhile. */
struct runtime_hooks_call {
	const struct strv *env;      /* more of it; NULL: none */
	const struct strv *args;     /* more of them */
	void (*turn)(void *context); /* now and then while a hook runs; NULL: nobody */
	void *context;
};

struct runtime_hooks {
	const struct oci_spec *spec; /* all three are borrowed; spec NULL: there are none */
	const char *id;
	const char *bundle;
	struct runtime_hooks_more more;
	const struct runtime_hooks_call *call; /* borrowed, or NULL */
	int stop_fd; /* of those in the runtime's namespaces: see hook.h; or -1 */
	int output;  /* for their standard output: annotation run.oci.hooks.stdout; or -1 */
	int error;   /* the same for standard error */
};

#define RUNTIME_HOOKS_INIT                                                                         \
	{                                                                                          \
		.stop_fd = -1, .output = -1, .error = -1                                           \
	}

/* Checks all lists, and opens the files that the annotations name (appended to, as crun has
 * it). ERR_INVALID names the member. The caller ends *ret with close, after a failure, too. */
int runtime_hooks_open_in_parent(struct runtime_hooks *ret, const struct oci_spec *spec,
				 const char *id, const char *bundle, struct err *e);
void runtime_hooks_close(struct runtime_hooks *hooks);

/* Are there any that run before pivot_root(2)? */
bool runtime_hooks_before_pivot(const struct runtime_hooks *hooks);

/* Are there any of this kind? */
bool runtime_hooks_any(const struct runtime_hooks *hooks, enum runtime_hooks_kind kind);

/* Runs one list in its order, in this process's namespaces. pid goes into their state: the
 * container's process as these namespaces number it. Stops at the first that fails; of POSTSTOP
 * (runtime.md#lifecycle) and STOP all are run, and those that fail are warned of; *failed, which
 * may be NULL, says whether one did. */
int runtime_hooks_run(const struct runtime_hooks *hooks, enum runtime_hooks_kind kind, pid_t pid,
		      bool *failed, struct err *e);

/* Opens, runs one list and closes: for who runs them by themselves. */
int runtime_hooks_run_late(const struct oci_spec *spec, enum runtime_hooks_kind kind,
			   const char *id, const char *bundle, pid_t pid,
			   const struct runtime_hooks_call *call, bool *failed, struct err *e);
