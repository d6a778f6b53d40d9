/* The limits as files of cgroup v2, Documentation/admin-guide/cgroup-v2.rst. Where the
 * specification speaks of v1, values are converted as runc and crun do. */
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/shape.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_plan.h"

static struct runtime_cgroup_write *plan_add_max(struct runtime_cgroup_plan *plan,
						 const char *controller, const char *file,
						 int64_t value)
{
	if (value < 0)
		return runtime_cgroup_plan_add(plan, controller, file, "max");
	return runtime_cgroup_plan_add(plan, controller, file, "%lld", (long long)value);
}

/* v2 limits swap alone. Where it is not counted at all, no swap and no limit are as asked. */
static void plan_swap(struct runtime_cgroup_plan *plan, const struct oci_resources_memory *m)
{
	bool lifted = m->limit && *m->limit == -1;

	if (!(m->swap && *m->swap) && !lifted)
		return;
	int64_t swap = m->swap && *m->swap > 0 ? *m->swap - *m->limit : -1;
	struct runtime_cgroup_write *write = plan_add_max(plan, "memory", "memory.swap.max", swap);
	write->fix = "start the kernel with swapaccount=1, or set no swap limit";
	write->optional = swap <= 0;
}

static int plan_memory(struct runtime_cgroup_plan *plan, const struct oci_resources_memory *m,
		       struct err *e)
{
	if (m->disable_oom_killer && *m->disable_oom_killer)
		return err_set(e, ERR_UNSUPPORTED,
			       "the OOM killer cannot be switched off on cgroup v2");
	if (m->kernel_tcp && *m->kernel_tcp > 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "memory.kernelTCP: cgroup v2 has no limit of TCP's memory alone");
	if (m->swap && *m->swap > 0 && !(m->limit && *m->limit))
		return err_set(e, ERR_INVALID,
			       "a limit of memory and swap together needs one of memory");
	if (m->swappiness)
		return err_set(e, ERR_UNSUPPORTED, "cgroup v2 has no swappiness of its own");
	if (m->limit && *m->limit)
		plan_add_max(plan, "memory", "memory.max", *m->limit);
	plan_swap(plan, m);
	if (m->reservation && *m->reservation)
		plan_add_max(plan, "memory", "memory.low", *m->reservation);
	return 0;
}

/* cpu.max takes both or the quota alone; a period alone needs "max" before it. */
static void plan_cpu_max(struct runtime_cgroup_plan *plan, const struct oci_resources_cpu *cpu)
{
	int64_t quota = cpu->quota ? *cpu->quota : 0;
	uint64_t period = cpu->period ? *cpu->period : 0;

	if (quota > 0 && period)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.max", "%lld %llu", (long long)quota,
					(unsigned long long)period);
	else if (quota > 0)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.max", "%lld", (long long)quota);
	else if (period)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.max", "max %llu",
					(unsigned long long)period);
	else if (quota < 0)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.max", "max");
}

static int plan_cpu(struct runtime_cgroup_plan *plan, const struct oci_resources_cpu *cpu,
		    struct err *e)
{
	if ((cpu->realtime_period && *cpu->realtime_period) ||
	    (cpu->realtime_runtime && *cpu->realtime_runtime))
		return err_set(e, ERR_UNSUPPORTED,
			       "cgroup v2 has no limits of real-time scheduling");
	if (cpu->shares && *cpu->shares)
		runtime_cgroup_plan_add(
			plan, "cpu", "cpu.weight", "%llu",
			(unsigned long long)runtime_cgroup_plan_weight_of_shares(*cpu->shares));
	plan_cpu_max(plan, cpu);
	if (cpu->burst)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.max.burst", "%llu",
					(unsigned long long)*cpu->burst)
			->fix = "bursts came with Linux 5.14";
	if (cpu->idle)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.idle", "%lld", (long long)*cpu->idle)
			->fix = "idle groups came with Linux 5.15";
	if (!str_empty(cpu->cpus))
		runtime_cgroup_plan_add(plan, "cpuset", "cpuset.cpus", "%s", cpu->cpus);
	if (!str_empty(cpu->mems))
		runtime_cgroup_plan_add(plan, "cpuset", "cpuset.mems", "%s", cpu->mems);
	return 0;
}

/* BFQ's own file takes the weight as it is, for the group ("") or a device ("8:0 "). */
static void plan_weight(struct runtime_cgroup_plan *plan, const char *device, uint64_t weight)
{
	struct runtime_cgroup_write *write = runtime_cgroup_plan_add(
		plan, "io", "io.bfq.weight", "%s%llu", device, (unsigned long long)weight);

	write->else_file = mem_text("io.weight");
	write->else_value =
		mem_format("%s%llu", *device ? device : "default ",
			   (unsigned long long)runtime_cgroup_plan_weight_of_blkio(weight));
	write->fix = "weights need the BFQ scheduler or io.cost";
}

