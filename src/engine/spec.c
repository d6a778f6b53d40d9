#include "engine/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/hooks.h"
#include "engine/lower.h"
#include "engine/quota.h"
#include "engine/quota_disk.h"
#include "runtime/overlay_lower.h"
#include "storage/store.h"

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void spec_host_name(char to[65], const struct container *c)
{
	struct utsname host;
	bool of_host = str_equal(c->security.uts, "host") || str_equal(c->network.mode, "host");

	if (c->process.hostname)
		snprintf(to, 65, "%s", c->process.hostname);
	else if (container_is_system(c) && c->name)
		snprintf(to, 65, "%.64s", c->name);
	else if (of_host && uname(&host) == 0)
		snprintf(to, 65, "%s", host.nodename);
	else
		snprintf(to, 65, "%.*s", CONTAINER_ID_SHORT, c->id);
}

void spec_env(struct strv *to, const struct container *c, bool tty)
{
	char host_name[65];

	spec_host_name(host_name, c);
	strv_add(to, PATH_DEFAULT);
	strv_addf(to, "HOSTNAME=%s", host_name);
	if (tty)
		strv_add(to, "TERM=xterm");
	for (size_t i = 0; i < c->process.env.count; i++)
		strv_set(to, c->process.env.items[i]);
}

static void add_groups(struct oci_spec *spec, const struct container *c)
{
	if (c->process.groups.count == 0)
		return;
	if (strv_contains(&c->process.groups, CONFIG_KEEP_GROUPS)) {
		shape_map_set(&spec->annotations, "run.oci.keep_original_groups", "1");
		return;
	}
	own_free char *groups = strv_join(&c->process.groups, ",");
	shape_map_set(&spec->annotations, "org.holm.groups", groups);
}

static void add_process(struct oci_spec *spec, const struct container *c,
			const struct spec_context *context)
{
	struct oci_process *process = mem_new_struct(struct oci_process);

	spec->process = process;
	process->terminal = c->process.tty;
	if (c->process.tty && context->rows) {
		process->console_size = mem_new_struct(struct oci_console_size);
		process->console_size->height = context->rows;
		process->console_size->width = context->columns;
	}
	strv_add_all(&process->args, &c->process.entrypoint);
	strv_add_all(&process->args, &c->process.command);
	if (container_is_system(c))
		spec_system_env(&process->env, c);
	else
		spec_env(&process->env, c, c->process.tty);
	process->cwd = mem_text(c->process.workdir);
	process->user.username = mem_text(c->process.user ? c->process.user : "0:0");
	if (c->process.umask) {
		process->user.umask = mem_new(1, sizeof(*process->user.umask));
		*process->user.umask = strtoul(c->process.umask, NULL, 8);
	}
	process->no_new_privileges = c->security.no_new_privileges;
	if (c->security.apparmor || !c->security.privileged)
		process->apparmor_profile =
			mem_text(c->security.apparmor ? c->security.apparmor : context->apparmor);
	add_groups(spec, c);
}

/* The values are read when a process is started: the spec does not have them. */
static void add_secret_env(struct oci_spec *spec, const struct container *c,
			   const struct spec_context *context)
{
	own_json struct json_object *files = json_object_new_object();

	for (size_t i = 0; i < c->secrets.count; i++) {
		const struct container_secret *s = &c->secrets.items[i];
		own_free char *path = mem_format("%s/containers/%s/secrets/%s",
						 context->store->root, c->id, s->id);
		if (s->env)
			json_object_object_add(files, s->target, json_object_new_string(path));
	}
	if (json_object_object_length(files))
		shape_map_set(&spec->annotations, "org.holm.env.files", json_text(files));
}

