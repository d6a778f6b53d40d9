/* The pod first, then its containers from the oldest on: what one of them has of another's, that
 * one has been cloned before. The clone's lock keeps it from being removed meanwhile, as in
 * create.c. */
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "engine/clone.h"
#include "engine/pods.h"
#include "engine/record.h"

enum { NAMES_TRIED = 1000 };

/* "web-clone", "web-clone1": podman's. Whoever takes it meanwhile makes the clone fail. */
static char *free_name(struct engine *engine, const char *name)
{
	char id[CONTAINER_ID_LENGTH + 1];

	for (int i = 0; i < NAMES_TRIED; i++) {
		own_free char *tried =
			i ? mem_format("%s-clone%d", name, i) : mem_format("%s-clone", name);
		if (!engine_find_name(engine, tried, id))
			return take_ptr(&tried);
	}
	return mem_format("%s-clone", name);
}

static int clone_one(struct engine *engine, const struct container *of, char *name,
		     const char *hostname, struct shape_map *moved, struct container *made,
		     struct err *e)
{
	const struct clone_options how = { .name = name, .moved = moved, .hostname = hostname };

	int r = engine_clone(engine, of->id, &how, made, e);
	if (r == 0)
		shape_map_set(moved, of->id, made->id);
	return r < 0 ? err_add(e, "%s", of->name) : 0;
}

static int clone_members(struct engine *engine, const struct engine_pod *pod,
			 const struct container *to, struct shape_map *moved, struct err *e)
{
	int r = 0;

	own_fd int lock = record_lock(engine, to->id, true, e);
	if (lock < 0)
		return lock;
	for (size_t i = pod->count; r == 0 && i-- > 0;) { /* the newest is the first */
		own_clear(container_clear) struct container made = { 0 };
		const struct container *c = &pod->members[i]->container;
		own_free char *name = free_name(engine, c->name);
		bool shares = strv_contains(&to->pod.share, "uts");
		r = clone_one(engine, c, name, shares ? to->process.hostname : NULL, moved, &made,
			      e);
	}
	return r;
}

static int clone_all(struct engine *engine, const struct engine_pod *pod,
		     const struct pod_clone_options *o, struct container *made, struct err *e)
{
	const struct remove_options force = { .force = true };
	own_clear(shape_map_clear) struct shape_map moved = { 0 };
	const struct container *c = &pod->pod->container;
	own_free char *name = o->name ? mem_text(o->name) : free_name(engine, c->name);
	struct err ignored;

	int r = clone_one(engine, c, name, NULL, &moved, made, e);
	if (r < 0)
		return r;
	r = clone_members(engine, pod, made, &moved, e);
	if (r < 0 && engine_pods_remove(engine, made->id, &force, &ignored) < 0)
		log_warning("pod %s stays, half made: %s", made->name, ignored.text);
	return r;
}

int engine_pods_clone(struct engine *engine, const char *name, const struct pod_clone_options *o,
		      char **ret_id, struct err *e)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	own_clear(container_clear) struct container made = { 0 };
	const struct remove_options force = { .force = true };
	const struct engine_pod *pod;

	int r = engine_pods_find(engine, name, &pods, &pod, e);
	if (r == 0)
		r = clone_all(engine, pod, o, &made, e);
	if (r < 0)
		return r;
	*ret_id = mem_text(made.id);
	if (o->destroy)
		r = engine_pods_remove(engine, pod->pod->container.id, &force, e);
	if (r == 0 && o->start)
		r = engine_pods_start(engine, made.id, e);
	return r;
}
