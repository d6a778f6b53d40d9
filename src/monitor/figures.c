/* figures.c - a container that sees its own memory, CPUs and uptime in /proc instead of the host's.
 *
 * Over each file lies one of ours, whose bytes are made when it is read: of a FUSE filesystem that
 * is the container's own, served from this program's loop. Nothing is kept up to date, and nothing
 * happens while nobody reads, with one exception: the averages of the load, which are counted every
 * five seconds for a minute after somebody looked at them. Uptime and the start times of processes
 * are a time namespace's doing; what sysinfo(2) tells stands in figures_call.c.
 * See docs/decisions/0045-what-a-container-sees-of-its-limits.md. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/process.h"
#include "base/str.h"
#include "monitor/monitor.h"
#include "oci/runtime_spec.h"
#include "runtime/figures_text.h"
#include "wire/fuse.h"

enum {
	CPUINFO_BYTES_MAX = 16 << 20,
	LOAD_EVERY_MS = 5000,     /* kernel/sched/loadavg.c, LOAD_FREQ */
	LOAD_LOOKED_MS = 60000,   /* how long somebody who looked may look again */
	FRESH_NS = 5 * 1000000,   /* what is read again sooner is the same */
	TURN_MAX = 64,            /* requests; the descriptor stays readable if there are more */
	LATE_NS = 2 * 1000000000, /* a count that comes so late stands for nothing between */
};

/* ---- the figures ---- */

static int64_t boottime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int64_t monitor_figures_uptime_ns(const struct monitor *m)
{
	return boottime_ns() - m->figures.began_ns;
}

/* Whoever asks waits for us, and runs: the kernel calls that an uninterruptible sleep. */
static void read_tasks(struct runtime_task_figures *ret, const struct monitor *m)
{
	runtime_figures_tasks(ret, &m->state.container);
	ret->blocked -= ret->blocked > 0;
	ret->running += ret->running == 0;
}

/* Since the last time: the CPU time that they took meanwhile or, if it was not long, those that run
 * or wait now, whichever is more. */
static void count_load(struct monitor *m, bool in_time)
{
	struct monitor_figures *f = &m->figures;
	struct runtime_task_figures tasks;
	struct runtime_time_figures time;
	int64_t now = monitor_figures_uptime_ns(m);
	double seconds = (double)(now - f->load_ns) / 1e9;

	if (seconds <= 0)
		return;
	runtime_figures_time(&time, &m->state.container.cgroup);
	uint64_t used = time.user_ns + time.system_ns;
	double n = used > f->load_used_ns ? (double)(used - f->load_used_ns) / 1e9 / seconds : 0;
	if (in_time) {
		runtime_figures_tasks(&tasks, &m->state.container);
		n = fmax(n, (double)(tasks.running + tasks.blocked));
	}
	runtime_figures_add_load(&f->load, n, seconds);
	f->load_ns = now;
	f->load_used_ns = used;
}

const struct runtime_load *monitor_figures_load(struct monitor *m)
{
	struct monitor_figures *f = &m->figures;
	int64_t now = monitor_loop_now_ms();

	if (!f->load_at_ms) {
		count_load(m, false);
		f->load_at_ms = now + LOAD_EVERY_MS;
	}
	f->looked_at_ms = now;
	return &f->load;
}

void monitor_figures_turn(struct monitor *m, int64_t now_ms)
{
	struct monitor_figures *f = &m->figures;

	if (!f->load_at_ms || now_ms < f->load_at_ms)
		return;
	count_load(m, !m->paused && monitor_figures_uptime_ns(m) - f->load_ns <
					    LOAD_EVERY_MS * INT64_C(1000000) + LATE_NS);
	f->load_at_ms = now_ms - f->looked_at_ms < LOAD_LOOKED_MS ? now_ms + LOAD_EVERY_MS : 0;
}

/* ---- the files ---- */

