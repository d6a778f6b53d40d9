#include "runtime/cgroup_unit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/shape.h"
#include "base/str.h"
#include "base/strv.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_plan.h"
#include "runtime/cgroup_variant.h"
#include "runtime/number_list.h"
#include "wire/dbus_message.h"

#define PROPERTY_PREFIX "org.systemd.property."

/* systemd.unit(5): "a valid unit name", 255 characters with the suffix. */
enum { NAME_BYTES_MAX = 255, PROPERTY_BYTES_MAX = 128 };

#define LETTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME_BYTES LETTERS "0123456789:-_.\\@"

/* ---- names ---- */

void runtime_cgroup_unit_clear(struct runtime_cgroup_unit *unit)
{
	free(unit->slice);
	free(unit->name);
	*unit = (struct runtime_cgroup_unit){ 0 };
}

static bool is_unit_name(const char *name)
{
	return strlen(name) <= NAME_BYTES_MAX && strspn(name, NAME_BYTES) == strlen(name);
}

/* systemd.slice(5): dashes part the levels, so there is one between two names. */
static bool is_slice(const char *slice)
{
	return is_unit_name(slice) && str_ends(slice, ".slice") && !str_equal(slice, ".slice") &&
	       (str_equal(slice, "-.slice") ||
		(*slice != '-' && !strstr(slice, "--") && !str_ends(slice, "-.slice")));
}

int runtime_cgroup_unit_parse(struct runtime_cgroup_unit *ret, const char *path, const char *id,
			      struct err *e)
{
	own_clear(strv_clear) struct strv parts = { 0 };
	own_free char *standard = mem_format(":holm:%s", id);
	own_clear(runtime_cgroup_unit_clear) struct runtime_cgroup_unit unit = { 0 };

	strv_split(&parts, str_empty(path) ? standard : path, ':');
	if (parts.count != 3 || !*parts.items[2])
		return err_set(e, ERR_INVALID,
			       "cgroup path \"%.100s\": the systemd manager takes "
			       "slice:prefix:name",
			       path);
	const char *slice = parts.items[0];
	const char *prefix = parts.items[1];
	if (*slice && !is_slice(slice))
		return err_set(e, ERR_INVALID, "cgroup path \"%.100s\": %.100s is not a slice",
			       path, slice);
	unit.slice = *slice ? mem_text(slice) : NULL;
	unit.name = mem_format("%s%s%s.scope", prefix, *prefix ? "-" : "", parts.items[2]);
	if (!is_unit_name(unit.name) || str_ends(parts.items[2], ".slice"))
		return err_set(e, ERR_INVALID, "%.100s is not the name of a scope", unit.name);
	*ret = unit;
	unit = (struct runtime_cgroup_unit){ 0 };
	return 0;
}

char *runtime_cgroup_unit_expand(const char *slice)
{
	struct str path = { 0 };

	if (str_equal(slice, "-.slice"))
		return mem_text("");
	for (const char *dash = strchr(slice, '-'); dash; dash = strchr(dash + 1, '-'))
		str_addf(&path, "/%.*s.slice", (int)(dash - slice), slice);
	str_addf(&path, "/%s", slice);
	return str_take(&path);
}

/* ---- properties ---- */

static void add_name(struct str *body, const char *name, const char *signature)
{
	wire_dbus_add_struct(body);
	wire_dbus_add_string(body, name);
	if (signature)
		wire_dbus_add_signature(body, signature);
}

void runtime_cgroup_unit_add_text(struct str *body, const char *name, const char *value)
{
	add_name(body, name, "s");
	wire_dbus_add_string(body, value);
}

void runtime_cgroup_unit_add_bool(struct str *body, const char *name, bool value)
{
	add_name(body, name, "b");
	wire_dbus_add_u32(body, value);
}

void runtime_cgroup_unit_add_pid(struct str *body, unsigned pid)
{
	add_name(body, "PIDs", "au");
	size_t begin = wire_dbus_begin_array(body, 4);
	wire_dbus_add_u32(body, pid);
	wire_dbus_end_array(body, begin, 4);
}

void runtime_cgroup_unit_add_list(struct str *body, const char *name, const char *only)
{
	add_name(body, name, "as");
	size_t begin = wire_dbus_begin_array(body, 4);
	wire_dbus_add_string(body, only);
	wire_dbus_end_array(body, begin, 4);
}

static void add_u64(struct str *body, const char *name, uint64_t value)
{
	add_name(body, name, "t");
	wire_dbus_add_u64(body, value);
}

void runtime_cgroup_unit_add_time(struct str *body, const char *name, int64_t seconds)
{
	add_u64(body, name, seconds < 0 ? UINT64_MAX : (uint64_t)seconds * 1000000);
}

/* A limit of the specification: 0 is none given, -1 no limit. */
static void add_limit(struct str *body, const char *name, const int64_t *limit)
{
	if (limit && *limit)
		add_u64(body, name, *limit < 0 ? UINT64_MAX : (uint64_t)*limit);
}