static void add_namespace(struct oci_spec *spec, const char *type, const char *mode,
			  const struct spec_joined *joined)
{
	if (str_equal(mode, "host"))
		return;
	struct oci_namespace *namespace = shape_list_add(&spec->linux_.namespaces);
	namespace->type = mem_text(type);
	if (!joined || !joined->path)
		return;
	own_free char *key = mem_format("org.holm.joined.%s", type);
	namespace->path = mem_text(joined->path);
	if (joined->owner)
		shape_map_set(&spec->annotations, key, joined->owner);
}

static void add_namespaces(struct oci_spec *spec, const struct container *c,
			   const struct spec_context *context)
{
	const struct container_security *s = &c->security;

	add_namespace(spec, "mount", NULL, NULL);
	add_namespace(spec, "pid", s->pid, &context->pid_namespace);
	add_namespace(spec, "ipc", s->ipc, &context->ipc_namespace);
	add_namespace(spec, "uts", s->uts, &context->uts_namespace);
	add_namespace(spec, "cgroup", s->cgroupns, NULL);
	add_namespace(spec, "network", c->network.mode, &context->network_namespace);
	add_namespace(spec, "user", s->ids.uids.count ? s->userns : "host",
		      &context->user_namespace);
}

static void add_ids(struct oci_spec *spec, const struct container *c)
{
	struct runtime_idmap ids = { 0 };

	runtime_idmap_copy(&ids, &c->security.ids.uids, &c->security.ids.gids);
	spec->linux_.uid_mappings = ids.uids;
	spec->linux_.gid_mappings = ids.gids;
}

/* As the profiles of Solaris' zones, zonecfg(8), "file-mac-profile". */
static void add_writable(struct oci_spec *spec, const char *immutable)
{
	const char *folders = str_equal(immutable, "fixed")      ? "/var,/tmp,/run"
			      : str_equal(immutable, "flexible") ? "/var,/tmp,/run,/etc,/root,/home"
								 : NULL;

	if (folders)
		shape_map_set(&spec->annotations, "org.holm.rootfs.writable", folders);
}

/* Its files have the container's ids. */
static void add_copy(struct oci_spec *spec, const struct container *c, const char *root)
{
	spec->root = mem_new_struct(struct oci_root);
	spec->root->path = mem_format("%s/containers/%s/upper", root, c->id);
	spec->root->readonly = c->storage.read_only;
}

/* The folder itself, as systemd-nspawn boots one. */
static void add_folder(struct oci_spec *spec, const struct container *c)
{
	spec->root = mem_new_struct(struct oci_root);
	spec->root->path = mem_text(c->image.rootfs);
	if (c->security.ids.uids.count)
		shape_map_set(&spec->annotations, "org.holm.rootfs.idmap", "true");
}

/* The folders of the overlay, by the annotations of runtime/runtime.h. */
static void add_root(struct oci_spec *spec, const struct container *c,
		     const struct spec_context *context, bool is_volatile)
{
	own_clear(runtime_overlay_clear) struct runtime_overlay overlay = { 0 };
	const char *root = context->store->root;

	if (c->image.in_place) {
		add_folder(spec, c);
		return;
	}
	if (c->storage.copied) {
		add_copy(spec, c, root);
		return;
	}
	engine_lower_add(&overlay, context->store, c, false);
	bool apart = engine_quota_is_apart(c);
	own_json struct json_object *lower = runtime_overlay_lower_write(&overlay);
	own_free char *folder = apart ? mem_text("") : mem_format("%s/containers/%s", root, c->id);
	own_free char *upper = c->storage.upper ? mem_text(c->storage.upper)
						: mem_format("%s%supper", folder, apart ? "" : "/");
	own_free char *work = mem_format("%s%swork", folder, apart ? "" : "/");
	shape_map_set(&spec->annotations, "org.holm.rootfs.lower", json_text(lower));
	if (overlay.data.count) {
		own_json struct json_object *data = json_object_new_array();
		for (size_t i = 0; i < overlay.data.count; i++)
			json_object_array_add(data, json_object_new_string(overlay.data.items[i]));
		shape_map_set(&spec->annotations, "org.holm.rootfs.data", json_text(data));
	}
	shape_map_set(&spec->annotations, "org.holm.rootfs.upper", upper);
	shape_map_set(&spec->annotations, "org.holm.rootfs.work", work);
	if (apart) {
		own_free char *disk = mem_format("%s/containers/%s/" QUOTA_DISK_FILE, root, c->id);
		shape_map_set(&spec->annotations, "org.holm.rootfs.disk", disk);
	}
	if (is_volatile)
		shape_map_set(&spec->annotations, "org.holm.rootfs.volatile", "true");
	if (c->security.ids.uids.count)
		shape_map_set(&spec->annotations, "org.holm.rootfs.idmap", "true");
	spec->root = mem_new_struct(struct oci_root);
	spec->root->path = mem_text("rootfs");
	spec->root->readonly = c->storage.read_only;
	add_writable(spec, c->storage.immutable);
}