static void write_meminfo(struct str *to, struct monitor *m)
{
	struct runtime_memory_figures memory;

	runtime_figures_memory(&memory, &m->state.container.cgroup);
	runtime_figures_meminfo(to, &memory);
}

static void write_swaps(struct str *to, struct monitor *m)
{
	struct runtime_memory_figures memory;

	runtime_figures_memory(&memory, &m->state.container.cgroup);
	runtime_figures_swaps(to, &memory);
}

static void write_cpuinfo(struct str *to, struct monitor *m)
{
	own_clear(str_clear) struct str host = { 0 };
	struct runtime_number_list cpus;
	struct err e;

	if (fd_read_file_at(AT_FDCWD, "/proc/cpuinfo", CPUINFO_BYTES_MAX, &host, &e) < 0)
		return;
	runtime_figures_cpus(&cpus, &m->state.container);
	runtime_figures_cpuinfo(to, host.text ? host.text : "", &cpus);
}

static void write_stat(struct str *to, struct monitor *m)
{
	struct runtime_number_list cpus;
	struct runtime_time_figures time;
	struct runtime_task_figures tasks;
	int64_t uptime = monitor_figures_uptime_ns(m);

	runtime_figures_cpus(&cpus, &m->state.container);
	runtime_figures_time(&time, &m->state.container.cgroup);
	read_tasks(&tasks, m);
	runtime_figures_stat(to, &cpus, &time, &tasks, uptime,
			     (moment_now_ns() - uptime) / 1000000000);
}

static void write_uptime(struct str *to, struct monitor *m)
{
	struct runtime_number_list cpus;
	struct runtime_time_figures time;

	runtime_figures_cpus(&cpus, &m->state.container);
	runtime_figures_time(&time, &m->state.container.cgroup);
	runtime_figures_uptime(to, &cpus, &time, monitor_figures_uptime_ns(m));
}

static void write_loadavg(struct str *to, struct monitor *m)
{
	struct runtime_task_figures tasks;

	read_tasks(&tasks, m);
	runtime_figures_loadavg(to, monitor_figures_load(m), &tasks);
}

static void write_online(struct str *to, struct monitor *m)
{
	struct runtime_number_list cpus;

	runtime_figures_cpus(&cpus, &m->state.container);
	runtime_number_list_format(to, &cpus);
	str_add_char(to, '\n');
}

enum { MEMINFO, SWAPS, CPUINFO, STAT, UPTIME, LOADAVG, ONLINE };

static const struct runtime_cover covers[MONITOR_FIGURES_FILES] = {
	[MEMINFO] = { "/proc/meminfo", "0" },
	[SWAPS] = { "/proc/swaps", "1" },
	[CPUINFO] = { "/proc/cpuinfo", "2" },
	[STAT] = { "/proc/stat", "3" },
	[UPTIME] = { "/proc/uptime", "4" },
	[LOADAVG] = { "/proc/loadavg", "5" },
	[ONLINE] = { "/sys/devices/system/cpu/online", "6" },
};

static void (*const writers[MONITOR_FIGURES_FILES])(struct str *to, struct monitor *m) = {
	[MEMINFO] = write_meminfo, [SWAPS] = write_swaps,   [CPUINFO] = write_cpuinfo,
	[STAT] = write_stat,       [UPTIME] = write_uptime, [LOADAVG] = write_loadavg,
	[ONLINE] = write_online,
};

/* ---- serving them ---- */

/* A reader that comes back for the rest gets that of the same text; one that begins, a new one,
 * unless the last is from just now: then nobody makes us work more than it works itself. */
static void make_text(struct monitor *m, struct monitor_figures_file *file, uint64_t offset)
{
	int64_t now = moment_monotonic_ns();

	if (file->text.length && (offset || now - file->made_ns < FRESH_NS))
		return;
	str_clear(&file->text);
	writers[file - m->figures.files](&file->text, m);
	file->made_ns = now;
}

