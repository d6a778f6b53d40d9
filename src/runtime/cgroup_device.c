#include "runtime/cgroup_device.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "base/user_ids.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_plan.h"

#define ACCESS_ALL (BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE)

/* Major and minor numbers: Documentation/admin-guide/devices.txt. A node may be made for any
 * device (as runc and crun allow): without a rule for it, it cannot be opened. */
static const struct runtime_cgroup_device_rule always[] = {
	{ true, 'c', -1, -1, BPF_DEVCG_ACC_MKNOD },
	{ true, 'b', -1, -1, BPF_DEVCG_ACC_MKNOD },
	{ true, 'c', 1, 3, ACCESS_ALL },    /* null */
	{ true, 'c', 1, 5, ACCESS_ALL },    /* zero */
	{ true, 'c', 1, 7, ACCESS_ALL },    /* full */
	{ true, 'c', 1, 8, ACCESS_ALL },    /* random */
	{ true, 'c', 1, 9, ACCESS_ALL },    /* urandom */
	{ true, 'c', 5, 0, ACCESS_ALL },    /* tty */
	{ true, 'c', 5, 1, ACCESS_ALL },    /* console */
	{ true, 'c', 5, 2, ACCESS_ALL },    /* ptmx */
	{ true, 'c', 136, -1, ACCESS_ALL }, /* pts/N */
};

void runtime_cgroup_device_rules_clear(struct runtime_cgroup_device_rules *rules)
{
	free(rules->items);
	*rules = (struct runtime_cgroup_device_rules){ 0 };
}

static int device_access(unsigned *ret, const char *text, struct err *e)
{
	unsigned access = 0;

	if (str_empty(text)) {
		*ret = ACCESS_ALL;
		return 0;
	}
	for (const char *c = text; *c; c++) {
		if (*c == 'r')
			access |= BPF_DEVCG_ACC_READ;
		else if (*c == 'w')
			access |= BPF_DEVCG_ACC_WRITE;
		else if (*c == 'm')
			access |= BPF_DEVCG_ACC_MKNOD;
		else
			return err_set(e, ERR_INVALID, "device access \"%s\": of r, w and m", text);
	}
	*ret = access;
	return 0;
}

static int device_number(int64_t *ret, const int64_t *number, struct err *e)
{
	int64_t n = number ? *number : -1;

	if (n < -1 || n > UINT32_MAX)
		return err_set(e, ERR_INVALID, "device number %lld", (long long)n);
	*ret = n;
	return 0;
}

static int device_rule_read(struct runtime_cgroup_device_rules *rules,
			    const struct oci_device_rule *from, struct err *e)
{
	struct runtime_cgroup_device_rule rule = { .allow = from->allow };
	const char *type = str_empty(from->type) ? "a" : from->type;

	int r = device_access(&rule.access, from->access, e);
	if (r == 0)
		r = device_number(&rule.major, from->major, e);
	if (r == 0)
		r = device_number(&rule.minor, from->minor, e);
	if (r < 0)
		return r;
	if (strlen(type) != 1 || !strchr("abcu", type[0]))
		return err_set(e, ERR_INVALID, "device type \"%s\": a, b or c", type);
	bool all = type[0] == 'a';
	if (all && rule.major < 0 && rule.minor < 0 && rule.access == ACCESS_ALL) {
		runtime_cgroup_device_rules_clear(rules);
		rules->allow = rule.allow;
		return 0;
	}
	rule.type = type[0] == 'b' ? 'b' : 'c';
	*shape_list_add(rules) = rule;
	if (all) {
		rule.type = 'b';
		*shape_list_add(rules) = rule;
	}
	return 0;
}

int runtime_cgroup_device_check(const struct oci_device_rule *rule, struct err *e)
{
	own_clear(
		runtime_cgroup_device_rules_clear) struct runtime_cgroup_device_rules rules = { 0 };

	return device_rule_read(&rules, rule, e);
}

