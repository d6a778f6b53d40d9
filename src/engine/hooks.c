#include "engine/hooks.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "base/trusted.h"
#include "base/words.h"
#include "engine/engine.h"
#include "engine/quota.h"
#include "engine/quota_disk.h"
#include "engine/tree.h"
#include "oci/runtime_spec.h"
#include "oci/state.h"
#include "runtime/hook.h"
#include "runtime/hooks.h"
#include "storage/store.h"
#include "storage/volume.h"

#define OCI(list)  .list_at = offsetof(struct oci_hooks, list)
#define MORE(list) .list_at = offsetof(struct runtime_hooks_more, list), .more = true

static const struct point {
	const char *name;
	size_t list_at;
	bool more;      /* the list is one of struct runtime_hooks_more */
	bool inside;    /* the program is one of the container's */
	bool rooted;    /* it finds the container's root mounted */
	bool by_engine; /* it is not in the spec */
} points[] = {
	{ "pre-start", MORE(pre_start) },
	{ "pre-mount", MORE(pre_mount) },
	{ "mount", OCI(create_container), .rooted = true },
	{ "autodev", OCI(create_container), .rooted = true },
	{ "start-host", MORE(start_host) },
	{ "start", OCI(start_container), .inside = true },
	{ "stop", MORE(stop) },
	{ "post-stop", OCI(poststop) },
	{ "clone", .by_engine = true },
	{ "destroy", MORE(destroy) },
};

int engine_hooks_find(const char *point)
{
	for (size_t i = 0; i < COUNT_OF(points); i++)
		if (str_equal(points[i].name, point))
			return (int)i;
	return -1;
}

/* ---- what one finds ---- */

/* Under the names of LXC, too, for scripts that were written for it. */
static void add_env(struct strv *env, const char *name, const char *value)
{
	strv_addf(env, "HOLM_%s=%s", name, value);
	strv_addf(env, "LXC_%s=%s", name, value);
}

/* Of the host is said inside a container nothing. */
static void add_places(struct strv *env, const struct container *c, const struct store *store,
		       const char *mounted)
{
	own_free char *folder = mem_format("%s/containers/%s", store->root, c->id);
	own_free char *record = path_join(folder, "config.json");
	own_free char *written =
		path_join(folder, engine_quota_is_apart(c) ? QUOTA_DISK_FILE : "upper");

	add_env(env, "ROOTFS_PATH", c->image.in_place ? c->image.rootfs : written);
	add_env(env, "ROOTFS_MOUNT", mounted);
	add_env(env, "CONFIG_FILE", record);
}

