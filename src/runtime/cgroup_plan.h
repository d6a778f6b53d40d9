/* cgroup_plan.h - limits (runtime-spec config-linux.md#control-groups) as a list of writes, pure;
 * and the writes themselves. Private to cgroup*.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oci_resources;
struct runtime_cgroup_undo;

/* What the kernel charges to a CPU at once (MEMCG_CHARGE_BATCH, 64 pages): below it not even the
 * first page is given. */
#define RUNTIME_CGROUP_MEMORY_MIN (INT64_C(256) << 10)

struct runtime_cgroup_write {
	const char *controller; /* "memory": who makes the file */
	char *file;
	char *value;
	char *else_file; /* tried where file does not exist, or NULL */
	char *else_value;
	const char *fix; /* what to do where neither exists, or NULL */
	bool optional;   /* where neither exists, it is as asked for anyway */
};

struct runtime_cgroup_plan {
	struct runtime_cgroup_write *items;
	size_t count;
};
void runtime_cgroup_plan_clear(struct runtime_cgroup_plan *plan);

/* Adds a write and returns it, valid until the next one is added. */
struct runtime_cgroup_write *runtime_cgroup_plan_add(struct runtime_cgroup_plan *plan,
						     const char *controller, const char *file,
						     const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* resources as writes for one layout. ERR_INVALID for values that contradict each other,
 * ERR_UNSUPPORTED for what the layout cannot express. Devices on v2 are not among the writes:
 * they are a BPF program. */
int runtime_cgroup_plan_v1(struct runtime_cgroup_plan *ret, const struct oci_resources *resources,
			   struct err *e);
int runtime_cgroup_plan_v2(struct runtime_cgroup_plan *ret, const struct oci_resources *resources,
			   struct err *e);

/* What both layouts refuse alike, and what they write alike; suffix is "max" or "limit_in_bytes".
 * Reservations of huge pages are limited, too, where the kernel can (Linux 5.7): a program that
 * has reserved what it may not use dies of SIGBUS. */
int runtime_cgroup_plan_check(const struct oci_resources *resources, struct err *e);
void runtime_cgroup_plan_hugepages(struct runtime_cgroup_plan *plan,
				   const struct oci_resources *resources, const char *suffix);
void runtime_cgroup_plan_rdma(struct runtime_cgroup_plan *plan,
			      const struct oci_resources *resources);

/* Is controller in the list "cpu,cpuacct"? */
bool runtime_cgroup_plan_listed(const char *list, const char *controller);

/* Does the list (v1: one hierarchy's controllers; NULL: all) take part in the plan? */
bool runtime_cgroup_plan_has(const struct runtime_cgroup_plan *plan, const char *list);

/* Makes the writes for the controllers in list (NULL: all) into the folder. The kernel refuses
 * some values until another one has changed (memory.limit above memsw, quota against period), so
 * what fails with EINVAL is tried once more at the end. undo, if not NULL, gets what was there
 * before; on failure, too, when the caller runs it. */
int runtime_cgroup_plan_apply(const struct runtime_cgroup_plan *plan, const char *list, int folder,
			      struct runtime_cgroup_undo *undo, struct err *e);

/* cpu.shares (2-262144) to cpu.weight (1-10000), and blkio weight (10-1000) to io.weight. */
uint64_t runtime_cgroup_plan_weight_of_shares(uint64_t shares);
uint64_t runtime_cgroup_plan_weight_of_blkio(uint64_t weight);
