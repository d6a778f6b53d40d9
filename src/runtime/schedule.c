#include "runtime/schedule.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"

/* sched_setattr(2); <linux/sched/types.h> cannot stand beside glibc's <sched.h> */
struct sched_attr {
	uint32_t size;
	uint32_t sched_policy;
	uint64_t sched_flags;
	int32_t sched_nice;
	uint32_t sched_priority;
	uint64_t sched_runtime;
	uint64_t sched_deadline;
	uint64_t sched_period;
};

struct word {
	const char *word;
	uint64_t value;
};

/* sched(7); the numbers are the kernel's, uapi/linux/sched.h */
static const struct word policies[] = {
	{ "SCHED_OTHER", 0 }, { "SCHED_FIFO", 1 }, { "SCHED_RR", 2 },       { "SCHED_BATCH", 3 },
	{ "SCHED_ISO", 4 },   { "SCHED_IDLE", 5 }, { "SCHED_DEADLINE", 6 },
};

static const struct word scheduler_flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", 0x01 },  { "SCHED_FLAG_RECLAIM", 0x02 },
	{ "SCHED_FLAG_DL_OVERRUN", 0x04 },     { "SCHED_FLAG_KEEP_POLICY", 0x08 },
	{ "SCHED_FLAG_KEEP_PARAMS", 0x10 },    { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 },
};

static const struct word io_classes[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
};

/* set_mempolicy(2), uapi/linux/mempolicy.h */
static const struct word memory_modes[] = {
	{ "MPOL_DEFAULT", 0 },
	{ "MPOL_PREFERRED", 1 },
	{ "MPOL_BIND", 2 },
	{ "MPOL_INTERLEAVE", 3 },
	{ "MPOL_LOCAL", 4 },
	{ "MPOL_PREFERRED_MANY", 5 },
	{ "MPOL_WEIGHTED_INTERLEAVE", 6 },
};

static const struct word memory_flags[] = {
	{ "MPOL_F_NUMA_BALANCING", 1 << 13 },
	{ "MPOL_F_RELATIVE_NODES", 1 << 14 },
	{ "MPOL_F_STATIC_NODES", 1 << 15 },
};

static const struct word personalities[] = {
	{ "LINUX", PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
};

static int find(uint64_t *ret, const struct word *words, size_t count, const char *text,
		const char *what, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(words[i].word, text)) {
			*ret = words[i].value;
			return 0;
		}
	return err_set(e, ERR_INVALID, "%s '%s' is unknown", what, text ? text : "");
}

static int read_scheduler(struct sched_attr *ret, const struct oci_scheduler *s, struct err *e)
{
	uint64_t policy = 0, flags = 0;

	int r = find(&policy, policies, COUNT_OF(policies), s->policy, "scheduler.policy", e);
	for (size_t i = 0; r == 0 && i < s->flags.count; i++) {
		uint64_t flag = 0;
		r = find(&flag, scheduler_flags, COUNT_OF(scheduler_flags), s->flags.items[i],
			 "scheduler.flags", e);
		flags |= r == 0 ? flag : 0;
	}
	if (r < 0)
		return r;
	if (s->priority < 0 || s->priority > 99 || s->nice < -20 || s->nice > 19)
		return err_set(e, ERR_INVALID, "scheduler: nice or priority is out of range");
	*ret = (struct sched_attr){
		.size = sizeof(*ret),
		.sched_policy = (uint32_t)policy,
		.sched_flags = flags,
		.sched_nice = (int32_t)s->nice,
		.sched_priority = (uint32_t)s->priority,
		.sched_runtime = s->runtime,
		.sched_deadline = s->deadline,
		.sched_period = s->period,
	};
	return 0;
}

static int read_io_priority(int *ret, const struct oci_io_priority *p, struct err *e)
{
	uint64_t class = 0;

	int r = find(&class, io_classes, COUNT_OF(io_classes), p->class, "ioPriority.class", e);
	if (r < 0)
		return r;
	if (p->priority < 0 || p->priority > 7)
		return err_set(e, ERR_INVALID, "ioPriority.priority %lld is not within 0 to 7",
			       (long long)p->priority);
	*ret = (int)(class << IOPRIO_CLASS_SHIFT | (uint64_t)p->priority);
	return 0;
}

