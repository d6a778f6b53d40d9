#include "runtime/cgroup_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_undo.h"

void runtime_cgroup_plan_clear(struct runtime_cgroup_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		free(plan->items[i].file);
		free(plan->items[i].value);
		free(plan->items[i].else_file);
		free(plan->items[i].else_value);
	}
	free(plan->items);
	*plan = (struct runtime_cgroup_plan){ 0 };
}

struct runtime_cgroup_write *runtime_cgroup_plan_add(struct runtime_cgroup_plan *plan,
						     const char *controller, const char *file,
						     const char *format, ...)
{
	struct runtime_cgroup_write *write = shape_list_add(plan);
	va_list args;

	va_start(args, format);
	int length = vasprintf(&write->value, format, args);
	va_end(args);
	if (length < 0)
		abort();
	write->controller = controller;
	write->file = mem_text(file);
	return write;
}

bool runtime_cgroup_plan_listed(const char *list, const char *controller)
{
	size_t length = strlen(controller);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, controller, length) == 0 && (!at[length] || at[length] == ','))
			return true;
	}
	return false;
}

bool runtime_cgroup_plan_has(const struct runtime_cgroup_plan *plan, const char *list)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (!list || runtime_cgroup_plan_listed(list, plan->items[i].controller))
			return true;
	}
	return false;
}

/* The file written last stays open for the next write: rules for devices come by the dozen. */
struct plan_file {
	const char *name; /* borrowed from the plan */
	int fd;
};

static void plan_file_close(struct plan_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct plan_file){ .fd = -1 };
}

static int plan_file_open(struct plan_file *file, int folder, const char *name)
{
	if (file->fd >= 0 && str_equal(file->name, name))
		return 0;
	plan_file_close(file);
	file->fd = openat(folder, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	file->name = name;
	return file->fd < 0 ? -errno : 0;
}

/* One write(2). Returns -errno without a sentence. */
static int plan_write_once(struct plan_file *file, int folder, const char *name, const char *value,
			   struct runtime_cgroup_undo *undo)
{
	int r = plan_file_open(file, folder, name);

	if (r < 0)
		return r;
	if (undo)
		runtime_cgroup_undo_add(undo, folder, name, value);
	return fd_write_all(file->fd, value, strlen(value));
}

static int plan_write(struct plan_file *file, int folder, const struct runtime_cgroup_write *write,
		      struct runtime_cgroup_undo *undo)
{
	int r = plan_write_once(file, folder, write->file, write->value, undo);

	if (r == -ENOENT && write->else_file)
		r = plan_write_once(file, folder, write->else_file, write->else_value, undo);
	return r == -ENOENT && write->optional ? 0 : r;
}

static int plan_explain(const struct runtime_cgroup_write *write, int r, struct err *e)
{
	if (r == -ENOENT) {
		err_set(e, ERR_UNSUPPORTED, "limit %s: this kernel does not have the file",
			write->file);
		return write->fix ? err_hint(e, "%s", write->fix) : -ENOENT;
	}
	err_number(e, -r, "set %s to %s", write->file, write->value);
	if (r == -EBUSY)
		err_hint(e, "the container uses more than that now");
	return r;
}

int runtime_cgroup_plan_apply(const struct runtime_cgroup_plan *plan, const char *list, int folder,
			      struct runtime_cgroup_undo *undo, struct err *e)
{
	own_free bool *again = mem_new(plan->count + 1, sizeof(bool));
	own_clear(plan_file_close) struct plan_file file = { .fd = -1 };

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < plan->count; i++) {
			const struct runtime_cgroup_write *write = &plan->items[i];
			if (round ? !again[i]
				  : list && !runtime_cgroup_plan_listed(list, write->controller))
				continue;
			int r = plan_write(&file, folder, write, round ? NULL : undo);
			if (r == -EINVAL && round == 0)
				again[i] = true;
			else if (r < 0)
				return plan_explain(write, r, e);
		}
	}
	return 0;
}

static int plan_check_memory(const struct oci_resources_memory *memory, struct err *e)
{
	int64_t limit = memory->limit ? *memory->limit : 0;
	int64_t swap = memory->swap ? *memory->swap : 0;

	if (limit > 0 && limit < RUNTIME_CGROUP_MEMORY_MIN)
		return err_set(e, ERR_INVALID,
			       "memory.limit %lld: nothing can start with less than %d KiB",
			       (long long)limit, (int)(RUNTIME_CGROUP_MEMORY_MIN >> 10));
	if (limit < -1 || swap < -1)
		return err_set(e, ERR_INVALID, "memory.limit %lld, with swap %lld: -1 is the least",
			       (long long)limit, (long long)swap);
	if (swap > 0 && limit < 0)
		return err_set(
			e, ERR_INVALID,
			"memory.swap: a limit of memory and swap together needs one of memory");
	if (swap > 0 && swap < limit)
		return err_set(e, ERR_INVALID,
			       "memory.swap: the limit of memory and swap together, %lld, is below "
			       "that of memory, %lld",
			       (long long)swap, (long long)limit);
	if (memory->reservation && limit > 0 && *memory->reservation > limit)
		return err_set(e, ERR_INVALID, "memory.reservation is above the limit");
	if (memory->swappiness && *memory->swappiness > 100)
		return err_set(e, ERR_INVALID, "memory.swappiness %llu: 0 to 100",
			       (unsigned long long)*memory->swappiness);
	if (memory->kernel && *memory->kernel > 0)
		return err_set(e, ERR_UNSUPPORTED,
			       "memory.kernel: Linux has no limit of kernel memory alone since "
			       "5.16");
	if (memory->use_hierarchy && !*memory->use_hierarchy)
		return err_set(
			e, ERR_UNSUPPORTED,
			"memory.useHierarchy: Linux always counts what is below, since 5.11");
	return 0;
}