/* systemd counts in whole percents and must not be below what the cgroup has. */
static void add_quota(struct str *body, const struct oci_resources_cpu *cpu)
{
	static const uint64_t second_us = 1000000, percent_us = 10000, default_us = 100000;
	int64_t quota = cpu->quota ? *cpu->quota : 0;
	uint64_t period = cpu->period && *cpu->period ? *cpu->period : default_us;

	if (quota == 0)
		return;
	uint64_t per_second = UINT64_MAX;
	if (quota > 0 && (uint64_t)quota < UINT64_MAX / second_us)
		per_second = ((uint64_t)quota * second_us / period + percent_us - 1) / percent_us *
			     percent_us;
	add_u64(body, "CPUQuotaPerSecUSec", per_second);
	if (cpu->period && *cpu->period)
		add_u64(body, "CPUQuotaPeriodUSec", period);
}

static uint8_t byte_of(const struct runtime_number_list *list, size_t i)
{
	return (uint8_t)(list->bits[i / sizeof(*list->bits)] >> 8 * (i % sizeof(*list->bits)));
}

/* "0-3,7" as bytes of bits. */
static int add_list(struct str *body, const char *name, const char *text, struct err *e)
{
	struct runtime_number_list list;

	if (str_empty(text))
		return 0;
	int r = runtime_number_list_parse(&list, text, name, e);
	if (r < 0)
		return r;
	size_t last = RUNTIME_NUMBER_LIST_MAX / 8;
	while (last > 0 && !byte_of(&list, last - 1))
		last--;
	add_name(body, name, "ay");
	size_t begin = wire_dbus_begin_array(body, 1);
	for (size_t i = 0; i < last; i++)
		wire_dbus_add_byte(body, byte_of(&list, i));
	wire_dbus_end_array(body, begin, 1);
	return 0;
}

static int add_cpu(struct str *body, const struct oci_resources_cpu *cpu, bool v2, struct err *e)
{
	if (cpu->shares && *cpu->shares)
		add_u64(body, v2 ? "CPUWeight" : "CPUShares",
			v2 ? runtime_cgroup_plan_weight_of_shares(*cpu->shares) : *cpu->shares);
	add_quota(body, cpu);
	/* v1's cpuset is not systemd's */
	if (!v2)
		return 0;
	int r = add_list(body, "AllowedCPUs", cpu->cpus, e);
	return r < 0 ? r : add_list(body, "AllowedMemoryNodes", cpu->mems, e);
}

static void add_memory(struct str *body, const struct oci_resources_memory *memory, bool v2)
{
	add_limit(body, v2 ? "MemoryMax" : "MemoryLimit", memory->limit);
	if (!v2)
		return;
	add_limit(body, "MemoryLow", memory->reservation);
	int64_t swap = memory->swap ? *memory->swap : 0;
	if (swap > 0 && memory->limit && *memory->limit > 0)
		add_u64(body, "MemorySwapMax", (uint64_t)(swap - *memory->limit));
	else if (swap < 0)
		add_u64(body, "MemorySwapMax", UINT64_MAX);
}

static void add_weight(struct str *body, const struct oci_resources_block_io *io, bool v2)
{
	if (io->weight && *io->weight)
		add_u64(body, v2 ? "IOWeight" : "BlockIOWeight",
			v2 ? runtime_cgroup_plan_weight_of_blkio(*io->weight) : *io->weight);
}

int runtime_cgroup_unit_add_limits(struct str *body, const struct oci_resources *resources, bool v2,
				   struct err *e)
{
	if (resources->memory)
		add_memory(body, resources->memory, v2);
	if (resources->pids && resources->pids->limit)
		add_u64(body, "TasksMax",
			*resources->pids->limit > 0 ? (uint64_t)*resources->pids->limit
						    : UINT64_MAX);
	if (resources->block_io)
		add_weight(body, resources->block_io, v2);
	return resources->cpu ? add_cpu(body, resources->cpu, v2, e) : 0;
}

/* ---- annotations ---- */

static int add_annotation(struct str *body, const char *name, const char *value, struct err *e)
{
	char property[PROPERTY_BYTES_MAX + 2];
	size_t length = strlen(name);

	if (length < 3 || length > PROPERTY_BYTES_MAX || strspn(name, LETTERS) != length)
		return err_set(e, ERR_INVALID, "not the name of a property");
	bool seconds = str_ends(name, "Sec") && !str_ends(name, "USec");
	snprintf(property, sizeof(property), "%.*s%s", (int)(seconds ? length - 3 : length), name,
		 seconds ? "USec" : "");
	add_name(body, property, NULL);
	return runtime_cgroup_variant_add(body, value, seconds, e);
}

int runtime_cgroup_unit_add_annotations(struct str *body, const struct shape_map *annotations,
					struct err *e)
{
	for (size_t i = 0; annotations && i < annotations->count; i++) {
		const char *key = annotations->items[i].key;
		if (!str_starts(key, PROPERTY_PREFIX))
			continue;
		int r = add_annotation(body, key + strlen(PROPERTY_PREFIX),
				       annotations->items[i].value, e);
		if (r < 0)
			return err_add(e, "annotation %.100s", key);
	}
	return 0;
}