/* What asks now, and not all that asks meanwhile: others wait for this program, too. 0, or -errno:
 * nobody can ask any more. */
static int serve(struct monitor *m)
{
	int device = m->figures.files_source.fd;
	struct wire_fuse_request request;

	for (int i = 0; i < TURN_MAX; i++) {
		int r = wire_fuse_next(device, MONITOR_FIGURES_FILES, &request);
		if (r <= 0)
			return r;
		struct monitor_figures_file *file = &m->figures.files[request.file];
		make_text(m, file, request.offset);
		wire_fuse_answer(device, &request, file->text.text ? file->text.text : "",
				 file->text.length);
		if (request.is_read && request.offset >= file->text.length)
			str_clear(&file->text);
	}
	return 0;
}

static void files_ready(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	(void)events;
	if (serve(m) < 0)
		monitor_source_close(m, source);
}

/* ---- while this process waits for something else ---- */

/* Nothing else of this process stays open: an end of a pipe would keep that from its end. */
static void close_all_but(int one, int other)
{
	int low = one < other ? one : other, high = one < other ? other : one;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	if (low > 3)
		close_range(3, (unsigned)low - 1, 0);
	if (high > low + 1)
		close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	close_range((unsigned)high + 1, ~0U, 0);
}

/* Until the load is counted again, as poll(2) takes it. */
static int load_wait_ms(const struct monitor *m)
{
	int64_t left = m->figures.load_at_ms - monitor_loop_now_ms();

	return !m->figures.load_at_ms ? -1 : left < 0 ? 0 : (int)left;
}

_Noreturn static void serve_until(struct monitor *m, int end_fd)
{
	struct pollfd fds[] = { { m->figures.files_source.fd, POLLIN, 0 }, { end_fd, POLLIN, 0 } };

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	close_all_but(m->figures.files_source.fd, end_fd);
	for (;;) {
		if (poll(fds, COUNT_OF(fds), load_wait_ms(m)) < 0 && errno != EINTR)
			_exit(1);
		if (fds[1].revents)
			_exit(0);
		if (fds[0].revents && serve(m) < 0)
			fds[0].fd = -1;
		monitor_figures_turn(m, monitor_loop_now_ms());
	}
}

/* A process that waits for a file of ours cannot be frozen before it has its answer. */
void monitor_figures_lend(struct monitor *m, struct monitor_figures_lent *ret)
{
	int ends[2];

	*ret = (struct monitor_figures_lent){ 0, -1 };
	if (m->figures.files_source.fd < 0 || m->figures.beside.pid || pipe2(ends, O_CLOEXEC) < 0)
		return;
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[1]);
		serve_until(m, ends[0]);
	}
	close(ends[0]);
	if (pid < 0)
		close(ends[1]);
	else
		*ret = (struct monitor_figures_lent){ pid, ends[1] };
}

void monitor_figures_take_back(struct monitor_figures_lent *lent)
{
	if (!lent->pid)
		return;
	close(take_fd(&lent->end_fd));
	process_wait(lent->pid);
	lent->pid = 0;
}

static void forget_texts(struct monitor *m)
{
	for (size_t i = 0; i < MONITOR_FIGURES_FILES; i++)
		str_clear(&m->figures.files[i].text);
}

static void take_back_beside(struct monitor *m)
{
	monitor_source_close(m, &m->figures.beside_end);
	monitor_figures_take_back(&m->figures.beside);
	monitor_source_set(m, &m->figures.files_source, EPOLLIN);
}

/* Somebody killed it. */
static void beside_ended(struct monitor *m, struct monitor_source *source, uint32_t events)
{
	(void)source;
	(void)events;
	take_back_beside(m);
	monitor_figures_answer_beside(m);
}