/* "0-3,7" */
static int read_list(cpu_set_t *ret, const char *text, const char *what, struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };

	CPU_ZERO(ret);
	strv_split(&parts, text, ',');
	for (size_t i = 0; i < parts.count; i++) {
		char *dash = strchr(parts.items[i], '-');
		uint64_t first, last;
		if (dash)
			*dash = '\0';
		int r = number_parse_u64(&first, parts.items[i], CPU_SETSIZE - 1, e);
		last = first;
		if (r == 0 && dash)
			r = number_parse_u64(&last, dash + 1, CPU_SETSIZE - 1, e);
		if (r < 0)
			return err_add(e, "%s '%s'", what, text);
		for (uint64_t cpu = first; cpu <= last; cpu++)
			CPU_SET(cpu, ret);
	}
	return 0;
}

static int read_memory_policy(int *ret, cpu_set_t *nodes, const struct oci_memory_policy *p,
			      struct err *e)
{
	uint64_t mode = 0, flag = 0;

	CPU_ZERO(nodes);
	int r = find(&mode, memory_modes, COUNT_OF(memory_modes), p->mode, "memoryPolicy.mode", e);
	for (size_t i = 0; r == 0 && i < p->flags.count; i++) {
		r = find(&flag, memory_flags, COUNT_OF(memory_flags), p->flags.items[i],
			 "memoryPolicy.flags", e);
		mode |= flag;
	}
	if (r == 0 && !str_empty(p->nodes))
		r = read_list(nodes, p->nodes, "memoryPolicy.nodes", e);
	*ret = (int)mode;
	return r;
}

int runtime_schedule_check(const struct oci_spec *spec, const struct oci_process *p, struct err *e)
{
	struct sched_attr attr;
	cpu_set_t set;
	int io, mode;

	int r = p->scheduler ? read_scheduler(&attr, p->scheduler, e) : 0;
	if (r == 0 && p->io_priority)
		r = read_io_priority(&io, p->io_priority, e);
	if (r == 0 && p->exec_cpu_affinity && !str_empty(p->exec_cpu_affinity->final))
		r = read_list(&set, p->exec_cpu_affinity->final, "execCPUAffinity", e);
	if (r == 0 && spec->linux_.memory_policy)
		r = read_memory_policy(&mode, &set, spec->linux_.memory_policy, e);
	return r;
}

static int apply_linux(const struct oci_linux *l, struct err *e)
{
	uint64_t domain = 0;
	cpu_set_t nodes;
	int mode;

	if (l->memory_policy) {
		int r = read_memory_policy(&mode, &nodes, l->memory_policy, e);
		if (r < 0)
			return r;
		/* the kernel takes one bit less than it is told */
		if (syscall(SYS_set_mempolicy, mode, CPU_COUNT(&nodes) ? &nodes : NULL,
			    CPU_COUNT(&nodes) ? CPU_SETSIZE + 1 : 0) < 0)
			return err_sys(e, "set the memory policy %s", l->memory_policy->mode);
	}
	if (l->personality) {
		int r = find(&domain, personalities, COUNT_OF(personalities),
			     l->personality->domain, "linux.personality.domain", e);
		if (r < 0)
			return r;
		if (l->personality->flags.count)
			return err_set(e, ERR_INVALID,
				       "linux.personality: the specification "
				       "knows no flags");
		if (personality(domain) < 0)
			return err_sys(e, "set the personality");
	}
	return 0;
}

int runtime_schedule_apply_in_child(const struct oci_spec *spec, const struct oci_process *p,
				    struct err *e)
{
	struct sched_attr attr;
	cpu_set_t cpus;
	int io;

	if (p->scheduler) {
		int r = read_scheduler(&attr, p->scheduler, e);
		if (r < 0)
			return r;
		if (syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
			return err_sys(e, "set the scheduler %s", p->scheduler->policy);
	}
	if (p->io_priority) {
		int r = read_io_priority(&io, p->io_priority, e);
		if (r < 0)
			return r;
		if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, io) < 0)
			return err_sys(e, "set the I/O priority");
	}
	if (p->exec_cpu_affinity && !str_empty(p->exec_cpu_affinity->final)) {
		int r = read_list(&cpus, p->exec_cpu_affinity->final, "execCPUAffinity", e);
		if (r < 0)
			return r;
		if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
			return err_sys(e, "set the CPU affinity");
	}
	return apply_linux(&spec->linux_, e);
}