static void plan_block_io(struct runtime_cgroup_plan *plan, const struct oci_resources_block_io *io)
{
	const struct {
		const char *key;
		const struct oci_throttle_devices *devices;
	} throttles[] = {
		{ "rbps", &io->throttle_read_bps_device },
		{ "wbps", &io->throttle_write_bps_device },
		{ "riops", &io->throttle_read_iops_device },
		{ "wiops", &io->throttle_write_iops_device },
	};

	if (io->weight && *io->weight)
		plan_weight(plan, "", *io->weight);
	for (size_t i = 0; i < io->weight_device.count; i++) {
		const struct oci_weight_device *d = &io->weight_device.items[i];
		char device[48];
		if (!d->weight || !*d->weight)
			continue;
		snprintf(device, sizeof(device), "%lld:%lld ", (long long)d->major,
			 (long long)d->minor);
		plan_weight(plan, device, *d->weight);
	}
	for (size_t i = 0; i < COUNT_OF(throttles); i++) {
		for (size_t k = 0; k < throttles[i].devices->count; k++) {
			const struct oci_throttle_device *d = &throttles[i].devices->items[k];
			char rate[24] = "max"; /* 0: none, as v1 takes it */
			if (d->rate)
				snprintf(rate, sizeof(rate), "%llu", (unsigned long long)d->rate);
			runtime_cgroup_plan_add(plan, "io", "io.max", "%lld:%lld %s=%s",
						(long long)d->major, (long long)d->minor,
						throttles[i].key, rate);
		}
	}
}

static void plan_rest(struct runtime_cgroup_plan *plan, const struct oci_resources *resources)
{
	if (resources->pids && resources->pids->limit) {
		int64_t limit = *resources->pids->limit;
		plan_add_max(plan, "pids", "pids.max", limit > 0 ? limit : -1);
	}
	runtime_cgroup_plan_hugepages(plan, resources, "max");
	runtime_cgroup_plan_rdma(plan, resources);
}

/* The controllers that "unified" may speak to; a file belongs to the one it is named after. */
static const char *plan_controller_of(const char *file)
{
	static const char *const controllers[] = { "cpu",  "cpuset", "io",   "memory", "hugetlb",
						   "pids", "rdma",   "misc", "dmem" };
	size_t length = strcspn(file, ".");

	for (size_t i = 0; i < COUNT_OF(controllers); i++) {
		if (strlen(controllers[i]) == length && memcmp(controllers[i], file, length) == 0 &&
		    file[length] == '.')
			return controllers[i];
	}
	return NULL;
}

/* Last, so that it wins over what was converted. cgroup.* files are refused: moving or killing
 * processes is no limit. */
static int plan_unified(struct runtime_cgroup_plan *plan, const struct shape_map *unified,
			struct err *e)
{
	for (size_t i = 0; i < unified->count; i++) {
		const char *file = unified->items[i].key;
		const char *controller = plan_controller_of(file);
		if (!controller || !path_is_name(file))
			return err_set(e, ERR_INVALID,
				       "cgroup file \"%s\": not one of a controller", file);
		runtime_cgroup_plan_add(plan, controller, file, "%s", unified->items[i].value);
	}
	return 0;
}

int runtime_cgroup_plan_v2(struct runtime_cgroup_plan *ret, const struct oci_resources *resources,
			   struct err *e)
{
	own_clear(runtime_cgroup_plan_clear) struct runtime_cgroup_plan plan = { 0 };

	int r = runtime_cgroup_plan_check(resources, e);
	if (r == 0 && resources->memory)
		r = plan_memory(&plan, resources->memory, e);
	if (r == 0 && resources->cpu)
		r = plan_cpu(&plan, resources->cpu, e);
	if (r < 0)
		return r;
	if (resources->block_io)
		plan_block_io(&plan, resources->block_io);
	if (resources->network &&
	    ((resources->network->class_id && *resources->network->class_id) ||
	     resources->network->priorities.count > 0))
		return err_set(e, ERR_UNSUPPORTED,
			       "cgroup v2 has no network class and priority (net_cls, net_prio)");
	plan_rest(&plan, resources);
	r = plan_unified(&plan, &resources->unified, e);
	if (r < 0)
		return r;
	*ret = plan;
	plan = (struct runtime_cgroup_plan){ 0 };
	return 0;
}