/* argv as LXC makes it: after its own arguments name, section and point. */
static void fill(struct oci_hook *to, const struct container_hook *hook, const struct point *point,
		 const struct container *c, const struct store *store, const char *mounted)
{
	to->path = mem_text(hook->path);
	strv_add(&to->args, hook->path);
	strv_add_all(&to->args, &hook->args);
	strv_add(&to->args, c->name);
	strv_add(&to->args, "lxc");
	strv_add(&to->args, point->name);
	strv_add(&to->env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strv_addf(&to->env, "HOLM_ID=%s", c->id);
	add_env(&to->env, "NAME", c->name);
	add_env(&to->env, "HOOK_TYPE", point->name);
	add_env(&to->env, "HOOK_SECTION", "lxc");
	add_env(&to->env, "HOOK_VERSION", "0");
	if (!point->inside)
		add_places(&to->env, c, store, mounted);
	to->timeout = mem_new(1, sizeof(*to->timeout));
	*to->timeout = hook->timeout_s ? hook->timeout_s : ENGINE_HOOKS_TIMEOUT_S;
}

/* ---- in the spec ---- */

/* Where the root is mounted for those that run before it becomes "/": in a mount namespace of its
 * own, over the run folder, which nobody has to look into there. */
static const char *place_root(struct oci_spec *spec, const struct container *c,
			      const struct store *store)
{
	if (c->image.in_place)
		return c->image.rootfs;
	if (!c->storage.copied && spec->root)
		mem_replace(&spec->root->path, store->run);
	return spec->root ? spec->root->path : store->run;
}

static bool any_rooted(const struct container *c)
{
	/* what is no point is told by engine_hooks_check(), perhaps later */
	for (size_t i = 0; i < c->hooks.count; i++) {
		int at = engine_hooks_find(c->hooks.items[i].point);
		if (at >= 0 && points[at].rooted)
			return true;
	}
	return false;
}

void engine_hooks_add(struct oci_spec *spec, const struct container *c, const struct store *store)
{
	struct runtime_hooks_more more = { 0 };
	const char *mounted = any_rooted(c) ? place_root(spec, c, store) : store->run;

	if (!c->hooks.count)
		return;
	if (!spec->hooks)
		spec->hooks = mem_new_struct(struct oci_hooks);
	/* by points, not as they were said: autodev comes after mount */
	for (size_t p = 0; p < COUNT_OF(points); p++) {
		const struct point *point = &points[p];
		char *base = point->more ? (char *)&more : (char *)spec->hooks;
		struct oci_hook_list *list = (struct oci_hook_list *)(base + point->list_at);
		for (size_t i = 0; !point->by_engine && i < c->hooks.count; i++) {
			if (!str_equal(c->hooks.items[i].point, point->name))
				continue;
			struct oci_hook *hook = shape_list_add(list);
			*hook = (struct oci_hook){ 0 };
			fill(hook, &c->hooks.items[i], point, c, store, mounted);
		}
	}
	own_json struct json_object *object = shape_write(&runtime_hooks_more_shape, &more);
	shape_map_set(&spec->annotations, RUNTIME_HOOKS_MORE, json_text(object));
	shape_clear(&runtime_hooks_more_shape, &more);
}

/* ---- who may be one ---- */

static int refuse(const char *path, const char *why, struct err *e)
{
	err_set(e, ERR_PERMISSION, "%s: it lies in %s", path, why);
	return err_hint(e, "what a container can write is not run on the host");
}

/* root: a folder that is there, or NULL. */
static bool is_below(const char *real, const char *root)
{
	own_free char *resolved = root ? realpath(root, NULL) : NULL;
	size_t length = resolved ? strlen(resolved) : 0;

	return length && strncmp(real, resolved, length) == 0 &&
	       (real[length] == '/' || length == 1);
}

/* A volume may be a folder of the host's, too (engine/volume_mount.h). */
static bool is_in_mount(struct engine *engine, const struct container_mount *mount,
			const char *real)
{
	own_clear(storage_volume_clear) struct storage_volume volume = { 0 };
	struct err none;

	if (mount->read_only)
		return false;
	if (str_equal(mount->type, "bind"))
		return is_below(real, mount->source);
	if (!str_equal(mount->type, "volume") || !mount->name ||
	    storage_volume_read(&volume, engine->store, mount->name, &none) < 0)
		return false;
	const char *device = shape_map_get(&volume.options, "device");
	return device && *device == '/' && is_below(real, device);
}

/* Beside a container's files its folder may have hooks of its own, which are copied with it. */
static int check_place(struct engine *engine, const struct container *c, const char *path,
		       struct err *e)
{
	own_free char *real = realpath(path, NULL);
	own_free char *own = mem_format("%s/containers/%s/hooks", engine->store->root, c->id);

	if (!real)
		return err_sys(e, "%s", path);
	if (is_below(real, own))
		return 0;
	if (is_below(real, engine->store->root))
		return refuse(path, "holm's store", e);
	if (c->image.rootfs && !c->image.disk && is_below(real, c->image.rootfs))
		return refuse(path, "the container's root", e);
	for (size_t i = 0; i < c->storage.mounts.count; i++)
		if (is_in_mount(engine, &c->storage.mounts.items[i], real))
			return refuse(path, "a folder that is mounted in the container", e);
	return 0;
}

static int check_one(struct engine *engine, const struct container *c,
		     const struct container_hook *hook, struct err *e)
{
	struct stat st;

	if (stat(hook->path, &st) < 0)
		return err_sys(e, "%s", hook->path);
	if (!S_ISREG(st.st_mode) || access(hook->path, X_OK) < 0)
		return err_set(e, ERR_INVALID, "%s: not a program that can be run", hook->path);
	int r = trusted_check(hook->path, e);
	return r < 0 ? r : check_place(engine, c, hook->path, e);
}

int engine_hooks_check(struct engine *engine, const struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->hooks.count; i++) {
		const struct container_hook *hook = &c->hooks.items[i];
		int point = engine_hooks_find(hook->point);
		if (point < 0)
			return err_set(e, ERR_CORRUPT, "hook '%s': no such point", hook->point);
		if (!points[point].inside && check_one(engine, c, hook, e) < 0)
			return err_add(e, "hook %s", hook->point);
	}
	return 0;
}

