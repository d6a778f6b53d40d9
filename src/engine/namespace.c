#include "engine/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/record.h"
#include "engine/spec.h"
#include "storage/store.h"

/* The path of one namespace of a running container's first process. */
static int namespace_path(struct spec_joined *ret, struct engine *engine, const char *id,
			  const char *file, const char *option, struct err *e)
{
	struct container_state state;
	int r = engine_state_read(engine, id, &state, e);

	if (r < 0)
		return err_add(e, "%s container:%.12s", option, id);
	if (!container_state_live(&state) || state.pid <= 0) {
		err_set(e, ERR_STATE, "%s container:%.12s: it is not running", option, id);
		return err_hint(e, "start it first: holm start %.12s", id);
	}
	ret->path = mem_format("/proc/%d/ns/%s", (int)state.pid, file);
	log_debug("%s of container %.12s: %s", option, id, ret->path);
	ret->owner = mem_format("%d:%llu", (int)state.pid, (unsigned long long)state.pid_start);
	return 0;
}

/* ns:PATH: what somebody else made and keeps, as `ip netns add` does. */
static int join_named(struct spec_joined *ret, const char *path, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "--network ns:%s", path);
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(e, ERR_INVALID, "--network ns:%s: not a network namespace", path);
	ret->path = mem_text(path);
	return 0;
}

static int join_network(struct engine *engine, const struct container *c,
			struct spec_context *context, struct err *e)
{
	const char *id = config_container_name(c->network.mode);

	if (str_starts(c->network.mode, "ns:"))
		return join_named(&context->network_namespace, c->network.mode + strlen("ns:"), e);
	if (!id)
		return 0;

	int r = namespace_path(&context->network_namespace, engine, id, "net", "--network", e);
	if (r == 0)
		context->files = mem_format("%s/containers/%s", engine->store->root, id);
	return r;
}

/* Whose IPC namespace is joined, shares its /dev/shm as well. */
static int join_ipc(struct engine *engine, const struct container *c, struct spec_context *context,
		    struct err *e)
{
	const char *id = config_container_name(c->security.ipc);
	own_clear(container_clear) struct container other = { 0 };

	int r = record_read(engine, id, &other, e);
	if (r == 0)
		r = namespace_path(&context->ipc_namespace, engine, id, "ipc", "--ipc", e);
	if (r < 0)
		return r;
	context->shm = mem_text("/dev/shm");
	if (str_equal(other.security.ipc, "host"))
		return 0;
	if (!str_equal(other.security.ipc, "shareable")) {
		err_set(e, ERR_STATE, "--ipc container:%s: it keeps its memory to itself",
			other.name);
		return err_hint(e, "run that one with --ipc shareable");
	}
	context->shm_owner = mem_text(context->ipc_namespace.owner);
	return 0;
}

static int resolve_ipc(struct engine *engine, const struct container *c,
		       struct spec_context *context, struct err *e)
{
	if (config_container_name(c->security.ipc))
		return join_ipc(engine, c, context, e);
	if (str_equal(c->security.ipc, "host"))
		context->shm = mem_text("/dev/shm");
	return 0;
}

int engine_namespace_resolve(struct engine *engine, const struct container *c,
			     struct spec_context *context, struct err *e)
{
	const char *pid = config_container_name(c->security.pid);
	const char *user = config_container_name(c->security.userns);
	const char *uts = config_container_name(c->security.uts);
	int r = 0;

	if (pid)
		r = namespace_path(&context->pid_namespace, engine, pid, "pid", "--pid", e);
	if (r == 0 && user)
		r = namespace_path(&context->user_namespace, engine, user, "user", "--userns", e);
	if (r == 0 && uts)
		r = namespace_path(&context->uts_namespace, engine, uts, "uts", "--uts", e);
	if (r == 0)
		r = resolve_ipc(engine, c, context, e);
	if (r == 0)
		r = join_network(engine, c, context, e);
	return r;
}
