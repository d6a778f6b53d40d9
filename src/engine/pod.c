#include "engine/pod.h"

#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/options.h"
#include "engine/record.h"

bool engine_pod_is(const struct container *c)
{
	return c->pod.id && str_equal(c->pod.id, c->id);
}

int engine_pod_load(struct engine *engine, const char *name, struct container *ret, struct err *e)
{
	struct container c = { 0 };
	int r = engine_load(engine, name, &c, NULL, e);

	if (r < 0 && e->kind != ERR_NOT_FOUND)
		return r;
	if (r == 0 && engine_pod_is(&c)) {
		*ret = c;
		return 0;
	}
	container_clear(&c);
	err_set(e, ERR_NOT_FOUND, "no such pod: %s", name);
	return err_hint(e, "holm pod ps lists them, holm pod create %s makes it", name);
}

/* ---- joining ---- */

static int refuse(const char *option, const char *value, const char *pod, struct err *e)
{
	err_set(e, ERR_INVALID, "%s %s and --pod %s exclude each other", option, value, pod);
	return err_hint(e, "the pod shares that namespace with all its containers");
}

static int join(struct container *c, const struct create_options *o, const char *share,
		const char *id, struct err *e)
{
	const struct {
		const char *share, *option, *said;
		char **to;
	} rows[] = {
		{ "net", "--network", o->network.count ? o->network.items[0] : NULL,
		  &c->network.mode },
		{ "net", "--ip", o->ip, NULL },
		{ "net", "--ip6", o->ip6, NULL },
		{ "net", "--mac-address", o->mac_address, NULL },
		{ "net", "--publish", o->publish.count ? o->publish.items[0] : NULL, NULL },
		{ "net", "--publish-all", o->publish_all ? "true" : NULL, NULL },
		{ "ipc", "--ipc", o->ipc, &c->security.ipc },
		{ "uts", "--uts", o->uts, &c->security.uts },
		{ "uts", "--hostname", o->hostname, NULL },
		{ "pid", "--pid", o->pid, &c->security.pid },
		{ "pid", "--children-max", o->children_max, NULL },
	};
	own_free char *mode = mem_format("container:%s", id);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!str_equal(rows[i].share, share))
			continue;
		if (!str_empty(rows[i].said))
			return refuse(rows[i].option, rows[i].said, o->pod, e);
		if (rows[i].to)
			mem_replace(rows[i].to, mode);
		if (rows[i].to == &c->network.mode)
			container_network_leave(c);
	}
	return 0;
}

/* In a PID namespace that is the pod's, its init is PID 1; in its UTS namespace the name is its. */
static void adapt(struct container *c, const struct container *pod)
{
	if (strv_contains(&pod->pod.share, "pid"))
		c->process.init = false;
	if (strv_contains(&pod->pod.share, "uts"))
		mem_replace(&c->process.hostname, pod->process.hostname);
	mem_replace(&c->pod.id, pod->id);
}

static int check_init(struct container *c, const struct create_options *o, struct err *e)
{
	if (!str_equal(o->init_ctr, "always") && !str_equal(o->init_ctr, "once"))
		return err_set(e, ERR_INVALID, "--init-ctr %s: not one of always, once",
			       o->init_ctr);
	if (str_empty(o->pod))
		return err_set(e, ERR_INVALID, "--init-ctr %s wants a --pod", o->init_ctr);
	if (!str_equal(c->restart.policy, "no"))
		return err_set(e, ERR_INVALID, "--init-ctr and --restart %s exclude each other",
			       c->restart.policy);
	mem_replace(&c->pod.init, o->init_ctr);
	return 0;
}

int engine_pod_join(int *ret_lock, struct engine *engine, const struct create_options *o,
		    struct container *c, struct err *e)
{
	own_clear(container_clear) struct container pod = { 0 };

	*ret_lock = -1;
	if (o->init_ctr && check_init(c, o, e) < 0)
		return -e->number;
	if (str_empty(o->pod))
		return 0;
	int r = engine_pod_load(engine, o->pod, &pod, e);
	if (r < 0)
		return err_add(e, "--pod");
	own_fd int lock = record_lock(engine, pod.id, true, e);
	if (lock < 0)
		return lock;
	for (size_t i = 0; r == 0 && i < pod.pod.share.count; i++)
		r = join(c, o, pod.pod.share.items[i], pod.id, e);
	if (r < 0)
		return r;
	adapt(c, &pod);
	*ret_lock = take_fd(&lock);
	return 0;
}

void engine_pod_make(struct container *c, const struct create_options *o)
{
	mem_replace(&c->pod.id, c->id);
	strv_add_all(&c->pod.share, &o->share);
}

int engine_pod_start(struct engine *engine, const struct container *c, struct err *e)
{
	const struct start_options plain = { 0 };
	struct engine_session session;

	if (!c->pod.id || engine_pod_is(c))
		return 0;
	log_debug("pod %.12s is started, unless it runs", c->pod.id);
	int r = engine_start(engine, c->pod.id, &plain, &session, e);
	return r < 0 ? err_add(e, "start the pod") : 0;
}

int engine_pod_check_empty(struct engine *engine, const struct container *c, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options all = { .all = true };
	size_t count = 0;

	if (!engine_pod_is(c))
		return 0;
	int r = engine_list(engine, &all, &rows, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < rows.count; i++)
		count += str_equal(rows.items[i].container.pod.id, c->id) &&
			 !engine_pod_is(&rows.items[i].container);
	if (!count)
		return 0;
	err_set(e, ERR_STATE, "it is a pod with %zu container%s", count, count == 1 ? "" : "s");
	return err_hint(e, "holm pod rm %s removes them, too", c->name);
}
