#include "engine/spec.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "monitor/config.h"
#include "runtime/cgroup.h"
#include "runtime/rlimit.h"
#include "storage/store.h"

static int64_t *optional(int64_t value)
{
	int64_t *to = mem_new(1, sizeof(*to));

	*to = value;
	return to;
}

static uint64_t *optional_uint(uint64_t value)
{
	uint64_t *to = mem_new(1, sizeof(*to));

	*to = value;
	return to;
}

static void add_memory(struct oci_resources *r, const struct container_limits *l)
{
	if (!l->memory && !l->memory_swap && !l->memory_reservation && !l->memory_swappiness &&
	    !l->oom_kill_disable)
		return;
	r->memory = mem_new_struct(struct oci_resources_memory);
	if (l->memory)
		r->memory->limit = optional(l->memory);
	if (l->memory_swap)
		r->memory->swap = optional(l->memory_swap);
	if (l->memory_reservation)
		r->memory->reservation = optional(l->memory_reservation);
	if (l->memory_swappiness)
		r->memory->swappiness = optional_uint((uint64_t)*l->memory_swappiness);
	if (l->oom_kill_disable) {
		r->memory->disable_oom_killer = mem_new(1, sizeof(bool));
		*r->memory->disable_oom_killer = true;
	}
}

enum { CPU_PERIOD_US = 100000 }; /* the kernel's default, Docker's for --cpus */

static void add_cpu(struct oci_resources *r, const struct container_limits *l)
{
	if (!l->nanocpus && !l->cpu_shares && !l->cpu_period && !l->cpu_quota && !l->cpuset_cpus &&
	    !l->cpuset_mems)
		return;
	r->cpu = mem_new_struct(struct oci_resources_cpu);
	if (l->cpu_shares)
		r->cpu->shares = optional_uint(l->cpu_shares);
	if (l->nanocpus) {
		r->cpu->period = optional_uint(CPU_PERIOD_US);
		r->cpu->quota = optional(l->nanocpus / (1000000000 / CPU_PERIOD_US));
	}
	if (l->cpu_period)
		r->cpu->period = optional_uint(l->cpu_period);
	if (l->cpu_quota)
		r->cpu->quota = optional(l->cpu_quota);
	r->cpu->cpus = mem_text(l->cpuset_cpus);
	r->cpu->mems = mem_text(l->cpuset_mems);
}

/* ---- changes ---- */

/* The kernel's own values: cpu.shares, blkio.weight (v1; v2's are made of them). */
enum { CPU_SHARES = 1024, BLKIO_WEIGHT = 500 };

static void change_memory(struct oci_resources *r, const struct container_limits *from,
			  const struct container_limits *to)
{
	bool both = from->memory != to->memory || from->memory_swap != to->memory_swap;
	bool reservation = from->memory_reservation != to->memory_reservation;

	if (!both && !reservation)
		return;
	r->memory = mem_new_struct(struct oci_resources_memory);
	if (both) {
		r->memory->limit = optional(to->memory ? to->memory : -1);
		r->memory->swap = optional(to->memory_swap ? to->memory_swap : -1);
	}
	if (reservation)
		r->memory->reservation =
			optional(to->memory_reservation ? to->memory_reservation : -1);
}

static void change_cpu(struct oci_resources *r, const struct container_limits *from,
		       const struct container_limits *to)
{
	add_cpu(r, to);
	if (!r->cpu)
		r->cpu = mem_new_struct(struct oci_resources_cpu);
	if (from->cpu_shares && !to->cpu_shares)
		r->cpu->shares = optional_uint(CPU_SHARES);
	bool had_quota = from->nanocpus || from->cpu_quota;
	if (had_quota && !to->nanocpus && !to->cpu_quota)
		r->cpu->quota = optional(-1);
}

static bool same_cpu(const struct container_limits *a, const struct container_limits *b)
{
	return a->nanocpus == b->nanocpus && a->cpu_shares == b->cpu_shares &&
	       a->cpu_period == b->cpu_period && a->cpu_quota == b->cpu_quota &&
	       str_equal(a->cpuset_cpus, b->cpuset_cpus) &&
	       str_equal(a->cpuset_mems, b->cpuset_mems);
}

/* ---- block devices ---- */