/* Documentation/scheduler/sched-bwc.rst: 1 ms to 1 s, and a quota of at least 1 ms. */
static int plan_check_cpu(const struct oci_resources_cpu *cpu, struct err *e)
{
	if (cpu->period && *cpu->period && (*cpu->period < 1000 || *cpu->period > 1000000))
		return err_set(e, ERR_INVALID, "cpu.period %llu us: 1000 to 1000000",
			       (unsigned long long)*cpu->period);
	if (cpu->quota && *cpu->quota > 0 && *cpu->quota < 1000)
		return err_set(e, ERR_INVALID, "cpu.quota %lld us: at least 1000",
			       (long long)*cpu->quota);
	if (cpu->shares && *cpu->shares && (*cpu->shares < 2 || *cpu->shares > 262144))
		return err_set(e, ERR_INVALID, "cpu.shares %llu: 2 to 262144",
			       (unsigned long long)*cpu->shares);
	return 0;
}

static int plan_check_weight(const uint64_t *weight, const uint64_t *leaf_weight, struct err *e)
{
	if (weight && *weight && (*weight < 10 || *weight > 1000))
		return err_set(e, ERR_INVALID, "blockIO.weight %llu: 10 to 1000",
			       (unsigned long long)*weight);
	if (leaf_weight && *leaf_weight)
		return err_set(e, ERR_UNSUPPORTED, "blockIO.leafWeight: Linux has none since 5.0");
	return 0;
}

static int plan_check_block_io(const struct oci_resources_block_io *io, struct err *e)
{
	int r = plan_check_weight(io->weight, io->leaf_weight, e);

	for (size_t i = 0; r == 0 && i < io->weight_device.count; i++)
		r = plan_check_weight(io->weight_device.items[i].weight,
				      io->weight_device.items[i].leaf_weight, e);
	return r;
}

static int plan_check_page_size(const char *size, struct err *e)
{
	size_t digits = size ? strspn(size, "0123456789") : 0;

	if (digits == 0 || strlen(size) != digits + 2 || !strchr("KMG", size[digits]) ||
	    size[digits + 1] != 'B')
		return err_set(e, ERR_INVALID, "pageSize \"%s\": as in 2MB or 1GB",
			       size ? size : "");
	return 0;
}

int runtime_cgroup_plan_check(const struct oci_resources *resources, struct err *e)
{
	int r = resources->memory ? plan_check_memory(resources->memory, e) : 0;

	if (r == 0 && resources->cpu)
		r = plan_check_cpu(resources->cpu, e);
	if (r == 0 && resources->block_io)
		r = plan_check_block_io(resources->block_io, e);
	for (size_t i = 0; r == 0 && i < resources->hugepage_limits.count; i++)
		if (plan_check_page_size(resources->hugepage_limits.items[i].page_size, e) < 0)
			r = err_add(e, "hugepageLimits[%zu]", i);
	return r;
}

void runtime_cgroup_plan_hugepages(struct runtime_cgroup_plan *plan,
				   const struct oci_resources *resources, const char *suffix)
{
	for (size_t i = 0; i < resources->hugepage_limits.count; i++) {
		const struct oci_hugepage_limit *huge = &resources->hugepage_limits.items[i];
		own_free char *file = mem_format("hugetlb.%s.%s", huge->page_size, suffix);
		own_free char *reserved = mem_format("hugetlb.%s.rsvd.%s", huge->page_size, suffix);
		unsigned long long limit = huge->limit;
		runtime_cgroup_plan_add(plan, "hugetlb", file, "%llu", limit)->fix =
			"/sys/kernel/mm/hugepages lists the sizes of this host";
		runtime_cgroup_plan_add(plan, "hugetlb", reserved, "%llu", limit)->optional = true;
	}
}

void runtime_cgroup_plan_rdma(struct runtime_cgroup_plan *plan,
			      const struct oci_resources *resources)
{
	for (size_t i = 0; i < resources->rdma.count; i++) {
		const struct oci_rdma *rdma = &resources->rdma.items[i];
		if (rdma->hca_handles)
			runtime_cgroup_plan_add(plan, "rdma", "rdma.max", "%s hca_handle=%llu",
						rdma->name, (unsigned long long)*rdma->hca_handles);
		if (rdma->hca_objects)
			runtime_cgroup_plan_add(plan, "rdma", "rdma.max", "%s hca_object=%llu",
						rdma->name, (unsigned long long)*rdma->hca_objects);
	}
}

/* As crun 1.23 and runc 1.3.2 convert (their documentation gives the formula): the default of
 * 1024 becomes the default of 100, and both ends meet. */
uint64_t runtime_cgroup_plan_weight_of_shares(uint64_t shares)
{
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	double l = log2((double)shares);
	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612 - 7.0 / 34) - 1e-9);
}

uint64_t runtime_cgroup_plan_weight_of_blkio(uint64_t weight)
{
	return 1 + (weight - 10) * 9999 / 990;
}
