#include "engine/autostart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/parallel.h"
#include "engine/process.h"
#include "engine/stop.h"
#include "monitor/kill.h"

/* More starts at once only take turns on the disk and in the kernel's locks. */
enum { STARTS_AT_ONCE = 8 };

struct node {
	const struct engine_row *row;
	bool wanted; /* it is to be started, or stopped */
	bool done;
	bool failed;
	int64_t order; /* the lowest of its own and of those that need it */
	size_t *needs; /* indices of nodes */
	size_t needs_count;
};

struct plan {
	struct engine *engine;
	const struct strv *groups;
	struct engine_rows rows;
	struct node *nodes;
	size_t count;
	bool stop;
	engine_report *report;
	void *arg;
	int failed;
};

static void plan_clear(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->nodes[i].needs);
	free(plan->nodes);
	engine_rows_clear(&plan->rows);
}

/* ---- who needs whom ---- */

static void add_need(struct plan *plan, struct node *node, const char *name, size_t length)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct container *c = &plan->rows.items[i].container;
		bool named = strlen(c->name) == length && !strncmp(c->name, name, length);
		if (!named && (length < CONTAINER_ID_SHORT || strncmp(c->id, name, length) != 0))
			continue;
		node->needs = mem_resize(node->needs, node->needs_count + 1, sizeof(*node->needs));
		node->needs[node->needs_count++] = i;
		return;
	}
}

static void add_needs(struct plan *plan, struct node *node)
{
	const struct container *c = &node->row->container;
	const char *const modes[] = { c->network.mode, c->security.pid, c->security.ipc,
				      c->security.userns };

	for (size_t i = 0; i < c->requires.count; i++)
		add_need(plan, node, c->requires.items[i], strlen(c->requires.items[i]));
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		const char *name = config_container_name(modes[i]);
		if (name)
			add_need(plan, node, name, strlen(name));
	}
	for (size_t i = 0; i < c->storage.volumes_from.count; i++) {
		const char *text = c->storage.volumes_from.items[i];
		add_need(plan, node, text, strcspn(text, ":"));
	}
}

/* Handed on until nothing changes: at most once for each container. */
static void lower_orders(struct plan *plan)
{
	bool changed = true;

	for (size_t round = 0; changed && round < plan->count; round++) {
		changed = false;
		for (size_t i = 0; i < plan->count; i++) {
			const struct node *node = &plan->nodes[i];
			for (size_t k = 0; k < node->needs_count; k++) {
				struct node *needed = &plan->nodes[node->needs[k]];
				if (needed->order <= node->order)
					continue;
				needed->order = node->order;
				changed = true;
			}
		}
	}
}

/* ---- who is meant ---- */

static bool is_live(const struct container_state *state)
{
	return container_state_live(state) || state->status == CONTAINER_RESTARTING;
}

static bool is_to_start(const struct container *c, const struct container_state *state)
{
	if (is_live(state) || c->auto_remove || str_equal(c->autostart.when, "no"))
		return false;
	if (str_equal(c->autostart.when, "yes") || str_equal(c->restart.policy, "always"))
		return true;
	return str_equal(c->restart.policy, "unless-stopped") && !state->stopped;
}

static bool is_in_group(const struct container *c, const struct strv *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		if (strv_contains(&c->autostart.groups, groups->items[i]))
			return true;
	return groups->count == 0;
}

static int plan_make(struct plan *plan, struct err *e)
{
	const struct list_options all = { .all = true };

	int r = engine_list(plan->engine, &all, &plan->rows, e);
	if (r < 0)
		return r;
	plan->count = plan->rows.count;
	plan->nodes = mem_new(plan->count + 1, sizeof(*plan->nodes));
	for (size_t i = 0; i < plan->count; i++) {
		struct node *node = &plan->nodes[i];
		const struct engine_row *row = &plan->rows.items[i];
		node->row = row;
		node->order = row->container.autostart.order;
		node->wanted = plan->stop ? is_live(&row->state)
					  : is_to_start(&row->container, &row->state);
		node->wanted = node->wanted && is_in_group(&row->container, plan->groups);
		node->done = !node->wanted;
		add_needs(plan, node);
	}
	lower_orders(plan);
	return 0;
}

/* ---- in which order ---- */

static bool waits_for_another(const struct plan *plan, const struct node *node)
{
	size_t self = (size_t)(node - plan->nodes);

	if (!plan->stop) {
		for (size_t k = 0; k < node->needs_count; k++)
			if (!plan->nodes[node->needs[k]].done)
				return true;
		return false;
	}
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; !plan->nodes[i].done && k < plan->nodes[i].needs_count; k++)
			if (plan->nodes[i].needs[k] == self)
				return true;
	return false;
}

