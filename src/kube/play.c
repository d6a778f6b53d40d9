#include "kube/play.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/pods.h"
#include "kube/down.h"
#include "kube/make.h"
#include "kube/set.h"
#include "kube/source.h"
#include "kube/wait.h"

void kube_play_report_clear(struct kube_report *report)
{
	strv_clear(&report->volumes);
	for (size_t i = 0; i < report->pods.count; i++) {
		free(report->pods.items[i].id);
		strv_clear(&report->pods.items[i].containers);
	}
	free(report->pods.items);
	*report = (struct kube_report){ 0 };
}

static void clear_made(struct kube_made *made)
{
	strv_clear(&made->secrets);
	strv_clear(&made->volumes);
	strv_clear(&made->pods);
}

struct playing {
	struct engine *engine;
	const struct kube_play_options *o;
	struct kube_made made;
	struct kube_report *report;
};

/* ---- making ---- */

/* runAsNonRoot, as the kubelet has it: a name proves nothing. */
static int check_user(const struct container *c, struct err *e)
{
	const char *user = str_empty(c->process.user) ? "0" : c->process.user;
	size_t digits = strspn(user, "0123456789");

	if (digits && (!user[digits] || user[digits] == ':'))
		return strtoul(user, NULL, 10)
			       ? 0
			       : err_set(e, ERR_INVALID, "runAsNonRoot, and the user is root");
	err_set(e, ERR_INVALID, "runAsNonRoot, and the image's user '%s' is a name, not a number",
		user);
	return err_hint(e, "runAsUser says the number");
}

static int make_container(struct playing *p, const struct kube_plan_container *container,
			  struct strv *ids, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };

	int r = engine_create(p->engine, &container->o, &c, e);
	if (r == 0 && container->non_root)
		r = check_user(&c, e);
	if (r == 0 && !container->init)
		strv_add(ids, c.id);
	return r;
}

static int make_containers(struct playing *p, const struct kube_plan_pod *pod, struct strv *ids,
			   struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pod->containers.count; i++) {
		const struct kube_plan_container *container = &pod->containers.items[i];
		r = make_container(p, container, ids, e);
		if (r < 0)
			err_add(e, "%s:%u: container %s", pod->file, container->line,
				container->name);
	}
	return r;
}

/* What its containers need. The pod is there by now: its name is a lock on all that bears it. */
static int make_needs(struct playing *p, const struct kube_plan_pod *pod, struct err *e)
{
	own_clear(container_clear) struct container made = { 0 };
	int r = engine_load(p->engine, pod->o.name, &made, NULL, e);

	for (size_t i = 0; r == 0 && i < pod->paths.count; i++)
		r = kube_make_path(&pod->paths.items[i], pod->file, e);
	for (size_t i = 0; r == 0 && i < pod->volumes.count; i++)
		r = kube_make_volume(&p->made, p->engine, &made, &pod->volumes.items[i], e);
	for (size_t i = 0; r == 0 && i < pod->parts.count; i++)
		r = kube_make_part(&p->made, p->engine, &made, &pod->parts.items[i], e);
	for (size_t i = 0; r == 0 && i < pod->secrets.count; i++)
		r = kube_make_secret(&p->made, p->engine, &pod->secrets.items[i], pod->o.name, true,
				     e);
	return r;
}

static int make_pod(struct playing *p, const struct kube_plan_pod *pod, struct err *e)
{
	struct kube_report_pod *to = shape_list_add(&p->report->pods);

	log_debug("make pod %s of %zu containers", pod->o.name, pod->containers.count);
	int r = engine_pods_create(p->engine, &pod->o, &to->id, e);
	if (r < 0) {
		if (e->kind == ERR_EXISTS) {
			e->hint[0] = '\0';
			err_hint(e, "--replace removes what an earlier call has made");
		}
		return err_add(e, "%s:%u: pod %s", pod->file, pod->line, pod->o.name);
	}
	strv_add(&p->made.pods, to->id);
	r = make_needs(p, pod, e);
	return r < 0 ? r : make_containers(p, pod, &to->containers, e);
}

static int make_all(struct playing *p, const struct kube_plan *plan, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->secrets.count; i++)
		r = kube_make_secret(&p->made, p->engine, &plan->secrets.items[i], NULL,
				     p->o->replace, e);
	for (size_t i = 0; r == 0 && i < plan->claims.count; i++) {
		r = kube_make_claim(&p->made, p->engine, &plan->claims.items[i], e);
		strv_add(&p->report->volumes, plan->claims.items[i].name);
	}
	for (size_t i = 0; r == 0 && i < plan->pods.count; i++)
		r = make_pod(p, &plan->pods.items[i], e);
	return r;
}

