#include "engine/explain.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/user_ids.h"
#include "engine/engine.h"
#include "engine/quota.h"
#include "engine/spec.h"
#include "monitor/state.h"
#include "runtime/cgroup_user.h"
#include "runtime/user_namespace.h"

static const char group[] = "Limits";

/* What was said takes away from what there is. */
static void tighter(struct explain_rows *to, const char *what, char *value, char *flag)
{
	explain_add(to, group, what, value, EXPLAIN_TIGHTER, flag);
}

static void changed(struct explain_rows *to, const char *what, char *value, char *flag)
{
	explain_add(to, group, what, value, EXPLAIN_CHANGED, flag);
}

static void unlimited(struct explain_rows *to, const char *what)
{
	explain_add(to, group, what, mem_text("no limit"), EXPLAIN_DEFAULT, NULL);
}

/* A size as a person wrote it: powers of 1024, whole. */
static char *size(int64_t bytes)
{
	static const char units[] = "bkmgt";
	size_t unit = 0;

	while (bytes && bytes % 1024 == 0 && units[unit + 1]) {
		bytes /= 1024;
		unit++;
	}
	return mem_format("%lld%c", (long long)bytes, units[unit]);
}

static void memory(struct explain_rows *to, const struct container_limits *l)
{
	own_free char *most = size(l->memory), *swap = size(l->memory_swap);
	own_free char *soft = size(l->memory_reservation);

	if (l->memory)
		tighter(to, "memory", mem_text(most), mem_format("--memory %s", most));
	else
		unlimited(to, "memory");
	if (l->memory_swap > 0)
		tighter(to, "memory and swap", mem_text(swap),
			mem_format("--memory-swap %s", swap));
	else if (l->memory && l->memory_swap == 0)
		tighter(to, "memory and swap", size(2 * l->memory),
			mem_format("--memory %s", most));
	else
		unlimited(to, "memory and swap");
	if (l->memory_reservation)
		tighter(to, "memory, when short", mem_text(soft),
			mem_format("--memory-reservation %s", soft));
	if (l->memory_swappiness)
		changed(to, "swappiness", mem_format("%lld", (long long)*l->memory_swappiness),
			mem_format("--memory-swappiness %lld", (long long)*l->memory_swappiness));
	if (l->oom_kill_disable)
		changed(to, "out of memory", mem_text("waits"), mem_text("--oom-kill-disable"));
	if (l->oom_score_adj)
		changed(to, "OOM score", mem_format("%+lld", (long long)l->oom_score_adj),
			mem_format("--oom-score-adj %lld", (long long)l->oom_score_adj));
}

static void cpu(struct explain_rows *to, const struct container_limits *l)
{
	long long quota = (long long)l->cpu_quota;

	if (l->nanocpus)
		tighter(to, "CPU", mem_format("%g CPUs", (double)l->nanocpus / 1e9),
			mem_format("--cpus %g", (double)l->nanocpus / 1e9));
	else if (quota > 0)
		tighter(to, "CPU",
			mem_format("%lld of %llu us", quota,
				   l->cpu_period ? (unsigned long long)l->cpu_period : 100000),
			mem_format("--cpu-quota %lld", quota));
	else
		unlimited(to, "CPU");
	if (l->cpu_shares)
		changed(to, "CPU weight", mem_format("%llu", (unsigned long long)l->cpu_shares),
			mem_format("--cpu-shares %llu", (unsigned long long)l->cpu_shares));
	if (l->cpuset_cpus)
		tighter(to, "CPU numbers", mem_text(l->cpuset_cpus),
			mem_format("--cpuset-cpus %s", l->cpuset_cpus));
	if (l->cpuset_mems)
		tighter(to, "memory nodes", mem_text(l->cpuset_mems),
			mem_format("--cpuset-mems %s", l->cpuset_mems));
}

/* An ordinary user's default is left out where there is no cgroup for it; *where: the caller's. */
static bool has_no_cgroup(char **where)
{
	return user_ids_are_mapped() && runtime_user_namespace_is_inner() &&
	       !runtime_cgroup_user_may(where);
}

static bool default_gives_way(struct explain_rows *to, long long most)
{
	own_free char *where = NULL;

	if (!has_no_cgroup(&where))
		return false;
	explain_add(to, group, "processes", mem_text("no limit"), EXPLAIN_WEAKER,
		    mem_format("the default, %lld, takes a cgroup: %s is not yours", most,
			       where ? where : "none"));
	return true;
}

static void pids(struct explain_rows *to, const struct container_limits *l)
{
	long long most = (long long)l->pids;
	bool more = most < 0 || most > CONTAINER_PIDS_MAX;

	if (most == CONTAINER_PIDS_MAX && default_gives_way(to, most))
		return;
	explain_add(to, group, "processes",
		    most < 0 ? mem_text("no limit") : mem_format("%lld", most),
		    more                         ? EXPLAIN_WEAKER
		    : most == CONTAINER_PIDS_MAX ? EXPLAIN_DEFAULT
						 : EXPLAIN_TIGHTER,
		    most == CONTAINER_PIDS_MAX ? NULL : mem_format("--pids-limit %lld", most));
}