/* The numbers of a block device that an option names. */
static int block_device(const char *path, int64_t *major_number, int64_t *minor_number,
			struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, "the device %s", path);
	if (!S_ISBLK(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is no block device", path);
	*major_number = major(st.st_rdev);
	*minor_number = minor(st.st_rdev);
	return 0;
}

static int add_rates(struct oci_throttle_devices *to, const struct container_device_limits *from,
		     struct err *e)
{
	for (size_t i = 0; i < from->count; i++) {
		struct oci_throttle_device *device = shape_list_add(to);
		device->rate = from->items[i].rate;
		int r = block_device(from->items[i].path, &device->major, &device->minor, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_block_io(struct oci_resources *r, const struct container_limits *l, struct err *e)
{
	if (!l->blkio_weight && !l->blkio_weight_device.count && !l->read_bps.count &&
	    !l->write_bps.count && !l->read_iops.count && !l->write_iops.count)
		return 0;
	struct oci_resources_block_io *io = mem_new_struct(struct oci_resources_block_io);
	r->block_io = io;
	if (l->blkio_weight)
		io->weight = optional_uint(l->blkio_weight);
	for (size_t i = 0; i < l->blkio_weight_device.count; i++) {
		const struct container_device_limit *from = &l->blkio_weight_device.items[i];
		struct oci_weight_device *device = shape_list_add(&io->weight_device);
		device->weight = optional_uint(from->rate);
		int result = block_device(from->path, &device->major, &device->minor, e);
		if (result < 0)
			return result;
	}
	int result = add_rates(&io->throttle_read_bps_device, &l->read_bps, e);
	if (result == 0)
		result = add_rates(&io->throttle_write_bps_device, &l->write_bps, e);
	if (result == 0)
		result = add_rates(&io->throttle_read_iops_device, &l->read_iops, e);
	if (result == 0)
		result = add_rates(&io->throttle_write_iops_device, &l->write_iops, e);
	return result;
}

static const struct container_device_limit *find_rate(const struct container_device_limits *in,
						      const char *path)
{
	for (size_t i = 0; i < in->count; i++)
		if (str_equal(in->items[i].path, path))
			return &in->items[i];
	return NULL;
}

/* What is limited now, and with a rate of 0, which is none, what was before. */
static int change_rate(struct oci_throttle_devices *ret, const struct container_device_limits *from,
		       const struct container_device_limits *to, struct err *e)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct container_device_limit *one = &from->items[i];
		struct container_device_limit gone = { one->path, 0 };
		const struct container_device_limits none = { &gone, 1 };
		int r = find_rate(to, one->path) ? 0 : add_rates(ret, &none, e);
		if (r < 0)
			return r;
	}
	return add_rates(ret, to, e);
}

static int change_rates(struct oci_resources *r, const struct container_limits *from,
			const struct container_limits *to, struct err *e)
{
	struct oci_resources_block_io *io = r->block_io;

	if (!from->read_bps.count && !to->read_bps.count && !from->write_bps.count &&
	    !to->write_bps.count && !from->read_iops.count && !to->read_iops.count &&
	    !from->write_iops.count && !to->write_iops.count)
		return 0;
	if (!io)
		io = r->block_io = mem_new_struct(struct oci_resources_block_io);
	int result = change_rate(&io->throttle_read_bps_device, &from->read_bps, &to->read_bps, e);
	if (result == 0)
		result = change_rate(&io->throttle_write_bps_device, &from->write_bps,
				     &to->write_bps, e);
	if (result == 0)
		result = change_rate(&io->throttle_read_iops_device, &from->read_iops,
				     &to->read_iops, e);
	if (result == 0)
		result = change_rate(&io->throttle_write_iops_device, &from->write_iops,
				     &to->write_iops, e);
	return result;
}

int spec_limits_change(struct oci_resources *ret, const struct container_limits *from,
		       const struct container_limits *to, struct err *e)
{
	change_memory(ret, from, to);
	if (!same_cpu(from, to))
		change_cpu(ret, from, to);
	if (from->pids != to->pids) {
		ret->pids = mem_new_struct(struct oci_resources_pids);
		ret->pids->limit = optional(to->pids);
	}
	if (from->blkio_weight != to->blkio_weight) {
		ret->block_io = mem_new_struct(struct oci_resources_block_io);
		ret->block_io->weight =
			optional_uint(to->blkio_weight ? to->blkio_weight : BLKIO_WEIGHT);
	}
	return change_rates(ret, from, to, e);
}

/* That of this kind if there is one: the later limit counts, as with docker, and the specification
 * wants each kind once. */
static struct oci_rlimit *own_rlimit(struct oci_process *process, const char *type)
{
	for (size_t i = 0; i < process->rlimits.count; i++)
		if (str_equal(process->rlimits.items[i].type, type))
			return &process->rlimits.items[i];
	struct oci_rlimit *rlimit = shape_list_add(&process->rlimits);
	rlimit->type = mem_text(type);
	return rlimit;
}

static void add_rlimits(struct oci_process *process, const struct container_limits *l)
{
	for (size_t i = 0; i < l->ulimits.count; i++) {
		const struct container_ulimit *from = &l->ulimits.items[i];
		int resource;
		struct err ignored;
		bool known = runtime_rlimit_parse(&resource, from->name, &ignored) == 0;
		struct oci_rlimit *to =
			own_rlimit(process, known ? runtime_rlimit_name(resource) : from->name);
		to->soft = from->soft < 0 ? UINT64_MAX : (uint64_t)from->soft;
		to->hard = from->hard < 0 ? UINT64_MAX : (uint64_t)from->hard;
	}
}

/* What nobody asked for, and gives way where the host cannot have it (runtime.h). 0 of the score: a
 * container does not inherit the protection of whoever started it. */
static void add_defaults(struct oci_spec *spec, const struct container_limits *l)
{
	own_clear(str_clear) struct str defaults = { 0 };

	spec->process->oom_score_adj = optional(l->oom_score_adj);
	if (!l->oom_score_adj)
		str_add(&defaults, "oomScoreAdj");
	if (l->pids == CONTAINER_PIDS_MAX)
		str_addf(&defaults, "%spids", defaults.length ? "," : "");
	if (defaults.length)
		shape_map_set(&spec->annotations, "org.holm.defaults", defaults.text);
}

static const char receiver[] = "run.oci.seccomp.receiver";

bool spec_limits_are_seen(const struct container *c)
{
	if (c->limits.view)
		return str_equal(c->limits.view, CONTAINER_VIEW_LIMITS);
	return container_is_system(c);
}

/* Who is asked by the container's filter: its monitor. */
static void add_receiver(struct oci_spec *spec, const struct container *c,
			 const struct spec_context *context)
{
	own_free char *socket =
		mem_format("%s/containers/%s/" MONITOR_CALLS_SOCKET, context->store->run, c->id);

	shape_map_set(&spec->annotations, receiver, socket);
}

/* What holm-monitor makes of it stands in monitor/figures.c. A filter of a person's own, or none,
 * leaves system calls alone. */
static void add_figures(struct oci_spec *spec, const struct container *c,
			const struct spec_context *context)
{
	const char *filter = shape_map_get(&spec->annotations, "org.holm.seccomp");

	if (!spec_limits_are_seen(c))
		return;
	shape_map_set(&spec->annotations, "org.holm.figures",
		      c->limits.view ? "required" : "wanted");
	if (!filter || str_equal(filter, "open") || shape_map_get(&spec->annotations, receiver))
		return;
	add_receiver(spec, c, context);
	shape_map_set(&spec->annotations, "org.holm.seccomp.asks", "true");
}

int spec_calls(struct oci_spec *spec, const struct container *c, const struct spec_context *context,
	       struct err *e)
{
	add_figures(spec, c, context);
	if (!c->security.children_max)
		return 0;
	if (shape_map_get(&spec->annotations, receiver) &&
	    !shape_map_get(&spec->annotations, "org.holm.seccomp.asks"))
		return err_set(e, ERR_INVALID,
			       "--children-max: the filter can ask one listener, and the "
			       "annotation %s names another",
			       receiver);
	own_free char *max = mem_format("%lld", (long long)*c->security.children_max);
	add_receiver(spec, c, context);
	shape_map_set(&spec->annotations, "org.holm.seccomp.children", max);
	return 0;
}

int spec_limits(struct oci_spec *spec, const struct container *c, struct err *e)
{
	const struct container_limits *l = &c->limits;
	struct oci_resources *r = mem_new_struct(struct oci_resources);

	spec->linux_.resources = r;
	spec->linux_.cgroups_path = mem_format(
		"%s/%s", l->cgroup_parent ? l->cgroup_parent : RUNTIME_CGROUP_PARENT, c->id);
	add_memory(r, l);
	add_cpu(r, l);
	if (l->pids > 0) {
		r->pids = mem_new_struct(struct oci_resources_pids);
		r->pids->limit = optional(l->pids);
	}
	add_rlimits(spec->process, l);
	add_defaults(spec, l);
	return add_block_io(r, l, e);
}
