#include "runtime/scheduler.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/word.h"

/* sched_setattr(2), SCHED_ATTR_SIZE_VER1; <linux/sched/types.h> cannot stand beside glibc's
 * <sched.h> */
struct sched_attr {
	uint32_t size;
	uint32_t sched_policy;
	uint64_t sched_flags;
	int32_t sched_nice;
	uint32_t sched_priority;
	uint64_t sched_runtime;
	uint64_t sched_deadline;
	uint64_t sched_period;
	uint32_t sched_util_min;
	uint32_t sched_util_max;
};

/* sched(7); the numbers are the kernel's, uapi/linux/sched.h */
enum { OTHER, FIFO, RR, BATCH, ISO, IDLE, DEADLINE };

static const struct runtime_word policies[] = {
	{ "SCHED_OTHER", OTHER },
	{ "SCHED_FIFO", FIFO },
	{ "SCHED_RR", RR },
	{ "SCHED_BATCH", BATCH },
	{ "SCHED_ISO", ISO },
	{ "SCHED_IDLE", IDLE },
	{ "SCHED_DEADLINE", DEADLINE },
	{ 0 },
};

enum { RESET_ON_FORK = 0x01 };

static const struct runtime_word flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", 0x02 },
	{ "SCHED_FLAG_DL_OVERRUN", 0x04 },
	{ "SCHED_FLAG_KEEP_POLICY", 0x08 },
	{ "SCHED_FLAG_KEEP_PARAMS", 0x10 },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 },
	{ 0 },
};

/* sched(7): the least runtime that the kernel takes */
enum { DEADLINE_RUNTIME_MIN_NS = 1024 };

static int check_realtime(const struct oci_scheduler *s, bool realtime, struct err *e)
{
	if (realtime && (s->priority < 1 || s->priority > 99))
		return err_set(e, ERR_INVALID,
			       "process.scheduler.priority %lld is not within 1 to 99, as %s takes",
			       (long long)s->priority, s->policy);
	if (!realtime && s->priority != 0)
		return err_set(e, ERR_INVALID,
			       "process.scheduler.priority is for SCHED_FIFO and SCHED_RR, not %s",
			       s->policy);
	return 0;
}

static int check_deadline(const struct oci_scheduler *s, bool is_deadline, struct err *e)
{
	uint64_t period = s->period ? s->period : s->deadline;

	if (!is_deadline && (s->runtime || s->deadline || s->period))
		return err_set(e, ERR_INVALID,
			       "process.scheduler.runtime, deadline and period are for "
			       "SCHED_DEADLINE, not %s",
			       s->policy);
	if (is_deadline && (s->runtime < DEADLINE_RUNTIME_MIN_NS || s->deadline < s->runtime ||
			    period < s->deadline))
		return err_set(e, ERR_INVALID,
			       "process.scheduler: SCHED_DEADLINE takes %d ns <= runtime <= "
			       "deadline <= period",
			       DEADLINE_RUNTIME_MIN_NS);
	return 0;
}

static int read_scheduler(struct sched_attr *ret, const struct oci_scheduler *s, struct err *e)
{
	uint64_t policy = 0, all = 0;

	int r = runtime_word_find(&policy, policies, s->policy, "process.scheduler.policy", e);
	if (r == 0)
		r = runtime_word_flags(&all, flags, &s->flags, "process.scheduler.flags", e);
	if (r < 0)
		return r;
	if (s->nice < -20 || s->nice > 19)
		return err_set(e, ERR_INVALID,
			       "process.scheduler.nice %lld is not within -20 to 19",
			       (long long)s->nice);
	r = check_realtime(s, policy == FIFO || policy == RR, e);
	if (r == 0)
		r = check_deadline(s, policy == DEADLINE, e);
	if (r < 0)
		return r;
	*ret = (struct sched_attr){
		.size = sizeof(*ret),
		.sched_policy = (uint32_t)policy,
		.sched_flags = all,
		.sched_nice = (int32_t)s->nice,
		.sched_priority = (uint32_t)s->priority,
		.sched_runtime = s->runtime,
		.sched_deadline = s->deadline,
		.sched_period = s->period,
	};
	return 0;
}

int runtime_scheduler_check(const struct oci_scheduler *scheduler, struct err *e)
{
	struct sched_attr attr;

	return scheduler ? read_scheduler(&attr, scheduler, e) : 0;
}

static int explain(struct err *e, const struct oci_scheduler *s)
{
	int number = errno;

	err_sys(e, "process.scheduler: set %s", s->policy);
	if (number == EINVAL || number == EOPNOTSUPP)
		return err_hint(e, "this kernel has no such policy or flag");
	if (number == EBUSY)
		return err_hint(e, "the CPUs have not that much time left for SCHED_DEADLINE");
	if (number == EPERM)
		return err_hint(e, "it takes CAP_SYS_NICE; SCHED_FIFO and SCHED_RR a share of "
				   "cpu.rt_runtime_us (cgroup v1), and SCHED_DEADLINE a process "
				   "that may run on all CPUs");
	return -e->number;
}

int runtime_scheduler_apply_in_parent(pid_t pid, const struct oci_scheduler *scheduler,
				      struct err *e)
{
	struct sched_attr attr = { 0 };

	if (!scheduler)
		return 0;
	int r = read_scheduler(&attr, scheduler, e);
	if (r < 0)
		return r;
	return syscall(SYS_sched_setattr, pid, &attr, 0) < 0 ? explain(e, scheduler) : 0;
}

bool runtime_scheduler_forbids_fork(const struct oci_scheduler *scheduler)
{
	struct sched_attr attr = { 0 };
	struct err ignored;

	return scheduler && read_scheduler(&attr, scheduler, &ignored) == 0 &&
	       (attr.sched_policy == DEADLINE || (attr.sched_flags & RESET_ON_FORK));
}