int engine_spec_make(struct oci_spec *spec, const struct container *c, struct spec_context *context,
		     struct err *e)
{
	spec->oci_version = mem_text(OCI_RUNTIME_SPEC_VERSION);
	for (size_t i = 0; i < c->annotations.count; i++)
		shape_map_set(&spec->annotations, c->annotations.items[i].key,
			      c->annotations.items[i].value);
	add_process(spec, c, context);
	add_secret_env(spec, c, context);
	if (context->login)
		shape_map_set(&spec->annotations, "org.holm.login", context->login);
	add_namespaces(spec, c, context);
	/* of a user namespace that is joined they are known there */
	if (!context->user_namespace.path)
		add_ids(spec, c);
	add_root(spec, c, context, c->auto_remove);
	if (!str_equal(c->security.uts, "host") && !config_container_name(c->security.uts)) {
		char host_name[65];
		spec_host_name(host_name, c);
		spec->hostname = mem_text(host_name);
		spec->domainname = mem_text(c->process.domainname);
	}
	if (c->process.init)
		shape_map_set(&spec->annotations, "org.holm.init", "true");
	if (container_is_system(c))
		spec_system(spec, c, context);
	spec_mounts(spec, c, context);
	engine_hooks_add(spec, c, context->store);
	int r = spec_limits(spec, c, e);
	if (context->ordinary_user && !c->limits.cgroup_parent)
		mem_replace(&spec->linux_.cgroups_path, NULL);
	if (r == 0)
		r = spec_security(spec, c, context, e);
	return r < 0 ? r : spec_calls(spec, c, context, e);
}

void engine_spec_make_tree(struct oci_spec *spec, const struct container *c,
			   const struct spec_context *context)
{
	spec->oci_version = mem_text(OCI_RUNTIME_SPEC_VERSION);
	add_namespace(spec, "user", c->security.ids.uids.count ? "private" : "host", NULL);
	add_ids(spec, c);
	add_root(spec, c, context, false);
	spec_mounts_tree(spec, c, context);
}

void spec_context_clear(struct spec_context *context)
{
	own_clear(oci_spec_clear) struct oci_spec holder = { 0 };

	holder.linux_.resources = mem_new_struct(struct oci_resources);
	for (size_t i = 0; i < context->devices.count; i++)
		*shape_list_add(&holder.linux_.devices) = context->devices.items[i];
	for (size_t i = 0; i < context->device_rules.count; i++)
		*shape_list_add(&holder.linux_.resources->devices) = context->device_rules.items[i];
	free(context->login);
	free(context->devices.items);
	free(context->device_rules.items);
	strv_clear(&context->device_binds);
	struct spec_joined *joined[] = { &context->pid_namespace, &context->ipc_namespace,
					 &context->network_namespace, &context->user_namespace,
					 &context->uts_namespace };
	for (size_t i = 0; i < COUNT_OF(joined); i++) {
		free(joined[i]->path);
		free(joined[i]->owner);
	}
	free(context->shm);
	free(context->shm_owner);
	free(context->files);
	*context = (struct spec_context){ 0 };
}
