#include "runtime/hooks.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "oci/state.h"
#include "runtime/hook.h"
#include "runtime/runtime.h"

static const struct kind {
	const char *name;
	size_t list;
	const char *status; /* runtime.md#state */
	bool outside;       /* in the runtime's namespaces */
	bool may_fail;
} kinds[] = {
	[RUNTIME_HOOKS_PRESTART] = { "prestart", offsetof(struct oci_hooks, prestart),
				     OCI_STATUS_CREATING, .outside = true },
	[RUNTIME_HOOKS_CREATE_RUNTIME] = { "createRuntime",
					   offsetof(struct oci_hooks, create_runtime),
					   OCI_STATUS_CREATING, .outside = true },
	[RUNTIME_HOOKS_CREATE_CONTAINER] = { "createContainer",
					     offsetof(struct oci_hooks, create_container),
					     OCI_STATUS_CREATING },
	[RUNTIME_HOOKS_START_CONTAINER] = { "startContainer",
					    offsetof(struct oci_hooks, start_container),
					    OCI_STATUS_CREATED },
	[RUNTIME_HOOKS_POSTSTART] = { "poststart", offsetof(struct oci_hooks, poststart),
				      OCI_STATUS_RUNNING, .outside = true },
	[RUNTIME_HOOKS_POSTSTOP] = { "poststop", offsetof(struct oci_hooks, poststop),
				     OCI_STATUS_STOPPED, .outside = true, .may_fail = true },
};

static const struct oci_hook_list *list_of(const struct oci_spec *spec, const struct kind *kind)
{
	static const struct oci_hook_list none;

	if (!spec || !spec->hooks)
		return &none;
	return (const struct oci_hook_list *)((const char *)spec->hooks + kind->list);
}

/* ---- in the parent: what there is ---- */

static int check(const struct oci_spec *spec, struct err *e)
{
	for (size_t k = 0; k < COUNT_OF(kinds); k++) {
		const struct oci_hook_list *list = list_of(spec, &kinds[k]);
		for (size_t i = 0; i < list->count; i++)
			if (runtime_hook_check(&list->items[i], e) < 0)
				return err_add(e, "hooks.%s[%zu]", kinds[k].name, i);
	}
	return 0;
}

static int open_output(int *ret, const struct oci_spec *spec, const char *annotation, struct err *e)
{
	const char *path = shape_map_get(&spec->annotations, annotation);

	if (str_empty(path))
		return 0;
	/* not waiting for the reader of a fifo */
	own_fd int fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0)
		return err_sys(e, "%s: open %s", annotation, path);
	*ret = take_fd(&fd);
	return 0;
}

int runtime_hooks_open_in_parent(struct runtime_hooks *ret, const struct oci_spec *spec,
				 const char *id, const char *bundle, struct err *e)
{
	*ret = (struct runtime_hooks)RUNTIME_HOOKS_INIT;
	if (!spec->hooks)
		return 0;
	ret->spec = spec;
	ret->id = id;
	ret->bundle = bundle;
	int r = check(spec, e);
	if (r == 0)
		r = open_output(&ret->output, spec, "run.oci.hooks.stdout", e);
	if (r == 0)
		r = open_output(&ret->error, spec, "run.oci.hooks.stderr", e);
	return r;
}

void runtime_hooks_close(struct runtime_hooks *hooks)
{
	if (hooks->output >= 0)
		close(hooks->output);
	if (hooks->error >= 0)
		close(hooks->error);
	hooks->output = hooks->error = -1;
}

bool runtime_hooks_before_pivot(const struct runtime_hooks *hooks)
{
	for (int k = RUNTIME_HOOKS_PRESTART; k <= RUNTIME_HOOKS_CREATE_CONTAINER; k++)
		if (list_of(hooks->spec, &kinds[k])->count)
			return true;
	return false;
}

/* ---- running them ---- */

/* The state document borrows all. */
static char *state_text(const struct runtime_hooks *hooks, const struct kind *kind, pid_t pid)
{
	struct oci_state state = {
		.oci_version = (char *)OCI_RUNTIME_SPEC_VERSION,
		.id = (char *)hooks->id,
		.status = (char *)kind->status,
		.pid = pid,
		.bundle = (char *)hooks->bundle,
		.annotations = hooks->spec->annotations,
	};

	return oci_state_text(&state);
}

int runtime_hooks_run(const struct runtime_hooks *hooks, enum runtime_hooks_kind which, pid_t pid,
		      struct err *e)
{
	const struct kind *kind = &kinds[which];
	const struct oci_hook_list *list = list_of(hooks->spec, kind);

	if (!list->count)
		return 0;
	own_free char *state = state_text(hooks, kind, pid);
	struct runtime_hook_streams streams = {
		.input = state,
		.bundle = kind->outside ? hooks->bundle : NULL,
		.output = hooks->output,
		.error = hooks->error,
	};
	for (size_t i = 0; i < list->count; i++) {
		int r = runtime_hook_run(&list->items[i], &streams, e);
		if (r == 0)
			continue;
		err_add(e, "hooks.%s[%zu]", kind->name, i);
		if (!kind->may_fail)
			return r;
		log_warning("%s", e->text);
	}
	return 0;
}

/* ---- those that the caller of runtime.h asks for ---- */

static int run_late(const struct oci_spec *spec, const char *id, const char *bundle,
		    enum runtime_hooks_kind kind, pid_t pid, struct err *e)
{
	own_clear(runtime_hooks_close) struct runtime_hooks hooks = RUNTIME_HOOKS_INIT;

	if (!list_of(spec, &kinds[kind])->count)
		return 0;
	int r = runtime_hooks_open_in_parent(&hooks, spec, id, bundle, e);
	return r < 0 ? r : runtime_hooks_run(&hooks, kind, pid, e);
}

int runtime_hooks_poststart(const struct oci_spec *spec, const struct runtime_container *container,
			    const char *bundle, struct err *e)
{
	return run_late(spec, container->id, bundle, RUNTIME_HOOKS_POSTSTART, (pid_t)container->pid,
			e);
}

void runtime_hooks_poststop(const struct oci_spec *spec, const char *id, const char *bundle)
{
	struct err e;

	if (run_late(spec, id, bundle, RUNTIME_HOOKS_POSTSTOP, 0, &e) < 0)
		log_warning("%s", e.text);
}
