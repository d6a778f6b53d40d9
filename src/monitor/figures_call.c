/* figures_call.c - the system calls that tell what there is: sysinfo(2), and sched_getaffinity(2)
 * of the caller itself (which nproc(1) and C libraries count). They come here from calls.c where
 * the container's filter (org.holm.seccomp.asks) says so. seccomp_unotify(2): what is written goes
 * to the memory that /proc/PID/mem was opened for, and only if the call still waits after that, so
 * that it is the caller's. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/own.h"
#include "monitor/monitor.h"
#include "runtime/figures.h"

/* What loads for sysinfo(2) are multiples of: <linux/kernel.h>, SI_LOAD_SHIFT. */
#define LOAD_ONE (1 << SI_LOAD_SHIFT)

static int write_to(int mem, uint64_t address, const void *bytes, size_t length)
{
	return pwrite(mem, bytes, length, (off_t)address) == (ssize_t)length ? 0 : -EFAULT;
}

static long answer_sysinfo(struct monitor *m, int mem, const struct seccomp_data *data)
{
	const struct runtime_load *load = monitor_figures_load(m);
	struct runtime_memory_figures memory;
	struct runtime_task_figures tasks;

	runtime_figures_memory(&memory, &m->state.container.cgroup);
	runtime_figures_tasks(&tasks, &m->state.container);
	struct sysinfo info = {
		.uptime = monitor_figures_uptime_ns(m) / 1000000000,
		.totalram = memory.total,
		.freeram = memory.free,
		.sharedram = memory.shmem,
		.totalswap = memory.swap_total,
		.freeswap = memory.swap_free,
		.procs = tasks.tasks < UINT16_MAX ? (unsigned short)tasks.tasks : UINT16_MAX,
		.mem_unit = 1,
	};
	for (size_t i = 0; i < COUNT_OF(info.loads); i++)
		info.loads[i] = (unsigned long)(load->averages[i] * LOAD_ONE);
	return write_to(mem, data->args[0], &info, sizeof(info));
}

/* Of a process that may run on more, those that there seem to be; of one that was put on some of
 * them, these. */
static void narrow(struct runtime_number_list *own, const struct runtime_number_list *seen)
{
	bool any = false;

	runtime_number_list_count(own);
	if (own->count <= seen->count)
		return;
	for (size_t i = 0; i < COUNT_OF(own->bits); i++)
		any |= (own->bits[i] & seen->bits[i]) != 0;
	for (size_t i = 0; any && i < COUNT_OF(own->bits); i++)
		own->bits[i] &= seen->bits[i];
}

/* -EAGAIN: the kernel is to answer. */
static long answer_affinity(struct monitor *m, int mem, pid_t pid, const struct seccomp_data *data)
{
	struct runtime_number_list own = { 0 }, seen;

	long length = syscall(SYS_sched_getaffinity, pid, sizeof(own.bits), own.bits);
	if (length < 0 || data->args[1] < (uint64_t)length || data->args[1] % sizeof(long))
		return -EAGAIN;
	runtime_figures_cpus(&seen, &m->state.container);
	narrow(&own, &seen);
	int r = write_to(mem, data->args[2], own.bits, (size_t)length);
	return r < 0 ? r : length;
}

long monitor_figures_call_answer(struct monitor *m, int listener, const struct seccomp_notif *call)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%u/mem", call->pid);
	own_fd int mem = open(path, O_RDWR | O_CLOEXEC);
	/* now it is known that this memory is the caller's */
	if (mem < 0 || ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call->id) < 0)
		return -EAGAIN;
	switch (call->data.nr) {
	case SYS_sysinfo:
		return answer_sysinfo(m, mem, &call->data);
	case SYS_sched_getaffinity:
		return answer_affinity(m, mem, (pid_t)call->pid, &call->data);
	default:
		return -EAGAIN;
	}
}