/* Needs cannot go round in a circle, since one can only name those that are there. */
static void next_round(const struct plan *plan, struct strv *to)
{
	const struct node *first = NULL;

	for (size_t i = 0; i < plan->count; i++) {
		const struct node *node = &plan->nodes[i];
		if (node->done || waits_for_another(plan, node))
			continue;
		if (!first ||
		    (plan->stop ? node->order > first->order : node->order < first->order))
			first = node;
	}
	for (size_t i = 0; first && i < plan->count; i++) {
		const struct node *node = &plan->nodes[i];
		if (!node->done && node->order == first->order && !waits_for_another(plan, node))
			strv_add(to, node->row->container.name);
	}
}

static struct node *find(struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->count; i++)
		if (str_equal(plan->rows.items[i].container.name, name))
			return &plan->nodes[i];
	return NULL;
}

static void round_done(void *arg, const char *name, const struct err *e)
{
	struct plan *plan = arg;
	struct node *node = find(plan, name);

	node->done = true;
	node->failed = e != NULL;
	plan->failed += e != NULL;
	plan->report(plan->arg, name, e);
}

/* lxc.start.delay: of several that were started at once the longest one. */
static void wait_behind(struct plan *plan, const struct strv *names)
{
	struct timespec pause = { 0 };

	for (size_t i = 0; !plan->stop && i < names->count; i++) {
		const struct node *node = find(plan, names->items[i]);
		int64_t delay_s = node->row->container.autostart.delay_s;
		if (!node->failed && delay_s > pause.tv_sec)
			pause.tv_sec = delay_s;
	}
	bool more = false;
	for (size_t i = 0; i < plan->count; i++)
		more |= !plan->nodes[i].done;
	while (more && pause.tv_sec && nanosleep(&pause, &pause) < 0 && errno == EINTR)
		;
}

static void run_plan(struct plan *plan, size_t at_once, engine_parallel_call *call, const void *arg)
{
	for (;;) {
		own_clear(strv_clear) struct strv names = { 0 };
		next_round(plan, &names);
		if (names.count == 0)
			return;
		engine_parallel(plan->engine, &names, at_once, call, arg, round_done, plan);
		wait_behind(plan, &names);
	}
}

/* ---- starting and stopping ---- */

static int start_one(struct engine *engine, const char *name, const void *arg, struct err *e)
{
	const struct start_options plain = { 0 };
	struct engine_session session;

	(void)arg;
	int r = engine_start(engine, name, &plain, &session, e);
	if (r == 0)
		engine_session_close(&session);
	return r;
}

int engine_autostart(struct engine *engine, const struct strv *groups, engine_report *report,
		     void *arg, struct err *e)
{
	own_clear(plan_clear) struct plan plan = {
		.engine = engine, .groups = groups, .report = report, .arg = arg
	};

	int r = plan_make(&plan, e);
	if (r < 0)
		return r;
	run_plan(&plan, STARTS_AT_ONCE, start_one, NULL);
	return plan.failed;
}

static int64_t now_ms(void)
{
	return moment_monotonic_ns() / 1000000;
}

/* A frozen container is thawed by its monitor. */
static int stop_one(struct engine *engine, const char *name, const void *arg, struct err *e)
{
	const struct monitor_stop kill = { .timeout_s = 0 };
	const int64_t *deadline_ms = arg;
	char id[CONTAINER_ID_LENGTH + 1];

	int r = engine_find(engine, name, id, e);
	if (r < 0)
		return r;
	own_free char *run_dir = engine_process_run_dir(engine, id);
	int64_t wait_ms = *deadline_ms < 0 ? -1 : *deadline_ms - now_ms();
	if (*deadline_ms >= 0 && wait_ms < 0)
		wait_ms = 0;
	r = monitor_kill_shutdown(run_dir, (int)wait_ms, e);
	return r < 0 && e->kind == ERR_TIMEOUT ? engine_stop_one(engine, id, &kill, e) : r;
}

int engine_autostart_stop(struct engine *engine, const struct strv *groups, int64_t timeout_s,
			  engine_report *report, void *arg, struct err *e)
{
	own_clear(plan_clear) struct plan plan = {
		.engine = engine, .groups = groups, .stop = true, .report = report, .arg = arg
	};

	const int64_t deadline_ms = timeout_s < 0 ? -1 : now_ms() + timeout_s * 1000;

	int r = plan_make(&plan, e);
	if (r < 0)
		return r;
	run_plan(&plan, 0, stop_one, &deadline_ms);
	return plan.failed;
}
