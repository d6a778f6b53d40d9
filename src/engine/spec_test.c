#include "engine/spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/unit.h"
#include "engine/config.h"
#include "engine/files.h"
#include "oci/image.h"
#include "runtime/capability.h"
#include "storage/store.h"

#define LAYER_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LAYER_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ID      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct config_context host = { NULL, "/", 0, false };
static const struct store store = { "/root", "/run", -1, -1 };

static void make_container(struct container *c, struct create_options *o)
{
	struct err e = { 0 };

	strv_add(&o->command, "sh");
	ck_assert_msg(engine_config_make(c, o, NULL, &host, &e) == 0, "%s", e.text);
	c->id = mem_text(ID);
	c->name = mem_text("box");
	strv_add(&c->image.layers, LAYER_A);
	strv_add(&c->image.layers, LAYER_B);
}

/* The spec of a container with these options, as JSON. */
static char *make(struct create_options *o, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	own_clear(spec_context_clear) struct spec_context context = { 0 };

	make_container(&c, o);
	context.store = &store;
	context.own_capabilities = ~(1ULL << 24) & ((1ULL << 41) - 1); /* no SYS_RESOURCE */
	context.files = mem_text("/root/containers/" ID);
	int r = engine_spec_make(&spec, &c, &context, e);
	create_options_clear(o);
	if (r < 0)
		return NULL;
	own_json struct json_object *object = shape_write(&oci_spec_shape, &spec);
	return mem_text(json_text(object));
}

static void has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "%s not in %s", part, text);
}

static void has_not(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) == NULL, "%s in %s", part, text);
}

START_TEST(the_default_posture)
{
	struct create_options o = { 0 };
	struct err e = { 0 };
	own_free char *text = make(&o, &e);

	ck_assert_msg(text != NULL, "%s", e.text);
	has(text, "\"org.holm.seccomp\":\"default\"");
	has(text, "\"org.holm.init\":\"true\"");
	has(text, "\"pids\":{\"limit\":2048}");
	has(text, "\"cgroupsPath\":\"/holm/" ID "\"");
	has(text, "{\"type\":\"cgroup\"}");
	has(text, "{\"type\":\"network\"}");
	has(text, "\"hostname\":\"0123456789ab\"");
	has(text, "\"HOSTNAME=0123456789ab\"");
	has(text, "\"username\":\"0:0\"");
	static const char *const masked[] = { "/proc/interrupts",
					      "/proc/slabinfo",
					      "/proc/vmallocinfo",
					      "/proc/kcore",
					      "/proc/keys",
					      "/sys/firmware",
					      "/sys/devices/virtual/powercap" };
	for (size_t i = 0; i < COUNT_OF(masked); i++)
		has(text, masked[i]);
	has(text, "\"/proc/sysrq-trigger\"");
	static const char *const dropped[] = { "CAP_NET_RAW", "CAP_MKNOD", "CAP_AUDIT_WRITE",
					       "CAP_SYS_ADMIN" };
	for (size_t i = 0; i < COUNT_OF(dropped); i++)
		has_not(text, dropped[i]);
}
END_TEST

START_TEST(the_layers_are_topmost_first)
{
	struct create_options o = { 0 };
	struct err e;
	own_free char *text = make(&o, &e);

	has(text, "[\\\"/root/layers/" LAYER_B "/fs\\\",\\\"/root/layers/" LAYER_A "/fs\\\"]");
	has(text, "\"org.holm.rootfs.upper\":\"/root/containers/" ID "/upper\"");
	has_not(text, "volatile");
}
END_TEST

START_TEST(what_goes_at_its_end_need_not_reach_the_disk)
{
	struct create_options o = { .rm = true };
	struct err e;
	own_free char *text = make(&o, &e);

	has(text, "\"org.holm.rootfs.volatile\":\"true\"");
}
END_TEST

START_TEST(privileged_gives_what_the_caller_owns_and_no_more)
{
	struct create_options o = { .privileged = true };
	struct err e;
	own_free char *text = make(&o, &e);

	has(text, "CAP_SYS_ADMIN");
	has_not(text, "CAP_SYS_RESOURCE");
	has_not(text, "org.holm.seccomp");
	has_not(text, "maskedPaths");
	has_not(text, "readonlyPaths");
	has(text, "\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]");
}
END_TEST

START_TEST(a_capability_that_the_caller_lacks_is_refused_by_name)
{
	struct create_options o = { 0 };
	struct err e = { 0 };

	strv_add(&o.cap_add, "SYS_RESOURCE");
	own_free char *text = make(&o, &e);
	ck_assert_ptr_null(text);
	ck_assert_int_eq(e.kind, ERR_PERMISSION);
	has(e.text, "CAP_SYS_RESOURCE");
}
END_TEST

static uint64_t capabilities(const char *add, const char *drop)
{
	struct container_security s = { 0 };
	uint64_t set = 0;
	struct err e;

	if (add)
		strv_add(&s.cap_add, add);
	if (drop)
		strv_add(&s.cap_drop, drop);
	ck_assert_int_eq(spec_capabilities(&set, &s, (1ULL << 41) - 1, &e), 0);
	strv_clear(&s.cap_add);
	strv_clear(&s.cap_drop);
	return set;
}

