#include "engine/engine.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/health.h"
#include "engine/inspect_part.h"
#include "engine/lower.h"
#include "engine/quota.h"
#include "engine/quota_disk.h"
#include "engine/relabel.h"
#include "runtime/apparmor.h"
#include "runtime/lsm.h"
#include "runtime/overlay.h"
#include "storage/layer.h"
#include "storage/store.h"
#include "storage/volume.h"

static struct json_object *state_object(struct engine *engine, const struct container *c,
					const struct container_state *state)
{
	struct json_object *to = json_object_new_object();

	inspect_text(to, "Status", container_status_name(state->status));
	inspect_bool(to, "Running", container_state_live(state));
	inspect_bool(to, "Paused", state->status == CONTAINER_PAUSED);
	inspect_bool(to, "Restarting", state->status == CONTAINER_RESTARTING);
	inspect_bool(to, "OOMKilled", state->oom_killed);
	inspect_bool(to, "Dead", state->status == CONTAINER_DEAD);
	inspect_number(to, "Pid", state->pid);
	inspect_number(to, "ExitCode", state->exit_code);
	inspect_text(to, "Error", state->error);
	inspect_moment(to, "StartedAt", state->started_ns);
	inspect_moment(to, "FinishedAt", state->finished_ns);
	struct json_object *health = engine_health_object(engine, c, state);
	if (health)
		json_object_object_add(to, "Health", health);
	return to;
}

/* The options as Docker keeps them: "z" is what it says of volumes. */
static const char *mode_of(const struct container_mount *m)
{
	if (m->relabel)
		return m->relabel;
	if (str_equal(m->type, "volume"))
		return m->read_only ? "ro" : "z";
	return m->create_source && m->read_only ? "ro" : "";
}

struct json_object *inspect_mounts(struct engine *engine, const struct container *c)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < c->storage.mounts.count; i++) {
		const struct container_mount *m = &c->storage.mounts.items[i];
		bool volume = str_equal(m->type, "volume");
		own_free char *data =
			volume && m->name ? storage_volume_path(engine->store, m->name) : NULL;
		struct json_object *one = json_object_new_object();
		inspect_text(one, "Type", m->type);
		if (volume)
			inspect_text(one, "Name", m->name);
		inspect_text(one, "Source", data ? data : m->source);
		inspect_text(one, "Destination", m->target);
		if (volume)
			inspect_text(one, "Driver", "local");
		inspect_text(one, "Mode", mode_of(m));
		inspect_bool(one, "RW", !m->read_only && !str_equal(m->type, "image"));
		inspect_text(one, "Propagation",
			     str_equal(m->type, "bind") && !m->propagation ? "rprivate"
									   : m->propagation);
		json_object_array_add(array, one);
	}
	return array;
}

/* The merged tree is mounted in the container's own namespace alone. */
static struct json_object *graph_driver(struct engine *engine, const struct container *c,
					const struct container_state *state, const char *folder)
{
	bool live = container_state_live(state) && state->pid > 0;
	own_free char *merged = live ? mem_format("/proc/%d/root", (int)state->pid) : NULL;
	struct json_object *to = json_object_new_object(), *data = json_object_new_object();
	own_clear(runtime_overlay_clear) struct runtime_overlay overlay = { 0 };

	engine_lower_add(&overlay, engine->store, c, false);
	own_free char *joined = strv_join(&overlay.lower, ":");
	own_free char *upper = path_join(folder, "upper");
	own_free char *work = path_join(folder, "work");
	inspect_text(data, "LowerDir", joined);
	inspect_text(data, "MergedDir", merged);
	if (engine_quota_is_apart(c)) {
		own_free char *disk = path_join(folder, QUOTA_DISK_FILE);
		inspect_text(data, "Disk", disk);
	} else {
		inspect_text(data, "UpperDir", upper);
		inspect_text(data, "WorkDir", work);
	}
	json_object_object_add(to, "Data", data);
	inspect_text(to, "Name", "overlay2");
	return to;
}

/* The command line, as Docker cuts it: the program and the rest. */
static void add_command(struct json_object *to, const struct container_process *p)
{
	own_clear(strv_clear) struct strv all = { 0 };

	strv_add_all(&all, &p->entrypoint);
	strv_add_all(&all, &p->command);
	inspect_text(to, "Path", all.count ? all.items[0] : "");
	if (all.count)
		strv_remove(&all, 0);
	inspect_strings(to, "Args", &all, false);
}

static void add_files(struct json_object *to, const struct container *c, const char *folder)
{
	const struct {
		const char *key, *file;
	} rows[] = { { "ResolvConfPath", "resolv.conf" },
		     { "HostnamePath", "hostname" },
		     { "HostsPath", "hosts" },
		     { "LogPath", "log" } };

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		own_free char *path = path_join(folder, rows[i].file);
		bool none = i == 3 && str_equal(c->log.driver, "none");
		inspect_text(to, rows[i].key, none ? "" : path);
	}
}

static const char *apparmor_profile(const struct container *c)
{
	if (c->security.apparmor)
		return c->security.apparmor;
	if (c->security.privileged)
		return runtime_lsm_has_apparmor() ? "unconfined" : "";
	return runtime_apparmor_is_loaded(container_apparmor(c)) ? container_apparmor(c) : "";
}

/* Empty without SELinux, or where none is asked for. */
static void add_labels(struct json_object *to, const struct container *c)
{
	own_free char *process = NULL, *files = NULL;
	struct err none;

	engine_relabel_process(&process, &files, c, &none);
	inspect_text(to, "MountLabel", files ? files : "");
	inspect_text(to, "ProcessLabel", process ? process : "");
}

static struct json_object *make(struct engine *engine, const struct container *c,
				const struct container_state *state)
{
	struct json_object *to = json_object_new_object();
	own_free char *folder = mem_format("%s/containers/%s", engine->store->root, c->id);
	own_free char *name = mem_format("/%s", c->name);

	inspect_text(to, "Id", c->id);
	inspect_moment(to, "Created", c->created_ns);
	add_command(to, &c->process);
	json_object_object_add(to, "State", state_object(engine, c, state));
	inspect_text(to, "Image", c->image.id);
	add_files(to, c, folder);
	inspect_text(to, "Name", name);
	inspect_number(to, "RestartCount", state->restart_count);
	inspect_text(to, "Driver", "overlay2");
	inspect_text(to, "Platform", "linux");
	add_labels(to, c);
	inspect_text(to, "AppArmorProfile", apparmor_profile(c));
	json_object_object_add(to, "ExecIDs", NULL);
	if (c->requires.count)
		inspect_strings(to, "Dependencies", &c->requires, false);
	json_object_object_add(to, "HostConfig", inspect_host_config(c));
	json_object_object_add(to, "GraphDriver", graph_driver(engine, c, state, folder));
	json_object_object_add(to, "Mounts", inspect_mounts(engine, c));
	json_object_object_add(to, "Config", inspect_config(c));
	json_object_object_add(to, "NetworkSettings", inspect_network(engine, c, state));
	json_object_object_add(to, "Holm", inspect_primitives(engine, c, state));
	return to;
}

int engine_inspect(struct engine *engine, const char *name, struct json_object **ret, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	struct container_state state;
	int r = engine_load(engine, name, &c, &state, e);

	if (r == 0)
		*ret = make(engine, &c, &state);
	return r;
}