static void block_io(struct explain_rows *to, const struct container_limits *l)
{
	const struct {
		const char *what, *flag;
		const struct container_device_limits *list;
	} rates[] = {
		{ "disk weight", "--blkio-weight-device", &l->blkio_weight_device },
		{ "disk, bytes read", "--device-read-bps", &l->read_bps },
		{ "disk, bytes written", "--device-write-bps", &l->write_bps },
		{ "disk, reads", "--device-read-iops", &l->read_iops },
		{ "disk, writes", "--device-write-iops", &l->write_iops },
	};
	size_t said = 0;

	if (l->blkio_weight)
		changed(to, "disk weight", mem_format("%llu", (unsigned long long)l->blkio_weight),
			mem_format("--blkio-weight %llu", (unsigned long long)l->blkio_weight));
	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		for (size_t k = 0; k < rates[i].list->count; k++) {
			const struct container_device_limit *one = &rates[i].list->items[k];
			unsigned long long rate = one->rate;
			tighter(to, rates[i].what,
				mem_format("%llu%s on %s", rate, i ? " a second" : "", one->path),
				mem_format("%s %s:%llu", rates[i].flag, one->path, rate));
			said++;
		}
	}
	if (!said && !l->blkio_weight)
		unlimited(to, "disk");
}

static char *amount(int64_t value)
{
	return value < 0 ? mem_text("unlimited") : mem_format("%lld", (long long)value);
}

static void rlimits(struct explain_rows *to, const struct container_limits *l)
{
	for (size_t i = 0; i < l->ulimits.count; i++) {
		const struct container_ulimit *one = &l->ulimits.items[i];
		own_free char *soft = amount(one->soft), *hard = amount(one->hard);
		own_free char *what = mem_format("ulimit %s", one->name);
		changed(to, what, mem_format("%s, at most %s", soft, hard),
			mem_format("--ulimit %s=%s:%s", one->name, soft, hard));
	}
	if (!l->ulimits.count)
		explain_add(to, group, "ulimits", mem_text("those of holm's caller"),
			    EXPLAIN_DEFAULT, NULL);
}

/* Where its processes are counted; known while it runs. */
static char *cgroup_path(struct engine *engine, const struct container *c)
{
	own_fd int run_fd =
		openat(engine->run_fd, c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct monitor_state state = { 0 };
	struct err none;

	if (run_fd < 0 || monitor_state_read_whole_at(&state, run_fd, &none) < 0)
		return NULL;
	char *path = mem_text(state.container.cgroup.path);
	monitor_state_clear(&state);
	return path;
}

static void disk(struct explain_rows *to, const struct container *c)
{
	own_free char *text = size(c->storage.size);

	if (!c->storage.size)
		explain_add(to, group, "disk space", mem_text("all that the store has"),
			    EXPLAIN_DEFAULT, NULL);
	else
		explain_add(to, group, "disk space",
			    mem_format("%s, %s", text,
				       engine_quota_is_apart(c) ? "a disk of its own"
								: "a project quota"),
			    EXPLAIN_CHANGED, mem_format("--storage-opt size=%s", text));
}

void explain_limits(struct explain_rows *to, struct engine *engine, const struct container *c,
		    const struct container_state *state)
{
	const struct container_limits *l = &c->limits;
	own_free char *path = container_state_live(state) ? cgroup_path(engine, c) : NULL;
	own_free char *shm = size(c->storage.shm_bytes);
	bool usual = c->storage.shm_bytes == CONTAINER_SHM_BYTES;

	memory(to, l);
	cpu(to, l);
	pids(to, l);
	block_io(to, l);
	rlimits(to, l);
	disk(to, c);
	if (!str_equal(c->security.ipc, "none"))
		explain_add(to, group, "/dev/shm", mem_text(shm),
			    usual ? EXPLAIN_DEFAULT : EXPLAIN_CHANGED,
			    usual ? NULL : mem_format("--shm-size %s", shm));
	explain_add(to, group, "figures in /proc",
		    mem_text(spec_limits_are_seen(c) ? "its own: memory, CPUs, uptime, load"
						     : "the host's"),
		    l->view ? EXPLAIN_CHANGED : EXPLAIN_DEFAULT,
		    l->view ? mem_format("--view %s", l->view) : NULL);
	if (path || l->cgroup_parent)
		explain_add(to, group, "cgroup", mem_text(path ? path : l->cgroup_parent),
			    l->cgroup_parent ? EXPLAIN_CHANGED : EXPLAIN_DEFAULT,
			    l->cgroup_parent ? mem_format("--cgroup-parent %s", l->cgroup_parent)
					     : NULL);
}