int runtime_cgroup_device_rules_read(struct runtime_cgroup_device_rules *ret,
				     const struct oci_resources *resources, struct err *e)
{
	own_clear(
		runtime_cgroup_device_rules_clear) struct runtime_cgroup_device_rules rules = { 0 };

	if (resources->devices.count > RUNTIME_CGROUP_DEVICE_RULES_MAX)
		return err_set(e, ERR_INVALID, "more than %d device rules",
			       RUNTIME_CGROUP_DEVICE_RULES_MAX);
	for (size_t i = 0; i < resources->devices.count; i++) {
		int r = device_rule_read(&rules, &resources->devices.items[i], e);
		if (r < 0)
			return err_add(e, "devices[%zu]", i);
	}
	for (size_t i = 0; !rules.allow && i < COUNT_OF(always); i++)
		*shape_list_add(&rules) = always[i];
	*ret = rules;
	rules = (struct runtime_cgroup_device_rules){ 0 };
	return 0;
}

static bool device_overlaps(const struct runtime_cgroup_device_rule *a,
			    const struct runtime_cgroup_device_rule *b)
{
	return a->type == b->type && (a->access & b->access) &&
	       (a->major < 0 || b->major < 0 || a->major == b->major) &&
	       (a->minor < 0 || b->minor < 0 || a->minor == b->minor);
}

static bool device_covers(const struct runtime_cgroup_device_rule *a,
			  const struct runtime_cgroup_device_rule *b)
{
	return a->type == b->type && !(b->access & ~a->access) &&
	       (a->major < 0 || a->major == b->major) && (a->minor < 0 || a->minor == b->minor);
}

/* Does a later rule of the other kind take this one back? -ENOTSUP: a part of it. */
static int device_is_revoked(const struct runtime_cgroup_device_rules *rules, size_t index,
			     struct err *e)
{
	const struct runtime_cgroup_device_rule *rule = &rules->items[index];

	for (size_t i = index + 1; i < rules->count; i++) {
		const struct runtime_cgroup_device_rule *later = &rules->items[i];
		if (later->allow == rule->allow || !device_overlaps(rule, later))
			continue;
		if (device_covers(later, rule))
			return 1;
		return err_set(e, ERR_UNSUPPORTED,
			       "device rules: cgroup v1 cannot take back a part of the rule for "
			       "%c %lld:%lld (-1: all)",
			       rule->type, (long long)rule->major, (long long)rule->minor);
	}
	return 0;
}

static void device_plan_add(struct runtime_cgroup_plan *plan,
			    const struct runtime_cgroup_device_rule *rule)
{
	const char *file = rule->allow ? "devices.allow" : "devices.deny";
	char major[24] = "*";
	char minor[24] = "*";

	if (rule->major >= 0)
		snprintf(major, sizeof(major), "%lld", (long long)rule->major);
	if (rule->minor >= 0)
		snprintf(minor, sizeof(minor), "%lld", (long long)rule->minor);
	runtime_cgroup_plan_add(plan, "devices", file, "%c %s:%s %s%s%s", rule->type, major, minor,
				rule->access & BPF_DEVCG_ACC_READ ? "r" : "",
				rule->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
				rule->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
}

int runtime_cgroup_device_plan_v1(struct runtime_cgroup_plan *plan,
				  const struct oci_resources *resources, struct err *e)
{
	own_clear(
		runtime_cgroup_device_rules_clear) struct runtime_cgroup_device_rules rules = { 0 };

	if (resources->devices.count == 0 || user_ids_are_mapped())
		return 0;
	int r = runtime_cgroup_device_rules_read(&rules, resources, e);
	if (r < 0)
		return r;
	runtime_cgroup_plan_add(plan, "devices", rules.allow ? "devices.allow" : "devices.deny",
				"a");
	for (size_t i = 0; i < rules.count; i++) {
		if (rules.items[i].allow == rules.allow)
			continue;
		r = device_is_revoked(&rules, i, e);
		if (r < 0)
			return r;
		if (r == 0)
			device_plan_add(plan, &rules.items[i]);
	}
	return 0;
}
