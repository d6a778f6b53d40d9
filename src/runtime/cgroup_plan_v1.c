/* The limits as files of cgroup v1, Documentation/admin-guide/cgroup-v1/. */
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/shape.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_device.h"
#include "runtime/cgroup_plan.h"

static const char fix_swap[] = "start the kernel with swapaccount=1, or set no swap limit";
static const char fix_weight[] =
	"weights need the BFQ scheduler: echo bfq > /sys/block/DEVICE/queue/scheduler";

/* No limit of memory is one of both together, too, as nothing else is possible. */
static void plan_swap(struct runtime_cgroup_plan *plan, const struct oci_resources_memory *m)
{
	int64_t swap = m->swap && *m->swap ? *m->swap : 0;

	if (swap == 0 && m->limit && *m->limit == -1)
		swap = -1;
	if (swap == 0)
		return;
	struct runtime_cgroup_write *write = runtime_cgroup_plan_add(
		plan, "memory", "memory.memsw.limit_in_bytes", "%lld", (long long)swap);
	write->fix = fix_swap;
	write->optional = swap < 0;
}

static void plan_memory(struct runtime_cgroup_plan *plan, const struct oci_resources_memory *m)
{
	if (m->limit && *m->limit)
		runtime_cgroup_plan_add(plan, "memory", "memory.limit_in_bytes", "%lld",
					(long long)*m->limit);
	plan_swap(plan, m);
	if (m->reservation && *m->reservation)
		runtime_cgroup_plan_add(plan, "memory", "memory.soft_limit_in_bytes", "%lld",
					(long long)*m->reservation);
	if (m->kernel_tcp && *m->kernel_tcp)
		runtime_cgroup_plan_add(plan, "memory", "memory.kmem.tcp.limit_in_bytes", "%lld",
					(long long)*m->kernel_tcp)
			->optional = *m->kernel_tcp < 0;
	if (m->swappiness)
		runtime_cgroup_plan_add(plan, "memory", "memory.swappiness", "%llu",
					(unsigned long long)*m->swappiness);
	if (m->disable_oom_killer && *m->disable_oom_killer)
		runtime_cgroup_plan_add(plan, "memory", "memory.oom_control", "1");
}

static void plan_cpu(struct runtime_cgroup_plan *plan, const struct oci_resources_cpu *cpu)
{
	if (cpu->shares && *cpu->shares)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.shares", "%llu",
					(unsigned long long)*cpu->shares);
	if (cpu->period && *cpu->period)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.cfs_period_us", "%llu",
					(unsigned long long)*cpu->period);
	if (cpu->quota && *cpu->quota)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.cfs_quota_us", "%lld",
					(long long)*cpu->quota);
	if (cpu->burst)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.cfs_burst_us", "%llu",
					(unsigned long long)*cpu->burst)
			->fix = "bursts came with Linux 5.14";
	if (cpu->idle)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.idle", "%lld", (long long)*cpu->idle)
			->fix = "idle groups came with Linux 5.15";
	if (cpu->realtime_period && *cpu->realtime_period)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.rt_period_us", "%llu",
					(unsigned long long)*cpu->realtime_period)
			->fix = "the kernel was built without CONFIG_RT_GROUP_SCHED";
	if (cpu->realtime_runtime && *cpu->realtime_runtime)
		runtime_cgroup_plan_add(plan, "cpu", "cpu.rt_runtime_us", "%lld",
					(long long)*cpu->realtime_runtime)
			->fix = "the kernel was built without CONFIG_RT_GROUP_SCHED";
	if (!str_empty(cpu->cpus))
		runtime_cgroup_plan_add(plan, "cpuset", "cpuset.cpus", "%s", cpu->cpus);
	if (!str_empty(cpu->mems))
		runtime_cgroup_plan_add(plan, "cpuset", "cpuset.mems", "%s", cpu->mems);
}

static void plan_weight(struct runtime_cgroup_plan *plan, const char *bfq, const char *cfq,
			const char *value)
{
	struct runtime_cgroup_write *write =
		runtime_cgroup_plan_add(plan, "blkio", bfq, "%s", value);

	write->else_file = mem_text(cfq);
	write->else_value = mem_text(value);
	write->fix = fix_weight;
}

