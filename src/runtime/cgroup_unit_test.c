#include "runtime/cgroup_unit.h"

#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "oci/runtime_spec.h"
#include "wire/dbus_message.h"

static const struct {
	const char *path;
	const char *slice;
	const char *name; /* NULL: refused */
} names[] = {
	{ NULL, NULL, "holm-web.scope" },
	{ "", NULL, "holm-web.scope" },
	{ "machine.slice:libpod:abc", "machine.slice", "libpod-abc.scope" },
	{ "kubepods-besteffort.slice:cri-containerd:1", "kubepods-besteffort.slice",
	  "cri-containerd-1.scope" },
	{ "-.slice::abc", "-.slice", "abc.scope" },
	{ "system.slice:docker:a@b.c", "system.slice", "docker-a@b.c.scope" },
	{ "/holm/web", NULL, NULL },
	{ "a.slice:b", NULL, NULL },
	{ "a.slice:b:", NULL, NULL },
	{ "a.slice:b:c:d", NULL, NULL },
	{ "a:b:c", NULL, NULL },
	{ "a--b.slice:b:c", NULL, NULL },
	{ "-a.slice:b:c", NULL, NULL },
	{ "a-.slice:b:c", NULL, NULL },
	{ "../x.slice:b:c", NULL, NULL },
	{ "a.slice:b/..:c", NULL, NULL },
	{ "a.slice:b:c.slice", NULL, NULL },
};

START_TEST(a_path_names_slice_and_scope)
{
	own_clear(runtime_cgroup_unit_clear) struct runtime_cgroup_unit unit = { 0 };
	struct err e = { 0 };

	int r = runtime_cgroup_unit_parse(&unit, names[_i].path, "web", &e);
	if (!names[_i].name) {
		ck_assert_msg(r < 0, "%s was taken", names[_i].path);
		ck_assert_int_eq(e.kind, ERR_INVALID);
		return;
	}
	ck_assert_msg(r == 0, "%s", e.text);
	ck_assert_str_eq(unit.name, names[_i].name);
	ck_assert(str_equal(unit.slice, names[_i].slice));
}
END_TEST

static const char *const slices[][2] = {
	{ "a.slice", "/a.slice" },
	{ "a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice" },
	{ "-.slice", "" },
};

START_TEST(a_slice_lies_in_those_it_is_named_after)
{
	own_free char *path = runtime_cgroup_unit_expand(slices[_i][0]);

	ck_assert_str_eq(path, slices[_i][1]);
}
END_TEST

/* "Name=value Name=value" of numbers and arrays of bytes. */
static char *properties_text(const struct str *body)
{
	struct wire_dbus_reader r = { .bytes = (unsigned char *)body->text,
				      .length = body->length };
	struct str text = { 0 };

	while (r.at < r.length) {
		const char *name, *type;
		uint32_t low = 0, high = 0;
		r.at = (r.at + 7) / 8 * 8;
		ck_assert(wire_dbus_read_string(&r, &name));
		ck_assert(wire_dbus_read_signature(&r, &type));
		str_addf(&text, "%s%s=", text.length ? " " : "", name);
		if (*type == 't')
			r.at = (r.at + 7) / 8 * 8;
		ck_assert(wire_dbus_read_u32(&r, &low));
		if (*type == 't') {
			ck_assert(wire_dbus_read_u32(&r, &high));
			str_addf(&text, "%lld", (long long)((uint64_t)high << 32 | low));
			continue;
		}
		ck_assert_str_eq(type, "ay");
		for (uint32_t i = 0; i < low; i++) {
			uint8_t byte;
			ck_assert(wire_dbus_read_byte(&r, &byte));
			str_addf(&text, "%02x", byte);
		}
	}
	return str_take(&text);
}

