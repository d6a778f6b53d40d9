#include "engine/spec.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/relabel.h"
#include "engine/switches.h"
#include "runtime/capability.h"
#include "runtime/seccomp.h"

/* Docker's masks and, beyond them, what tells about or reaches into the whole host. */
static const char *const masked_paths[] = {
	"/proc/asound",
	"/proc/acpi",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/slabinfo",
	"/proc/vmallocinfo",
	"/sys/firmware",
	"/sys/devices/virtual/powercap",
	"/sys/devices/virtual/thermal",
	"/sys/class/thermal",
};

static const char *const read_only_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static bool is_unmasked(const struct container_security *s, const char *path)
{
	if (s->privileged || s->unmask_all)
		return true;
	for (size_t i = 0; i < s->unmask.count; i++) {
		size_t length = strlen(s->unmask.items[i]);
		bool below = !strncmp(path, s->unmask.items[i], length) &&
			     (path[length] == '/' || path[length] == '\0');
		if (below)
			return true;
	}
	return false;
}

void spec_masks(struct strv *masked, struct strv *read_only, const struct container_security *s)
{
	for (size_t i = 0; i < COUNT_OF(masked_paths); i++)
		if (!is_unmasked(s, masked_paths[i]))
			strv_add(masked, masked_paths[i]);
	for (size_t i = 0; i < COUNT_OF(read_only_paths); i++)
		if (!is_unmasked(s, read_only_paths[i]))
			strv_add(read_only, read_only_paths[i]);
	for (size_t i = 0; i < s->mask.count; i++)
		if (!strv_contains(masked, s->mask.items[i]))
			strv_add(masked, s->mask.items[i]);
}

int spec_capabilities(uint64_t *ret, const struct container_security *s, uint64_t own,
		      struct err *e)
{
	bool all = s->privileged || strv_contains(&s->cap_add, "ALL");
	bool system = str_equal(s->posture, CONTAINER_SYSTEM);
	uint64_t usual = system ? runtime_capability_system : runtime_capability_default;
	uint64_t set = all ? own : usual & own;
	uint64_t add = 0, drop = 0;

	if (strv_contains(&s->cap_drop, "ALL"))
		set = all && !s->privileged ? set : 0;
	for (size_t i = 0; i < s->cap_add.count; i++) {
		if (str_equal(s->cap_add.items[i], "ALL"))
			continue;
		int r = runtime_capability_parse(&add, s->cap_add.items[i], e);
		if (r < 0)
			return err_add(e, "--cap-add");
		if (add & ~own)
			return err_set(e, ERR_PERMISSION,
				       "--cap-add %s: this process does not have it itself",
				       s->cap_add.items[i]);
		set |= add;
	}
	for (size_t i = 0; i < s->cap_drop.count; i++) {
		if (str_equal(s->cap_drop.items[i], "ALL"))
			continue;
		int r = runtime_capability_parse(&drop, s->cap_drop.items[i], e);
		if (r < 0)
			return err_add(e, "--cap-drop");
		set &= ~drop;
	}
	*ret = set;
	return 0;
}

static void add_capabilities(struct oci_spec *spec, uint64_t set)
{
	struct oci_capabilities *to = mem_new_struct(struct oci_capabilities);

	spec->process->capabilities = to;
	runtime_capability_names(&to->bounding, set);
	runtime_capability_names(&to->effective, set);
	runtime_capability_names(&to->permitted, set);
}

static int add_seccomp(struct oci_spec *spec, const struct container_security *s,
		       uint64_t capabilities, struct err *e)
{
	if (str_equal(s->seccomp, "unconfined") || (!s->seccomp && s->privileged)) {
		if (s->children_max)
			shape_map_set(&spec->annotations, "org.holm.seccomp", "open");
		return 0;
	}
	if (!s->seccomp || str_equal(s->seccomp, "builtin")) {
		shape_map_set(&spec->annotations, "org.holm.seccomp",
			      str_equal(s->posture, CONTAINER_SYSTEM) ? "guest" : "default");
		own_clear(strv_clear) struct strv calls = { 0 };
		engine_switches_calls(&calls, s);
		own_free char *denied = calls.count ? strv_join(&calls, ",") : NULL;
		if (denied)
			shape_map_set(&spec->annotations, "org.holm.seccomp.deny", denied);
		return 0;
	}
	spec->linux_.seccomp = mem_new_struct(struct oci_seccomp);
	int r = runtime_seccomp_read_docker(spec->linux_.seccomp, s->seccomp, strlen(s->seccomp),
					    capabilities, e);
	return r < 0 ? err_add(e, "--security-opt seccomp=%s", s->seccomp_path) : 0;
}

/* ---- devices ---- */

static void add_rule(struct spec_context *context, const char *type, int64_t major_number,
		     int64_t minor_number, const char *access)
{
	struct oci_device_rule *rule = shape_list_add(&context->device_rules);

	rule->allow = true;
	rule->type = mem_text(type);
	rule->access = mem_text(access);
	if (major_number >= 0) {
		rule->major = mem_new(1, sizeof(int64_t));
		*rule->major = major_number;
	}
	if (minor_number >= 0) {
		rule->minor = mem_new(1, sizeof(int64_t));
		*rule->minor = minor_number;
	}
}

