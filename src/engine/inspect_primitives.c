/* The member "Holm": what the options came to. Someone who asks "how is this container held?"
 * reads it here without knowing what each option implies. */
#include "engine/inspect_part.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/explain.h"
#include "engine/process.h"
#include "engine/spec.h"
#include "monitor/state.h"
#include "runtime/capability.h"
#include "runtime/stats.h"
#include "storage/store.h"

static void add_namespace(struct json_object *to, const char *type, const char *mode)
{
	inspect_text(to, type, mode ? mode : "private");
}

static struct json_object *namespaces(const struct container *c)
{
	struct json_object *to = json_object_new_object();
	const struct container_security *s = &c->security;

	add_namespace(to, "mount", "private");
	add_namespace(to, "pid", s->pid);
	add_namespace(to, "network", c->network.mode);
	add_namespace(to, "ipc", s->ipc);
	add_namespace(to, "uts", s->uts);
	add_namespace(to, "cgroup", s->cgroupns);
	add_namespace(to, "user", s->userns);
	add_namespace(to, "time", spec_limits_are_seen(c) ? "private" : "host");
	return to;
}

static const char *seccomp_of(const struct container_security *s)
{
	if (str_equal(s->seccomp, "unconfined") || (!s->seccomp && s->privileged))
		return "none";
	return !s->seccomp || str_equal(s->seccomp, "builtin") ? "default" : s->seccomp_path;
}

static struct json_object *capabilities(const struct container_security *s)
{
	own_clear(strv_clear) struct strv names = { 0 };
	struct json_object *array = json_object_new_array();
	struct err unknown;
	uint64_t set = 0;

	if (spec_capabilities(&set, s, runtime_capability_own(), &unknown) == 0)
		runtime_capability_names(&names, set);
	for (size_t i = 0; i < names.count; i++)
		json_object_array_add(array, json_object_new_string(names.items[i]));
	return array;
}

/* The flags that made it weaker than by default, or tighter. */
static void add_flags(struct json_object *to, const char *key, const struct explain_rows *rows,
		      enum explain_compared compared)
{
	own_clear(strv_clear) struct strv flags = { 0 };

	for (size_t i = 0; i < rows->rows.count; i++) {
		const struct explain_row *row = &rows->rows.items[i];
		if (row->compared == compared && row->flag && !strv_contains(&flags, row->flag))
			strv_add(&flags, row->flag);
	}
	inspect_strings(to, key, &flags, false);
}

/* How often its limits were met since it was started. */
static struct json_object *failures(const struct runtime_container *c)
{
	own_clear(runtime_stats_clear) struct runtime_stats stats = { 0 };
	struct err none;
	uint64_t hugetlb = 0;

	if (runtime_stats_read(&stats, c, &none) < 0)
		return NULL;
	for (size_t i = 0; i < stats.hugetlb.count; i++)
		hugetlb += stats.hugetlb.items[i].failcnt;
	struct json_object *to = json_object_new_object();
	inspect_number(to, "Memory", (int64_t)stats.memory.usage.failcnt);
	inspect_number(to, "MemorySwap", (int64_t)stats.memory.swap.failcnt);
	inspect_number(to, "OomKills", (int64_t)runtime_cgroup_oom_kills(&c->cgroup));
	inspect_number(to, "Pids", (int64_t)stats.pids.failcnt);
	inspect_number(to, "CpuThrottled", (int64_t)stats.cpu.throttling.throttled_periods);
	inspect_number(to, "HugeTlb", (int64_t)hugetlb);
	return to;
}

/* Where its processes are counted, and what of; known while it runs. */
static void add_cgroup(struct json_object *to, struct engine *engine, const struct container *c,
		       const struct container_state *state)
{
	own_fd int run_fd = container_state_live(state)
				    ? openat(engine->run_fd, c->id,
					     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
				    : -1;
	own_clear(monitor_state_clear) struct monitor_state now = { 0 };
	struct err none;
	bool known = run_fd >= 0 && monitor_state_read_whole_at(&now, run_fd, &none) >= 0;

	json_object_object_add(to, "Cgroup",
			       known ? shape_write(&runtime_cgroup_shape, &now.container.cgroup)
				     : NULL);
	json_object_object_add(to, "Failures", known ? failures(&now.container) : NULL);
}

struct json_object *inspect_primitives(struct engine *engine, const struct container *c,
				       const struct container_state *state)
{
	struct json_object *to = json_object_new_object();
	own_clear(strv_clear) struct strv masked = { 0 }, read_only = { 0 };
	own_clear(explain_clear) struct explain_rows rows = { 0 };

	spec_masks(&masked, &read_only, &c->security);
	explain_make(&rows, engine, c, state);
	json_object_object_add(to, "Namespaces", namespaces(c));
	json_object_object_add(to, "Ids", inspect_ids(&c->security.ids));
	json_object_object_add(to, "Capabilities", capabilities(&c->security));
	inspect_text(to, "Seccomp", seccomp_of(&c->security));
	inspect_bool(to, "NoNewPrivileges", c->security.no_new_privileges);
	inspect_strings(to, "MaskedPaths", &masked, false);
	inspect_strings(to, "ReadonlyPaths", &read_only, false);
	inspect_bool(to, "Init", c->process.init);
	add_flags(to, "Weaker", &rows, EXPLAIN_WEAKER);
	add_flags(to, "Tighter", &rows, EXPLAIN_TIGHTER);
	add_cgroup(to, engine, c, state);
	inspect_number(to, "MonitorPid", state->monitor_pid);
	inspect_strings(to, "Layers", &c->image.layers, false);
	return to;
}
