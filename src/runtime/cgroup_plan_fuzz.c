/* Limits from a config.json or an update: no write leaves the cgroup's own folder, and the device
 * program stays within what the kernel takes. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "base/shape.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_device.h"
#include "runtime/cgroup_plan.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length);

static void check_plan(struct runtime_cgroup_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (strchr(plan->items[i].file, '/') ||
		    strncmp(plan->items[i].file, "cgroup.", 7) == 0)
			abort();
	}
	runtime_cgroup_plan_clear(plan);
}

static void check_devices(const struct oci_resources *resources)
{
	struct runtime_cgroup_device_rules rules = { 0 };
	struct bpf_insn *program;
	size_t count;
	struct err e;

	if (runtime_cgroup_device_rules_read(&rules, resources, &e) < 0)
		return;
	runtime_cgroup_device_bpf_compile(&program, &count, &rules);
	for (size_t i = 0; i < count; i++) {
		if (BPF_CLASS(program[i].code) == BPF_JMP32 &&
		    i + 1 + (size_t)program[i].off >= count)
			abort();
	}
	free(program);
	runtime_cgroup_device_rules_clear(&rules);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t length)
{
	own_json struct json_object *object = NULL;
	struct runtime_cgroup_plan plan = { 0 };
	struct oci_resources resources = { 0 };
	struct err e;

	if (json_parse(&object, (const char *)bytes, length, "resources", &e) < 0 ||
	    shape_read(&oci_resources_shape, object, &resources, &e) < 0)
		return 0;
	if (runtime_cgroup_plan_v1(&plan, &resources, &e) == 0)
		check_plan(&plan);
	if (runtime_cgroup_plan_v2(&plan, &resources, &e) == 0)
		check_plan(&plan);
	check_devices(&resources);
	shape_clear(&oci_resources_shape, &resources);
	return 0;
}