static void add_node(struct spec_context *context, const char *target, const struct stat *st,
		     const char *access)
{
	const char *type = S_ISBLK(st->st_mode) ? "b" : "c";
	struct oci_device *device = shape_list_add(&context->devices);

	device->path = mem_text(target);
	device->type = mem_text(type);
	device->major = major(st->st_rdev);
	device->minor = minor(st->st_rdev);
	device->file_mode = mem_new(1, sizeof(uint64_t));
	device->uid = mem_new(1, sizeof(uint64_t));
	device->gid = mem_new(1, sizeof(uint64_t));
	*device->file_mode = st->st_mode & 07777;
	*device->uid = st->st_uid;
	*device->gid = st->st_gid;
	if (access)
		add_rule(context, type, device->major, device->minor, access);
}

/* What each container has of its own, or what is no node of the host. */
static bool is_own_folder(const char *name)
{
	static const char *const names[] = { ".",  "..",     "pts",     "shm",
					     "fd", "mqueue", "console", "ptmx" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return name[0] == '.';
}

enum { DEVICE_DEPTH_MAX = 8 };

static int add_devices_below(struct spec_context *context, const char *host, const char *target,
			     const char *access, int depth, struct err *e)
{
	own_dir DIR *dir = opendir(host);

	if (!dir)
		return depth ? 0 : err_sys(e, "open %s", host);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (is_own_folder(entry->d_name))
			continue;
		own_free char *from = mem_format("%s/%s", host, entry->d_name);
		own_free char *to = mem_format("%s/%s", target, entry->d_name);
		struct stat st;
		if (lstat(from, &st) < 0)
			continue;
		if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			add_node(context, to, &st, access);
		else if (S_ISDIR(st.st_mode) && depth < DEVICE_DEPTH_MAX)
			add_devices_below(context, from, to, access, depth + 1, e);
	}
	return 0;
}

static int add_device(struct spec_context *context, const struct container_device *device,
		      struct err *e)
{
	struct stat st;

	if (stat(device->host, &st) < 0)
		return err_sys(e, "--device %s", device->host);
	if (S_ISDIR(st.st_mode))
		return add_devices_below(context, device->host, device->target, device->permissions,
					 0, e);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(e, ERR_INVALID, "--device %s: it is no device", device->host);
	if (context->ordinary_user && !str_equal(device->host, device->target)) {
		/* who may make no node has the host's, which the runtime finds by its name */
		strv_add(&context->device_binds, device->host);
		strv_add(&context->device_binds, device->target);
		return 0;
	}
	add_node(context, device->target, &st, device->permissions);
	return 0;
}

static int64_t parse_device_number(const char *text)
{
	char *end;

	return *text == '*' ? -1 : strtoll(text, &end, 10);
}

/* "c 1:3 rwm"; config_security.c has checked the form. */
static void add_rule_text(struct spec_context *context, const char *text)
{
	const char type[] = { text[0], '\0' };
	const char *colon = strchr(text, ':');
	const char *access = strchr(colon, ' ') + 1;

	add_rule(context, type, parse_device_number(text + 2), parse_device_number(colon + 1),
		 access);
}

int spec_devices_read(struct spec_context *context, const struct container *c, struct err *e)
{
	own_clear(strv_clear) struct strv gpus = { 0 };
	int r = 0;

	if (c->security.privileged)
		r = add_devices_below(context, "/dev", "/dev", NULL, 0, e);
	for (size_t i = 0; r == 0 && i < c->security.devices.count; i++)
		r = add_device(context, &c->security.devices.items[i], e);
	if (r == 0)
		r = spec_gpu_list(&gpus, &c->security.gpus, e);
	for (size_t i = 0; r == 0 && i < gpus.count; i++) {
		const struct container_device gpu = { gpus.items[i], gpus.items[i], "rwm" };
		r = add_device(context, &gpu, e);
	}
	for (size_t i = 0; r == 0 && i < c->security.device_rules.count; i++)
		add_rule_text(context, c->security.device_rules.items[i]);
	return r;
}

/* The nodes that every container has, and mknod(2) as such, the runtime allows by itself. */
static void add_device_rules(struct oci_resources *r, const struct container_security *s,
			     struct spec_context *context)
{
	struct oci_device_rule *all = shape_list_add(&r->devices);

	all->allow = s->privileged;
	all->access = mem_text("rwm");
	if (s->privileged)
		return;
	for (size_t i = 0; i < context->device_rules.count; i++)
		*shape_list_add(&r->devices) = context->device_rules.items[i];
	context->device_rules.count = 0;
}

static void move_devices(struct oci_spec *spec, struct spec_context *context)
{
	for (size_t i = 0; i < context->devices.count; i++)
		*shape_list_add(&spec->linux_.devices) = context->devices.items[i];
	context->devices.count = 0;
	for (size_t i = 0; i + 1 < context->device_binds.count; i += 2)
		spec_mounts_bind(spec, context->device_binds.items[i + 1],
				 context->device_binds.items[i]);
}

int spec_security(struct oci_spec *spec, const struct container *c, struct spec_context *context,
		  struct err *e)
{
	const struct container_security *s = &c->security;
	uint64_t capabilities;

	int r = spec_capabilities(&capabilities, s, context->own_capabilities, e);
	if (r < 0)
		return r;
	add_capabilities(spec, capabilities);
	spec_masks(&spec->linux_.masked_paths, &spec->linux_.readonly_paths, s);
	for (size_t i = 0; i < s->sysctls.count; i++)
		shape_map_set(&spec->linux_.sysctl, s->sysctls.items[i].key,
			      s->sysctls.items[i].value);
	add_device_rules(spec->linux_.resources, s, context);
	move_devices(spec, context);
	r = engine_relabel_process(&spec->process->selinux_label, &spec->linux_.mount_label, c, e);
	return r < 0 ? r : add_seccomp(spec, s, capabilities, e);
}