/* ---- starting ---- */

/* Has one of those that run first said no? Then all stays, for who looks for the reason. */
static bool init_failed(struct engine *engine, const char *id)
{
	own_clear(engine_pods_clear) struct engine_pods pods = { 0 };
	const struct engine_pod *pod;
	struct err ignored;

	if (engine_pods_find(engine, id, &pods, &pod, &ignored) < 0)
		return false;
	for (size_t i = 0; i < pod->count; i++)
		if (pod->members[i]->container.pod.init &&
		    pod->members[i]->state.status == CONTAINER_EXITED &&
		    pod->members[i]->state.exit_code != 0)
			return true;
	return false;
}

static unsigned line_of(const struct kube_plan_pod *pod, const char *error)
{
	for (size_t i = 0; i < pod->containers.count; i++) {
		const struct kube_plan_container *c = &pod->containers.items[i];
		own_free char *words = mem_format("container %s", c->o.name);
		const char *at = strstr(error, words);
		if (at && (at[strlen(words)] == ':' || at[strlen(words)] == ' '))
			return c->line;
	}
	return pod->line;
}

static int start_all(struct playing *p, const struct kube_plan *plan, bool *ret_keep, struct err *e)
{
	*ret_keep = false;
	for (size_t i = 0; i < plan->pods.count; i++) {
		const struct kube_plan_pod *pod = &plan->pods.items[i];
		const char *id = p->report->pods.items[i].id;
		int r = engine_pods_start(p->engine, id, e);
		if (r < 0) {
			*ret_keep = init_failed(p->engine, id);
			return err_add(e, "%s:%u: start pod %s", pod->file, line_of(pod, e->text),
				       pod->o.name);
		}
	}
	return 0;
}

/* ---- all ---- */

static int read_config_maps(struct kube_set *set, const struct engine *engine,
			    const struct strv *places, struct err *e)
{
	for (size_t i = 0; i < places->count; i++) {
		own_clear(strv_clear) struct strv paths = { 0 };
		strv_split(&paths, places->items[i], ',');
		for (size_t k = 0; k < paths.count; k++) {
			size_t before = set->count;
			int r = kube_source_add(set, engine, paths.items[k], e);
			if (r < 0)
				return err_add(e, "--configmap");
			for (size_t n = before; n < set->count; n++)
				if (strcmp(set->items[n].object->kind, "ConfigMap") != 0)
					return err_set(e, ERR_INVALID,
						       "--configmap %s: a %s is in it",
						       paths.items[k], set->items[n].object->kind);
		}
	}
	return 0;
}

static int play(struct playing *p, struct kube_set *set, struct err *e)
{
	own_clear(kube_plan_clear) struct kube_plan plan = { 0 };
	own_clear(kube_down_removed_clear) struct kube_removed removed = { 0 };
	bool keep = false;

	int r = kube_plan_make(&plan, set, p->engine->store, &p->o->plan, e);
	if (r == 0 && p->o->replace)
		r = kube_down_set(p->engine, set, false, &removed, e);
	if (r < 0)
		return r;
	r = make_all(p, &plan, e);
	if (r == 0 && (!p->o->start_given || p->o->start))
		r = start_all(p, &plan, &keep, e);
	if (r < 0 && !keep)
		kube_make_undo(&p->made, p->engine);
	if (r == 0 && p->o->made)
		p->o->made(p->report);
	if (r < 0 || !p->o->wait)
		return r;
	r = kube_wait(p->engine, p->report, e);
	return r < 0 ? r : kube_down_set(p->engine, set, p->o->force, &removed, e);
}

int kube_play(struct engine *engine, const char *place, const struct kube_play_options *o,
	      struct kube_report *report, struct err *e)
{
	own_clear(kube_set_clear) struct kube_set set = { 0 };
	struct playing p = { .engine = engine, .o = o, .report = report };

	int r = kube_source_add(&set, engine, place, e);
	if (r == 0 && set.count == 0)
		r = err_set(e, ERR_INVALID, "%s: there is nothing in it", place);
	if (r == 0)
		r = read_config_maps(&set, engine, &o->configmap, e);
	if (r == 0)
		r = play(&p, &set, e);
	clear_made(&p.made);
	return r;
}