/* ---- those of the engine ---- */

static char *state_text(const struct container *c, const struct store *store)
{
	own_free char *bundle = mem_format("%s/containers/%s", store->root, c->id);
	struct oci_state state = {
		.oci_version = (char *)OCI_RUNTIME_SPEC_VERSION,
		.id = c->id,
		.status = (char *)OCI_STATUS_STOPPED,
		.bundle = bundle,
		.annotations = c->annotations,
	};

	return oci_state_text(&state);
}

/* root_fd -1: the root is not mounted. source NULL: there is none. */
static int run(struct engine *engine, const struct container *c, const char *name, int root_fd,
	       const char *source, struct err *e)
{
	const struct point *point = &points[engine_hooks_find(name)];
	own_free char *state = state_text(c, engine->store);
	own_free char *mounted = root_fd < 0 ? mem_text(engine->store->run)
					     : mem_format("/proc/%d/fd/%d", (int)getpid(), root_fd);
	const struct runtime_hook_streams streams = {
		.input = state, .output = -1, .error = -1, .stop_fd = -1
	};
	int r = engine_hooks_check(engine, c, e);

	for (size_t i = 0; r == 0 && i < c->hooks.count; i++) {
		struct oci_hook hook = { 0 };
		if (!str_equal(c->hooks.items[i].point, name))
			continue;
		fill(&hook, &c->hooks.items[i], point, c, engine->store, mounted);
		if (source)
			add_env(&hook.env, "SRC_NAME", source);
		r = runtime_hook_run(&hook, &streams, e);
		shape_clear(&oci_hook_shape, &hook);
	}
	return r < 0 ? err_add(e, "hook %s", name) : 0;
}

static bool has(const struct container *c, const char *point)
{
	for (size_t i = 0; i < c->hooks.count; i++)
		if (str_equal(c->hooks.items[i].point, point))
			return true;
	return false;
}

int engine_hooks_clone(struct engine *engine, const struct container *c, const char *source,
		       struct err *e)
{
	if (!has(c, "clone"))
		return 0;
	own_fd int root = engine_tree_open_still(engine, c, e);
	return root < 0 ? root : run(engine, c, "clone", root, source, e);
}

int engine_hooks_destroy(struct engine *engine, const struct container *c, struct err *e)
{
	int r = has(c, "destroy") ? run(engine, c, "destroy", -1, NULL, e) : 0;

	return r < 0 ? err_hint(e, "take the hook away: holm set %s hook=destroy=", c->name) : 0;
}

/* ---- as text ---- */

char *engine_hooks_text(const struct container *c)
{
	struct str text = { 0 };

	for (size_t i = 0; i < c->hooks.count; i++) {
		const struct container_hook *hook = &c->hooks.items[i];
		own_clear(strv_clear) struct strv words = { 0 };
		own_free char *timeout =
			hook->timeout_s ? mem_format(",timeout=%lld", (long long)hook->timeout_s)
					: mem_text("");
		strv_addf(&words, "%s%s=%s", hook->point, timeout, hook->path);
		strv_add_all(&words, &hook->args);
		own_free char *line = words_join(&words);
		str_addf(&text, "%s%s", i ? " ; " : "", line);
	}
	return str_take(&text);
}