static const struct {
	const char *resources;
	const char *v1;
	const char *v2;
} limits[] = {
	{ "{}", "", "" },
	{ "{\"memory\":{\"limit\":67108864,\"swap\":134217728,\"reservation\":1048576}}",
	  "MemoryLimit=67108864", "MemoryMax=67108864 MemoryLow=1048576 MemorySwapMax=67108864" },
	{ "{\"memory\":{\"limit\":-1,\"swap\":-1},\"pids\":{\"limit\":-1}}",
	  "MemoryLimit=-1 TasksMax=-1", "MemoryMax=-1 MemorySwapMax=-1 TasksMax=-1" },
	{ "{\"cpu\":{\"shares\":1024,\"quota\":33333,\"period\":50000},\"pids\":{\"limit\":9}}",
	  "TasksMax=9 CPUShares=1024 CPUQuotaPerSecUSec=670000 CPUQuotaPeriodUSec=50000",
	  "TasksMax=9 CPUWeight=100 CPUQuotaPerSecUSec=670000 CPUQuotaPeriodUSec=50000" },
	{ "{\"cpu\":{\"quota\":-1}}", "CPUQuotaPerSecUSec=-1", "CPUQuotaPerSecUSec=-1" },
	{ "{\"cpu\":{\"cpus\":\"0-3,9\",\"mems\":\"0\"},\"blockIO\":{\"weight\":500}}",
	  "BlockIOWeight=500", "IOWeight=4950 AllowedCPUs=0f02 AllowedMemoryNodes=01" },
};

static void check_limits(const struct oci_resources *resources, bool v2, const char *expected)
{
	own_clear(str_clear) struct str body = { 0 };
	struct err e;

	ck_assert_msg(runtime_cgroup_unit_add_limits(&body, resources, v2, &e) == 0, "%s", e.text);
	own_free char *text = properties_text(&body);
	ck_assert_str_eq(text, expected);
}

START_TEST(limits_become_properties)
{
	struct oci_resources resources = { 0 };
	own_json struct json_object *object = NULL;
	const char *text = limits[_i].resources;
	struct err e;

	ck_assert_int_eq(json_parse(&object, text, strlen(text), "resources", &e), 0);
	ck_assert_int_eq(shape_read(&oci_resources_shape, object, &resources, &e), 0);
	check_limits(&resources, false, limits[_i].v1);
	check_limits(&resources, true, limits[_i].v2);
	shape_clear(&oci_resources_shape, &resources);
}
END_TEST

static const struct {
	const char *key;
	const char *value;
	const char *text; /* "": is none of systemd's; NULL: refused */
} annotations[] = {
	{ "org.systemd.property.TimeoutStopUSec", "uint64 5", "TimeoutStopUSec=5" },
	{ "org.systemd.property.TimeoutStopSec", "5", "TimeoutStopUSec=5000000" },
	{ "org.example.property.X", "5", "" },
	{ "org.systemd.property.x", "5", NULL },
	{ "org.systemd.property.Bad-Name", "5", NULL },
	{ "org.systemd.property.TimeoutStopUSec", "five", NULL },
};

START_TEST(annotations_become_properties)
{
	own_clear(shape_map_clear) struct shape_map map = { 0 };
	own_clear(str_clear) struct str body = { 0 };
	struct err e = { 0 };

	shape_map_set(&map, annotations[_i].key, annotations[_i].value);
	int r = runtime_cgroup_unit_add_annotations(&body, &map, &e);
	if (!annotations[_i].text) {
		ck_assert_int_lt(r, 0);
		ck_assert_ptr_nonnull(strstr(e.text, annotations[_i].key));
		return;
	}
	ck_assert_msg(r == 0, "%s", e.text);
	own_free char *text = properties_text(&body);
	ck_assert_str_eq(text, annotations[_i].text);
}
END_TEST

UNIT_MAIN("runtime/cgroup_unit", UNIT_LOOP(a_path_names_slice_and_scope, COUNT_OF(names)),
	  UNIT_LOOP(a_slice_lies_in_those_it_is_named_after, COUNT_OF(slices)),
	  UNIT_LOOP(limits_become_properties, COUNT_OF(limits)),
	  UNIT_LOOP(annotations_become_properties, COUNT_OF(annotations)))
