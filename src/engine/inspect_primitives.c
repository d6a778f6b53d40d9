/* The member "Holm": what the options came to. Someone who asks "how is this container held?"
 * reads it here without knowing what each option implies. */
#include "engine/inspect_part.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/process.h"
#include "engine/spec.h"
#include "monitor/state.h"
#include "runtime/capability.h"
#include "storage/store.h"

static void add_namespace(struct json_object *to, const char *type, const char *mode)
{
	inspect_text(to, type, mode ? mode : "private");
}

static struct json_object *namespaces(const struct container *c)
{
	struct json_object *to = json_object_new_object();
	const struct container_security *s = &c->security;

	add_namespace(to, "mount", "private");
	add_namespace(to, "pid", s->pid);
	add_namespace(to, "network", c->network.mode);
	add_namespace(to, "ipc", s->ipc);
	add_namespace(to, "uts", s->uts);
	add_namespace(to, "cgroup", s->cgroupns);
	add_namespace(to, "user", s->userns);
	add_namespace(to, "time", "host");
	return to;
}

static const char *seccomp_of(const struct container_security *s)
{
	if (str_equal(s->seccomp, "unconfined") || (!s->seccomp && s->privileged))
		return "none";
	return !s->seccomp || str_equal(s->seccomp, "builtin") ? "default" : s->seccomp_path;
}

static struct json_object *capabilities(const struct container_security *s)
{
	own_clear(strv_clear) struct strv names = { 0 };
	struct json_object *array = json_object_new_array();
	struct err unknown;
	uint64_t set = 0;

	if (spec_capabilities(&set, s, runtime_capability_own(), &unknown) == 0)
		runtime_capability_names(&names, set);
	for (size_t i = 0; i < names.count; i++)
		json_object_array_add(array, json_object_new_string(names.items[i]));
	return array;
}

/* Each thing that a person has taken away from the default posture. */
static void find_weaker(struct strv *to, const struct container *c)
{
	const struct container_security *s = &c->security;
	const struct {
		const char *option, *mode;
	} modes[] = { { "pid", s->pid },
		      { "ipc", s->ipc },
		      { "uts", s->uts },
		      { "cgroupns", s->cgroupns },
		      { "network", c->network.mode } };

	if (s->privileged)
		strv_add(to, "privileged");
	for (size_t i = 0; i < s->cap_add.count; i++)
		strv_addf(to, "cap-add=%s", s->cap_add.items[i]);
	if (str_equal(s->apparmor, "unconfined"))
		strv_add(to, "apparmor=unconfined");
	if (str_equal(s->seccomp, "unconfined"))
		strv_add(to, "seccomp=unconfined");
	else if (s->seccomp_path)
		strv_addf(to, "seccomp=%s", s->seccomp_path);
	if (s->unmask_all)
		strv_add(to, "unmask=ALL");
	for (size_t i = 0; i < s->unmask.count; i++)
		strv_addf(to, "unmask=%s", s->unmask.items[i]);
	for (size_t i = 0; i < s->devices.count; i++)
		strv_addf(to, "device=%s", s->devices.items[i].host);
	for (size_t i = 0; i < s->device_rules.count; i++)
		strv_addf(to, "device-cgroup-rule=%s", s->device_rules.items[i]);
	for (size_t i = 0; i < COUNT_OF(modes); i++)
		if (str_equal(modes[i].mode, "host") || config_container_name(modes[i].mode))
			strv_addf(to, "%s=%s", modes[i].option, modes[i].mode);
	if (c->limits.pids < 0)
		strv_add(to, "pids-limit=-1");
}

/* Where its processes are counted; known while it runs. */
static struct json_object *cgroup(struct engine *engine, const struct container *c)
{
	own_fd int run_fd =
		openat(engine->run_fd, c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct monitor_state state = { 0 };
	struct err none;

	if (run_fd < 0 || monitor_state_read_whole_at(&state, run_fd, &none) < 0)
		return NULL;
	struct json_object *to = shape_write(&runtime_cgroup_shape, &state.container.cgroup);
	monitor_state_clear(&state);
	return to;
}

struct json_object *inspect_primitives(struct engine *engine, const struct container *c,
				       const struct container_state *state)
{
	struct json_object *to = json_object_new_object();
	own_clear(strv_clear) struct strv masked = { 0 }, read_only = { 0 }, weaker = { 0 };

	spec_masks(&masked, &read_only, &c->security);
	find_weaker(&weaker, c);
	json_object_object_add(to, "Namespaces", namespaces(c));
	json_object_object_add(to, "Ids", inspect_ids(&c->security.ids));
	json_object_object_add(to, "Capabilities", capabilities(&c->security));
	inspect_text(to, "Seccomp", seccomp_of(&c->security));
	inspect_bool(to, "NoNewPrivileges", c->security.no_new_privileges);
	inspect_strings(to, "MaskedPaths", &masked, false);
	inspect_strings(to, "ReadonlyPaths", &read_only, false);
	inspect_bool(to, "Init", c->process.init);
	inspect_strings(to, "Weaker", &weaker, false);
	json_object_object_add(to, "Cgroup",
			       container_state_live(state) ? cgroup(engine, c) : NULL);
	inspect_number(to, "MonitorPid", state->monitor_pid);
	inspect_strings(to, "Layers", &c->image.layers, false);
	return to;
}