/* It alone answers then: a reader that comes back for the rest has to find the same text. */
void monitor_figures_answer_beside(struct monitor *m)
{
	struct monitor_figures *f = &m->figures;

	monitor_figures_lend(m, &f->beside);
	int pidfd = f->beside.pid ? (int)syscall(SYS_pidfd_open, f->beside.pid, 0) : -1;
	if (pidfd < 0) {
		monitor_figures_take_back(&f->beside);
		return;
	}
	f->beside_end.ready = beside_ended;
	monitor_source_open(m, &f->beside_end, pidfd, EPOLLIN);
	monitor_source_set(m, &f->files_source, 0);
	forget_texts(m);
}

/* ---- beginning and end ---- */

static int serve_covers(void *context)
{
	return serve(context);
}

static int open_files(struct monitor *m, struct err *e)
{
	struct monitor_figures *f = &m->figures;
	own_fd int folder = -1;

	int device = wire_fuse_open(&folder, e);
	if (device < 0)
		return device;
	f->files_source.ready = files_ready;
	monitor_source_open(m, &f->files_source, device, EPOLLIN);
	f->covers = (struct runtime_covers){ .folder = take_fd(&folder),
					     .items = covers,
					     .count = COUNT_OF(covers),
					     .server_fd = device,
					     .serve = serve_covers,
					     .context = m };
	return 0;
}

static void add_offset(struct oci_spec *spec, const char *clock, clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	struct oci_time_offset *offset = shape_list_add(&spec->linux_.time_offsets);
	offset->clock = mem_text(clock);
	offset->secs = -now.tv_sec - (now.tv_nsec > 0);
	offset->nanosecs = now.tv_nsec > 0 ? (uint32_t)(1000000000 - now.tv_nsec) : 0;
}

static const struct oci_namespace *find_namespace(const struct oci_spec *spec, const char *type)
{
	for (size_t i = 0; i < spec->linux_.namespaces.count; i++)
		if (str_equal(spec->linux_.namespaces.items[i].type, type))
			return &spec->linux_.namespaces.items[i];
	return NULL;
}

/* Its clocks begin with it, where its processes are its own. */
static void add_time_namespace(struct oci_spec *spec)
{
	const struct oci_namespace *pid = find_namespace(spec, "pid");

	if (!pid || !str_empty(pid->path) || find_namespace(spec, "time") ||
	    access("/proc/self/ns/time", F_OK) < 0)
		return;
	struct oci_namespace *namespace = shape_list_add(&spec->linux_.namespaces);
	namespace->type = mem_text("time");
	add_offset(spec, "monotonic", CLOCK_MONOTONIC);
	add_offset(spec, "boottime", CLOCK_BOOTTIME);
}

int monitor_figures_prepare(struct monitor *m, struct oci_spec *spec, struct err *e)
{
	const char *asked = shape_map_get(&spec->annotations, "org.holm.figures");
	struct monitor_figures *f = &m->figures;
	struct err missing;

	if (!asked)
		return 0;
	monitor_figures_close(m);
	int r = open_files(m, &missing);
	if (r < 0 && str_equal(asked, "required")) {
		*e = missing;
		return err_hint(e, "--view host shows the figures of the host, and needs no FUSE");
	}
	if (r < 0) {
		log_warning("the container sees the host's figures in /proc: %s", missing.text);
		monitor_figures_close(m);
	}
	add_time_namespace(spec);
	f->began_ns = boottime_ns();
	f->load = (struct runtime_load){ 0 };
	f->load_ns = 0;
	f->load_used_ns = 0;
	return 0;
}

void monitor_figures_attached(struct monitor *m)
{
	struct runtime_covers *used = &m->figures.covers;

	if (used->count)
		close(used->folder);
	*used = (struct runtime_covers){ 0 };
}

void monitor_figures_close(struct monitor *m)
{
	struct monitor_figures *f = &m->figures;

	monitor_figures_attached(m);
	take_back_beside(m);
	monitor_source_close(m, &f->files_source);
	forget_texts(m);
	f->load_at_ms = 0;
}