START_TEST(capabilities_are_added_and_dropped)
{
	ck_assert_uint_eq(capabilities(NULL, NULL), runtime_capability_default);
	ck_assert_uint_eq(capabilities("CAP_NET_RAW", NULL),
			  runtime_capability_default | 1ULL << 13);
	ck_assert_uint_eq(capabilities(NULL, "ALL"), 0);
	ck_assert_uint_eq(capabilities("CAP_KILL", "ALL"), 1ULL << 5);
	ck_assert_uint_eq(capabilities("ALL", "CAP_KILL"), ((1ULL << 41) - 1) & ~(1ULL << 5));
}
END_TEST

START_TEST(mounts_come_after_their_parents)
{
	struct create_options o = { 0 };
	struct err e = { 0 };

	strv_add(&o.volume, "/host:/a/b/c");
	strv_add(&o.volume, "/host:/a");
	strv_add(&o.volume, "vol:/a/b");
	own_free char *text = make(&o, &e);
	const char *a = strstr(text, "\"destination\":\"/a\"");
	const char *b = strstr(text, "\"destination\":\"/a/b\"");
	const char *c = strstr(text, "\"destination\":\"/a/b/c\"");
	ck_assert(a && b && c && a < b && b < c);
	has(text, "\"source\":\"/root/volumes/vol/data\"");
	has(text, "copyup");
}
END_TEST

START_TEST(what_is_asked_for_takes_the_place_of_what_each_has)
{
	struct create_options o = { 0 };
	struct err e = { 0 };

	strv_add(&o.tmpfs, "/dev/shm:size=1m");
	strv_add(&o.volume, "/my/hosts:/etc/hosts");
	own_free char *text = make(&o, &e);
	const char *first = strstr(text, "\"destination\":\"/dev/shm\"");
	ck_assert_ptr_null(strstr(first + 1, "\"destination\":\"/dev/shm\""));
	has_not(text, "/root/containers/" ID "/hosts");
	has(text, "\"source\":\"/my/hosts\"");
}
END_TEST

START_TEST(shared_namespaces_are_left_out)
{
	struct create_options o = { .pid = mem_text("host"),
				    .uts = mem_text("host"),
				    .cgroupns = mem_text("host") };
	struct err e = { 0 };

	strv_add(&o.network, "host");
	own_free char *text = make(&o, &e);
	has_not(text, "{\"type\":\"pid\"}");
	has_not(text, "{\"type\":\"uts\"}");
	has_not(text, "{\"type\":\"cgroup\"}");
	has_not(text, "{\"type\":\"network\"}");
	has_not(text, "\"hostname\":");
	has_not(text, "org.holm.init");
}
END_TEST

START_TEST(unmasked_paths_are_seen)
{
	struct container_security s = { 0 };
	struct strv masked = { 0 }, read_only = { 0 };

	strv_add(&s.unmask, "/proc/kcore");
	strv_add(&s.unmask, "/sys");
	strv_add(&s.mask, "/proc/version");
	spec_masks(&masked, &read_only, &s);
	ck_assert(!strv_contains(&masked, "/proc/kcore"));
	ck_assert(!strv_contains(&masked, "/sys/firmware"));
	ck_assert(strv_contains(&masked, "/proc/keys"));
	ck_assert(strv_contains(&masked, "/proc/version"));
	strv_clear(&masked);
	strv_clear(&read_only);
	strv_clear(&s.unmask);
	strv_clear(&s.mask);
}
END_TEST

START_TEST(name_servers_of_the_hosts_loopback_are_not_the_containers)
{
	struct container c = { 0 };
	struct str text = { 0 };

	c.network.mode = mem_text("private");
	files_resolv(&text, &c,
		     "nameserver 127.0.0.53\nnameserver ::1\nnameserver 10.0.0.1\n"
		     "search a b\noptions ndots:1\n");
	ck_assert_str_eq(text.text, "nameserver 10.0.0.1\nsearch a b\noptions ndots:1\n");
	str_clear(&text);
	strv_add(&c.network.dns, "9.9.9.9");
	strv_add(&c.network.dns_search, ".");
	files_resolv(&text, &c, "nameserver 10.0.0.1\nsearch a b\n# kept");
	ck_assert_str_eq(text.text, "# kept\nnameserver 9.9.9.9\n");
	str_clear(&text);
	container_clear(&c);
}
END_TEST

UNIT_MAIN("engine/spec", UNIT(the_default_posture), UNIT(the_layers_are_topmost_first),
	  UNIT(what_goes_at_its_end_need_not_reach_the_disk),
	  UNIT(privileged_gives_what_the_caller_owns_and_no_more),
	  UNIT(a_capability_that_the_caller_lacks_is_refused_by_name),
	  UNIT(capabilities_are_added_and_dropped), UNIT(mounts_come_after_their_parents),
	  UNIT(what_is_asked_for_takes_the_place_of_what_each_has),
	  UNIT(shared_namespaces_are_left_out), UNIT(unmasked_paths_are_seen),
	  UNIT(name_servers_of_the_hosts_loopback_are_not_the_containers))
