/* figures_call.c - the system calls that tell what there is: sysinfo(2), and sched_getaffinity(2)
 * of the caller itself (which nproc(1) and C libraries count). The filter of the container's
 * processes (org.holm.seccomp.asks) hands them to a listener; each process that is started, by
 * exec, too, brings one along, to the socket MONITOR_FIGURES_SOCKET in the run folder.
 * seccomp_unotify(2): what is written goes to the memory that /proc/PID/mem was opened for, and
 * only if the call still waits after that, so that it is the caller's. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/socket.h"
#include "monitor/monitor.h"
#include "runtime/figures.h"

enum {
	MESSAGE_BYTES_MAX = 65536, /* the state of the process, which nobody needs here */
	MESSAGE_WAIT_S = 2,
	BACKLOG = 64,
};

/* What loads for sysinfo(2) are multiples of: <linux/kernel.h>, SI_LOAD_SHIFT. */
#define LOAD_ONE (1 << SI_LOAD_SHIFT)

/* ---- the answers ---- */

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

static long answer(struct monitor *m, int listener, const struct seccomp_notif *call)
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

/* ---- the listeners ---- */

/* The kernel's structures may be longer than ours: seccomp_unotify(2). */
union notification {
	struct seccomp_notif call;
	struct seccomp_notif_resp response;
	char bytes[1024];
};

static void listener_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	union notification got = { 0 }, said = { 0 };

	/* no process has this filter any more */
	if (!(events & EPOLLIN)) {
		monitor_source_close(m, source);
		return;
	}
	if (ioctl(source->fd, SECCOMP_IOCTL_NOTIF_RECV, &got) < 0)
		return;
	long r = answer(m, source->fd, &got.call);
	said.response.id = got.call.id;
	if (r == -EAGAIN)
		said.response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else if (r < 0)
		said.response.error = (int)r;
	else
		said.response.val = r;
	/* ENOENT: the caller was interrupted, and asks again */
	ioctl(source->fd, SECCOMP_IOCTL_NOTIF_SEND, &said);
}

static bool fits_kernel(void)
{
	struct seccomp_notif_sizes sizes;

	return syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 &&
	       sizes.seccomp_notif <= sizeof(union notification) &&
	       sizes.seccomp_notif_resp <= sizeof(union notification);
}

/* Those that are closed are used again. */
static struct monitor_figures_listener *new_listener(struct monitor_figures *f)
{
	for (struct monitor_figures_listener *at = f->listeners; at; at = at->next)
		if (at->source.fd < 0)
			return at;
	struct monitor_figures_listener *made = mem_new_struct(struct monitor_figures_listener);
	made->source.fd = -1;
	made->next = f->listeners;
	f->listeners = made;
	return made;
}

static void take_listener(struct monitor *m, int connection)
{
	own_free char *text = mem_new(1, MESSAGE_BYTES_MAX);
	int fds[FD_PASS_MAX];
	size_t count = 0;
	struct err ignored;

	if (fd_receive(connection, text, MESSAGE_BYTES_MAX, fds, &count, &ignored) <= 0)
		return;
	for (size_t i = 1; i < count; i++)
		close(fds[i]);
	if (count == 0)
		return;
	struct monitor_figures_listener *listener = new_listener(&m->figures);
	listener->source.ready = listener_ready;
	monitor_source_open(m, &listener->source, fds[0], EPOLLIN);
}

/* From holm's own programs alone: nobody else comes into the run folder. They connect and send at
 * once. */
static void socket_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	const struct timeval wait = { .tv_sec = MESSAGE_WAIT_S };

	(void)events;
	own_fd int connection = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC);
	if (connection < 0)
		return;
	setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	take_listener(m, connection);
}

int monitor_figures_call_listen(struct monitor *m, struct err *e)
{
	if (!fits_kernel())
		return err_set(e, ERR_UNSUPPORTED,
			       "the kernel's seccomp notifications are none of a known size");
	unlinkat(m->run_dir, MONITOR_FIGURES_SOCKET, 0);
	own_fd int fd =
		socket_bind_at(SOCK_STREAM | SOCK_NONBLOCK, m->run_dir, MONITOR_FIGURES_SOCKET, e);
	if (fd < 0)
		return fd;
	if (listen(fd, BACKLOG) < 0)
		return err_sys(e, "listen at " MONITOR_FIGURES_SOCKET);
	m->figures.socket.ready = socket_ready;
	monitor_source_open(m, &m->figures.socket, take_fd(&fd), EPOLLIN);
	return 0;
}

void monitor_figures_call_close(struct monitor *m)
{
	for (struct monitor_figures_listener *at = m->figures.listeners, *next; at; at = next) {
		next = at->next;
		monitor_source_close(m, &at->source);
	}
	monitor_source_close(m, &m->figures.socket);
}
