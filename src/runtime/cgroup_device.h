/* cgroup_device.h - which devices a container may use: the spec's list of rules, whose last match
 * wins, as files (v1) and as a BPF program (v2). Private to cgroup*.c. */
#pragma once
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct oci_device_rule;
struct oci_resources;
struct runtime_cgroup_plan;

enum { RUNTIME_CGROUP_DEVICE_RULES_MAX = 1024 };

struct runtime_cgroup_device_rule {
	bool allow;
	char type;     /* 'b' or 'c' */
	int64_t major; /* -1: all */
	int64_t minor;
	unsigned access; /* BPF_DEVCG_ACC_* */
};

/* The rules that count, those after the last one for all devices, and what holds where none of
 * them matches: nothing, unless the list says otherwise. */
struct runtime_cgroup_device_rules {
	bool allow;
	struct runtime_cgroup_device_rule *items;
	size_t count;
};
void runtime_cgroup_device_rules_clear(struct runtime_cgroup_device_rules *rules);

/* ERR_INVALID for a rule that is none. */
int runtime_cgroup_device_check(const struct oci_device_rule *rule, struct err *e);

/* Reads the list, and adds the devices that every container has (runtime-spec
 * config-linux.md#default-devices) and mknod(2) as such. ERR_INVALID. */
int runtime_cgroup_device_rules_read(struct runtime_cgroup_device_rules *ret,
				     const struct oci_resources *resources, struct err *e);

/* Root of a user namespace has none of this: the kernel lets it set no rules (device_cgroup.c asks
 * for CAP_SYS_ADMIN of the first), and it has no nodes but those that its caller may open. */

/* Adds the writes to devices.allow and devices.deny; none for an empty list. v1 keeps a list of
 * exceptions and cannot take a part of one away: ERR_UNSUPPORTED. */
int runtime_cgroup_device_plan_v1(struct runtime_cgroup_plan *plan,
				  const struct oci_resources *resources, struct err *e);

/* The rules as BPF_PROG_TYPE_CGROUP_DEVICE; the caller frees *ret. */
void runtime_cgroup_device_bpf_compile(struct bpf_insn **ret, size_t *ret_count,
				       const struct runtime_cgroup_device_rules *rules);

/* Compiles, loads and attaches to the v2 folder, in place of what holm attached there before;
 * does nothing for an empty list. */
int runtime_cgroup_device_bpf_attach(int folder, const struct oci_resources *resources,
				     struct err *e);
