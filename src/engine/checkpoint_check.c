#include "engine/checkpoint_check.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "engine/container.h"
#include "engine/pod.h"
#include "monitor/client.h"
#include "oci/runtime_spec.h"
#include "runtime/runtime.h"
#include "runtime/user_namespace.h"

/* What criu does not store, or would make again weaker than it was. */
static const struct {
	const char *annotation;
	const char *what;
	const char *hint; /* NULL: none */
} refused[] = {
	{ "org.holm.guest", "a whole system", NULL },
	{ "org.holm.figures", "a container that sees its limits", "give it --view host" },
	{ "org.holm.seccomp.asks", "a container whose system calls are answered outside",
	  "give it --view host" },
	{ "org.holm.seccomp.children", "a container with --children-max, whose filter asks outside",
	  NULL },
	{ "run.oci.seccomp.receiver", "a seccomp filter that asks a listener", NULL },
	{ "org.holm.landlock", "rules of Landlock", NULL },
	{ "org.holm.core_sched", "core scheduling", NULL },
	{ "org.holm.rootfs.disk", "a disk of its own, which --storage-opt size made", NULL },
	{ "org.holm.rootfs.idmap", "a container with ids of its own", NULL },
	{ "org.holm.hooks", "a container with hooks", NULL },
};

static int refuse(const struct container *c, const char *what, struct err *e)
{
	return err_set(e, ERR_UNSUPPORTED, "container %s cannot be stored: criu does not know %s",
		       c->name, what);
}

static int check_annotations(const struct container *c, const struct oci_spec *spec, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		if (!shape_map_get(&spec->annotations, refused[i].annotation))
			continue;
		refuse(c, refused[i].what, e);
		return refused[i].hint ? err_hint(e, "%s", refused[i].hint) : -e->number;
	}
	return 0;
}

/* Those of another container, or of the host, cannot be made again with it. */
static int check_namespaces(const struct container *c, const struct oci_spec *spec, struct err *e)
{
	static const char *const needed[] = { "pid", "mount", "ipc" };

	for (size_t i = 0; i < COUNT_OF(needed); i++)
		if (!oci_spec_namespace(spec, needed[i]))
			return err_set(e, ERR_UNSUPPORTED,
				       "container %s cannot be stored: its %s namespace is the "
				       "host's",
				       c->name, needed[i]);
	for (size_t i = 0; i < spec->linux_.namespaces.count; i++) {
		const struct oci_namespace *one = &spec->linux_.namespaces.items[i];
		if (str_empty(one->path) || str_equal(one->path, MONITOR_NETWORK))
			continue;
		return err_set(e, ERR_UNSUPPORTED,
			       "container %s cannot be stored: its %s namespace is another's, too",
			       c->name, one->type);
	}
	return oci_spec_namespace(spec, "user") ? refuse(c, "ids of its own", e) : 0;
}

/* criu binds the source anew, as it is. */
static int check_mount(const struct container *c, const struct oci_mount *mount, struct err *e)
{
	static const char *const parts[] = { "subpath=", "lower=", "of=", "idmap", "ridmap" };

	for (size_t i = 0; i < mount->options.count; i++)
		for (size_t k = 0; k < COUNT_OF(parts); k++)
			if (str_starts(mount->options.items[i], parts[k]))
				return err_set(e, ERR_UNSUPPORTED,
					       "container %s cannot be stored: its mount at %s is "
					       "more than a folder (%s)",
					       c->name, mount->destination,
					       mount->options.items[i]);
	return 0;
}

int engine_checkpoint_check(const struct container *c, const struct oci_spec *spec, struct err *e)
{
	if (runtime_user_namespace_is_inner()) {
		err_set(e, ERR_UNSUPPORTED, "criu cannot store the containers of an ordinary user");
		return err_hint(e, "root's can be stored");
	}
	if (c->pod.id || engine_pod_is(c))
		return refuse(c, "pods", e);
	int r = check_annotations(c, spec, e);
	if (r == 0)
		r = check_namespaces(c, spec, e);
	for (size_t i = 0; r == 0 && i < spec->mounts.count; i++)
		r = check_mount(c, &spec->mounts.items[i], e);
	if (r == 0 && spec->linux_.seccomp && !str_empty(spec->linux_.seccomp->listener_path))
		return refuse(c, "a seccomp filter that asks a listener", e);
	if (r == 0 && spec->linux_.intel_rdt)
		return refuse(c, "groups of resctrl", e);
	return r;
}

static bool is_child_of(const pid_t *pids, size_t count, pid_t pid)
{
	struct process_stat stat;

	if (process_stat_read(pid, &stat) < 0)
		return true; /* it has ended */
	for (size_t i = 0; i < count; i++)
		if (pids[i] == stat.parent)
			return true;
	return false;
}

int engine_checkpoint_check_processes(const struct container *c,
				      const struct runtime_container *now, struct err *e)
{
	own_free pid_t *pids = NULL;
	size_t count;

	int r = runtime_container_list(&pids, &count, now, e);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (pids[i] == (pid_t)now->pid || is_child_of(pids, count, pids[i]))
			continue;
		err_set(e, ERR_STATE,
			"container %s cannot be stored: process %d in it was started by exec",
			c->name, (int)pids[i]);
		return err_hint(e, "end it first: it could not go on elsewhere");
	}
	return r;
}

void engine_checkpoint_see_network(struct oci_spec *spec, pid_t pid)
{
	for (size_t i = 0; i < spec->linux_.namespaces.count; i++) {
		struct oci_namespace *one = &spec->linux_.namespaces.items[i];
		if (!str_equal(one->path, MONITOR_NETWORK))
			continue;
		free(one->path);
		one->path = mem_format("/proc/%d/ns/net", (int)pid);
	}
}
