#include "runtime/hooks.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
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

#define LIST(json, member)                                                                         \
	{                                                                                          \
		json, SHAPE_LIST, offsetof(struct runtime_hooks_more, member), &oci_hook_shape     \
	}

const struct shape runtime_hooks_more_shape = {
	sizeof(struct runtime_hooks_more),
	(const struct shape_field[]){
		LIST("preStart", pre_start),
		LIST("preMount", pre_mount),
		LIST("startHost", start_host),
		LIST("stop", stop),
		LIST("destroy", destroy),
		{ 0 },
	},
};

static const struct kind {
	const char *name;
	size_t list;
	const char *status; /* runtime.md#state */
	bool outside;       /* in the runtime's namespaces */
	bool may_fail;
	bool more; /* the list is one of struct runtime_hooks_more */
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
	[RUNTIME_HOOKS_PRE_START] = { "preStart", offsetof(struct runtime_hooks_more, pre_start),
				      OCI_STATUS_CREATING, .outside = true, .more = true },
	[RUNTIME_HOOKS_PRE_MOUNT] = { "preMount", offsetof(struct runtime_hooks_more, pre_mount),
				      OCI_STATUS_CREATING, .outside = true, .more = true },
	[RUNTIME_HOOKS_START_HOST] = { "startHost", offsetof(struct runtime_hooks_more, start_host),
				       OCI_STATUS_CREATED, .outside = true, .more = true },
	[RUNTIME_HOOKS_STOP] = { "stop", offsetof(struct runtime_hooks_more, stop),
				 OCI_STATUS_STOPPED, .outside = true, .may_fail = true,
				 .more = true },
	[RUNTIME_HOOKS_DESTROY] = { "destroy", offsetof(struct runtime_hooks_more, destroy),
				    OCI_STATUS_STOPPED, .outside = true, .more = true },
};

static const struct oci_hook_list *list_of(const struct runtime_hooks *hooks,
					   const struct kind *kind)
{
	static const struct oci_hook_list none;
	const struct oci_spec *spec = hooks->spec;

	if (kind->more)
		return (const struct oci_hook_list *)((const char *)&hooks->more + kind->list);
	if (!spec || !spec->hooks)
		return &none;
	return (const struct oci_hook_list *)((const char *)spec->hooks + kind->list);
}

/* ---- in the parent: what there is ---- */

static int check(const struct runtime_hooks *hooks, struct err *e)
{
	for (size_t k = 0; k < COUNT_OF(kinds); k++) {
		const struct oci_hook_list *list = list_of(hooks, &kinds[k]);
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
	const char *more = shape_map_get(&spec->annotations, RUNTIME_HOOKS_MORE);

	*ret = (struct runtime_hooks)RUNTIME_HOOKS_INIT;
	if (!spec->hooks && !more)
		return 0;
	ret->spec = spec;
	ret->id = id;
	ret->bundle = bundle;
	if (more &&
	    shape_read_text(&runtime_hooks_more_shape, more, strlen(more), &ret->more, e) < 0)
		return err_add(e, RUNTIME_HOOKS_MORE);
	int r = check(ret, e);
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
	shape_clear(&runtime_hooks_more_shape, &hooks->more);
}

bool runtime_hooks_before_pivot(const struct runtime_hooks *hooks)
{
	for (int k = RUNTIME_HOOKS_PRESTART; k <= RUNTIME_HOOKS_CREATE_CONTAINER; k++)
		if (list_of(hooks, &kinds[k])->count)
			return true;
	return false;
}

bool runtime_hooks_any(const struct runtime_hooks *hooks, enum runtime_hooks_kind kind)
{
	return list_of(hooks, &kinds[kind])->count > 0;
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

/* The hook with what its call adds; the caller's. */
static struct oci_hook *complete(const struct oci_hook *hook, const struct runtime_hooks_call *call)
{
	struct oci_hook *copy = mem_new_struct(struct oci_hook);

	copy->path = mem_text(hook->path);
	strv_add_all(&copy->args, &hook->args);
	if (call && call->args && !copy->args.count)
		strv_add(&copy->args, hook->path);
	if (call && call->args)
		strv_add_all(&copy->args, call->args);
	strv_add_all(&copy->env, &hook->env);
	for (size_t i = 0; call && call->env && i < call->env->count; i++)
		strv_set(&copy->env, call->env->items[i]);
	if (hook->timeout) {
		copy->timeout = mem_new(1, sizeof(*copy->timeout));
		*copy->timeout = *hook->timeout;
	}
	return copy;
}

static int run_one(const struct oci_hook *hook, const struct runtime_hooks_call *call,
		   const struct runtime_hook_streams *streams, struct err *e)
{
	own_free struct oci_hook *whole = complete(hook, call);

	int r = runtime_hook_run(whole, streams, e);
	shape_clear(&oci_hook_shape, whole);
	return r;
}

int runtime_hooks_run(const struct runtime_hooks *hooks, enum runtime_hooks_kind which, pid_t pid,
		      bool *failed, struct err *e)
{
	const struct kind *kind = &kinds[which];
	const struct oci_hook_list *list = list_of(hooks, kind);

	if (!list->count)
		return 0;
	own_free char *state = state_text(hooks, kind, pid);
	struct runtime_hook_streams streams = {
		.input = state,
		.bundle = kind->outside ? hooks->bundle : NULL,
		.output = hooks->output,
		.error = hooks->error,
		.stop_fd = kind->outside ? hooks->stop_fd : -1,
		.turn = hooks->call ? hooks->call->turn : NULL,
		.context = hooks->call ? hooks->call->context : NULL,
	};
	for (size_t i = 0; i < list->count; i++) {
		int r = run_one(&list->items[i], hooks->call, &streams, e);
		if (r == 0)
			continue;
		if (failed)
			*failed = true;
		err_add(e, "hooks.%s[%zu]", kind->name, i);
		if (!kind->may_fail)
			return r;
		log_warning("%s", e->text);
	}
	return 0;
}

/* ---- those that the caller of runtime.h asks for ---- */

int runtime_hooks_run_late(const struct oci_spec *spec, enum runtime_hooks_kind kind,
			   const char *id, const char *bundle, pid_t pid,
			   const struct runtime_hooks_call *call, bool *failed, struct err *e)
{
	own_clear(runtime_hooks_close) struct runtime_hooks hooks = RUNTIME_HOOKS_INIT;

	if (!spec->hooks && !shape_map_get(&spec->annotations, RUNTIME_HOOKS_MORE))
		return 0;
	int r = runtime_hooks_open_in_parent(&hooks, spec, id, bundle, e);
	hooks.call = call;
	return r < 0 ? r : runtime_hooks_run(&hooks, kind, pid, failed, e);
}

int runtime_hooks_poststart(const struct oci_spec *spec, const struct runtime_container *container,
			    const char *bundle, struct err *e)
{
	return runtime_hooks_run_late(spec, RUNTIME_HOOKS_POSTSTART, container->id, bundle,
				      (pid_t)container->pid, NULL, NULL, e);
}

void runtime_hooks_poststop(const struct oci_spec *spec, const char *id, const char *bundle)
{
	struct err e;

	if (runtime_hooks_run_late(spec, RUNTIME_HOOKS_POSTSTOP, id, bundle, 0, NULL, NULL, &e) < 0)
		log_warning("%s", e.text);
}