static void plan_block_io(struct runtime_cgroup_plan *plan, const struct oci_resources_block_io *io)
{
	const struct {
		const char *file;
		const struct oci_throttle_devices *devices;
	} throttles[] = {
		{ "blkio.throttle.read_bps_device", &io->throttle_read_bps_device },
		{ "blkio.throttle.write_bps_device", &io->throttle_write_bps_device },
		{ "blkio.throttle.read_iops_device", &io->throttle_read_iops_device },
		{ "blkio.throttle.write_iops_device", &io->throttle_write_iops_device },
	};
	char value[80];

	if (io->weight && *io->weight) {
		snprintf(value, sizeof(value), "%llu", (unsigned long long)*io->weight);
		plan_weight(plan, "blkio.bfq.weight", "blkio.weight", value);
	}
	for (size_t i = 0; i < io->weight_device.count; i++) {
		const struct oci_weight_device *d = &io->weight_device.items[i];
		if (!d->weight || !*d->weight)
			continue;
		snprintf(value, sizeof(value), "%lld:%lld %llu", (long long)d->major,
			 (long long)d->minor, (unsigned long long)*d->weight);
		plan_weight(plan, "blkio.bfq.weight_device", "blkio.weight_device", value);
	}
	for (size_t i = 0; i < COUNT_OF(throttles); i++) {
		for (size_t k = 0; k < throttles[i].devices->count; k++) {
			const struct oci_throttle_device *d = &throttles[i].devices->items[k];
			runtime_cgroup_plan_add(plan, "blkio", throttles[i].file, "%lld:%lld %llu",
						(long long)d->major, (long long)d->minor,
						(unsigned long long)d->rate)
				->fix = "the kernel was built without CONFIG_BLK_DEV_THROTTLING";
		}
	}
}

static void plan_network(struct runtime_cgroup_plan *plan, const struct oci_resources_network *net)
{
	if (net->class_id && *net->class_id)
		runtime_cgroup_plan_add(plan, "net_cls", "net_cls.classid", "%llu",
					(unsigned long long)*net->class_id);
	for (size_t i = 0; i < net->priorities.count; i++)
		runtime_cgroup_plan_add(plan, "net_prio", "net_prio.ifpriomap", "%s %u",
					net->priorities.items[i].name,
					net->priorities.items[i].priority);
}

static void plan_rest(struct runtime_cgroup_plan *plan, const struct oci_resources *resources)
{
	if (resources->pids && resources->pids->limit) {
		int64_t limit = *resources->pids->limit;
		if (limit > 0)
			runtime_cgroup_plan_add(plan, "pids", "pids.max", "%lld", (long long)limit);
		else
			runtime_cgroup_plan_add(plan, "pids", "pids.max", "max");
	}
	runtime_cgroup_plan_hugepages(plan, resources, "limit_in_bytes");
	runtime_cgroup_plan_rdma(plan, resources);
}

int runtime_cgroup_plan_v1(struct runtime_cgroup_plan *ret, const struct oci_resources *resources,
			   struct err *e)
{
	own_clear(runtime_cgroup_plan_clear) struct runtime_cgroup_plan plan = { 0 };

	int r = runtime_cgroup_plan_check(resources, e);
	if (r < 0)
		return r;
	if (resources->unified.count > 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "cgroup file %s: \"unified\" is for cgroup v2, and this host has v1",
			       resources->unified.items[0].key);
	if (resources->memory)
		plan_memory(&plan, resources->memory);
	if (resources->cpu)
		plan_cpu(&plan, resources->cpu);
	if (resources->block_io)
		plan_block_io(&plan, resources->block_io);
	if (resources->network)
		plan_network(&plan, resources->network);
	plan_rest(&plan, resources);
	r = runtime_cgroup_device_plan_v1(&plan, resources, e);
	if (r < 0)
		return r;
	*ret = plan;
	plan = (struct runtime_cgroup_plan){ 0 };
	return 0;
}
