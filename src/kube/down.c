#include "kube/down.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/pods.h"
#include "engine/volumes.h"
#include "kube/plan.h"
#include "kube/set.h"
#include "kube/source.h"
#include "storage/secret.h"
#include "storage/store.h"
#include "storage/volume.h"

void kube_down_removed_clear(struct kube_removed *removed)
{
	strv_clear(&removed->stopped);
	strv_clear(&removed->removed);
	strv_clear(&removed->secrets);
	strv_clear(&removed->volumes);
}

/* ---- pods ---- */

/* One of this name, if the object is a Pod; or what the object has made, however many. */
static bool is_of(const struct container *pod, const struct kube_object *object)
{
	own_free char *owner = mem_format("%s/%s", object->kind, object->metadata->name);
	bool named = !strcmp(object->kind, "Pod") && str_equal(pod->name, object->metadata->name);

	return named || str_equal(shape_map_get(&pod->labels, KUBE_PLAN_LABEL_OWNER), owner);
}

static bool is_wanted(const struct container *pod, const struct kube_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (is_of(pod, set->items[i].object))
			return true;
	return false;
}

static int remove_volumes(struct engine *engine, const char *pod, struct err *e)
{
	own_clear(storage_volumes_clear) struct storage_volumes all = { 0 };

	int r = storage_volume_list(&all, engine->store, e);
	for (size_t i = 0; r == 0 && i < all.items.count; i++)
		if (str_equal(shape_map_get(&all.items.items[i].labels, KUBE_PLAN_LABEL_POD), pod))
			r = engine_volumes_remove(engine, all.items.items[i].name, true, e);
	return r;
}

static int remove_secrets(struct engine *engine, const char *label, const char *value,
			  struct strv *removed, struct err *e)
{
	own_clear(storage_secrets_clear) struct storage_secrets all = { 0 };

	int r = storage_secret_list(&all, engine->store, e);
	for (size_t i = 0; r == 0 && i < all.items.count; i++) {
		const struct storage_secret *secret = &all.items.items[i];
		if (!str_equal(shape_map_get(&secret->labels, label), value))
			continue;
		r = storage_secret_remove(engine->store, secret->name, e);
		if (r < 0 && e->kind == ERR_NOT_FOUND)
			r = 0;
		else if (r == 0)
			strv_add(removed, secret->name);
	}
	return r;
}

static int remove_pod(struct engine *engine, const struct container *pod,
		      struct kube_removed *removed, struct err *e)
{
	const struct remove_options force = { .force = true, .volumes = true };
	const struct stop_options gently = { 0 };
	own_clear(strv_clear) struct strv composed = { 0 };

	int r = engine_pods_stop(engine, pod->id, &gently, e);
	if (r < 0 && e->kind == ERR_NOT_FOUND)
		return 0;
	if (r < 0)
		return r;
	strv_add(&removed->stopped, pod->id);
	r = engine_pods_remove(engine, pod->id, &force, e);
	if (r < 0)
		return r;
	strv_add(&removed->removed, pod->id);
	r = remove_volumes(engine, pod->name, e);
	return r < 0 ? r : remove_secrets(engine, KUBE_DATA_LABEL_POD, pod->name, &composed, e);
}

static int remove_pods(struct engine *engine, const struct kube_set *set,
		       struct kube_removed *removed, struct err *e)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };

	int r = engine_pods_list(engine, &pods, e);
	for (size_t i = pods.items.count; r == 0 && i-- > 0;) {
		const struct container *pod = &pods.items.items[i].pod->container;
		if (!is_wanted(pod, set))
			continue;
		r = remove_pod(engine, pod, removed, e);
		if (r < 0)
			err_add(e, "pod %s", pod->name);
	}
	return r;
}

/* ---- what is not a pod's ---- */

static int remove_object(struct engine *engine, const struct kube_object *object, bool force,
			 struct kube_removed *removed, struct err *e)
{
	const char *name = object->metadata->name;

	if (!strcmp(object->kind, "Secret"))
		return remove_secrets(engine, KUBE_DATA_LABEL_SECRET, name, &removed->secrets, e);
	if (!force || strcmp(object->kind, "PersistentVolumeClaim") != 0)
		return 0;
	int r = engine_volumes_remove(engine, name, false, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : err_add(e, "volume %s", name);
	strv_add(&removed->volumes, name);
	return 0;
}

int kube_down_set(struct engine *engine, const struct kube_set *set, bool force,
		  struct kube_removed *removed, struct err *e)
{
	int r = remove_pods(engine, set, removed, e);

	for (size_t i = 0; r == 0 && i < set->count; i++)
		r = remove_object(engine, set->items[i].object, force, removed, e);
	return r;
}

int kube_down(struct engine *engine, const char *place, bool force, struct kube_removed *removed,
	      struct err *e)
{
	own_clear(kube_set_clear) struct kube_set set = { 0 };

	int r = kube_source_add(&set, engine, place, e);
	return r < 0 ? r : kube_down_set(engine, &set, force, removed, e);
}
