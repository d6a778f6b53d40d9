/* Order: the record, then the container, then the spec; each step is found by the next command if
 * that is killed (hotplug_repair). The runtime stores a mount as being added before it attaches it,
 * and of one that was killed there it knows what lay at the place before. */
#include "engine/hotplug.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config_mount.h"
#include "engine/engine.h"
#include "engine/fault.h"
#include "engine/process.h"
#include "engine/shifted.h"
#include "engine/spec.h"
#include "engine/volume.h"
#include "monitor/state.h"
#include "runtime/device_add.h"
#include "runtime/user_namespace.h"

enum { PLUGGED_MAX = 4 << 20 };

#define PLUGGED_FILE "plugged.json"

static const struct shape plugged_shape = {
	sizeof(struct hotplug),
	(const struct shape_field[]){
		{ "container", SHAPE_OBJECT, offsetof(struct hotplug, container),
		  &runtime_container_shape },
		{ "mounts", SHAPE_LIST, offsetof(struct hotplug, mounts), &container_mount_shape },
		{ "devices", SHAPE_LIST, offsetof(struct hotplug, devices),
		  &container_device_shape },
		{ "nodes", SHAPE_LIST, offsetof(struct hotplug, nodes), &oci_device_shape },
		{ "leaving", SHAPE_STRINGS, offsetof(struct hotplug, leaving) },
		{ 0 },
	},
};

void hotplug_clear(struct hotplug *to)
{
	shape_clear(&plugged_shape, to);
	oci_spec_clear(&to->spec);
	own_fd_call(&to->run_fd);
	*to = (struct hotplug)HOTPLUG_INIT;
}

/* ---- its file ---- */

static int store(void *context, struct err *e)
{
	struct hotplug *to = context;

	return shape_write_at(&plugged_shape, to->run_fd, PLUGGED_FILE, to, e);
}

static int store_spec(struct hotplug *to, struct err *e)
{
	int r = oci_spec_write_at(&to->spec, to->run_fd, "config.json", e);

	return r < 0 ? r : store(to, e);
}

static struct runtime_store storing(struct hotplug *to)
{
	return (struct runtime_store){ store, to };
}

/* One of an earlier run of the container, or none, says nothing. */
static int read_plugged(struct hotplug *to, const struct runtime_container *now, struct err *e)
{
	struct hotplug read = HOTPLUG_INIT;

	int r = shape_read_at(&plugged_shape, to->run_fd, PLUGGED_FILE, PLUGGED_MAX, &read, e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (read.container.pid != now->pid || read.container.pid_start != now->pid_start) {
		hotplug_clear(&read);
		return 0;
	}
	to->container.mounts.items = take_ptr(&read.container.mounts.items);
	to->container.mounts.count = read.container.mounts.count;
	to->container.devices.items = take_ptr(&read.container.devices.items);
	to->container.devices.count = read.container.devices.count;
	read.container.mounts.count = read.container.devices.count = 0;
	runtime_container_clear(&read.container);
	memcpy(&to->mounts, &read.mounts, sizeof(to->mounts));
	memcpy(&to->devices, &read.devices, sizeof(to->devices));
	memcpy(&to->nodes, &read.nodes, sizeof(to->nodes));
	to->leaving = read.leaving;
	return 0;
}

int hotplug_open(struct hotplug *to, struct engine *engine, const struct container *c,
		 struct err *e)
{
	own_clear(monitor_state_clear) struct monitor_state state = { 0 };

	to->engine = engine;
	to->c = c;
	to->run_fd = openat(engine->run_fd, c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to->run_fd < 0)
		return err_sys(e, "open the run folder");
	int r = monitor_state_read_whole_at(&state, to->run_fd, e);
	if (r < 0)
		return r;
	if (!state.container.pid)
		return err_set(e, ERR_STATE, "container %s is restarting", c->name);
	to->container = state.container;
	state.container = (struct runtime_container){ 0 };
	r = read_plugged(to, &to->container, e);
	return r < 0 ? r : oci_spec_read_at(&to->spec, to->run_fd, "config.json", e);
}

/* ---- what is where ---- */

#define FIND(list, member, path)                                                                   \
	({                                                                                         \
		size_t at_ = 0;                                                                    \
		while (at_ < (list).count && !str_equal((list).items[at_].member, path))           \
			at_++;                                                                     \
		at_;                                                                               \
	})

/* Takes an entry out of a list; it has been cleared. */
#define CUT(list, at)                                                                              \
	memmove(&(list).items[at], &(list).items[(at) + 1],                                        \
		(--(list).count - (at)) * sizeof(*(list).items))

static bool has_mount(const struct oci_spec *spec, const char *target)
{
	return FIND(spec->mounts, destination, target) < spec->mounts.count;
}

static bool is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	return strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]);
}

bool hotplug_is_temporary(const struct hotplug *to, const char *target)
{
	return FIND(to->mounts, target, target) < to->mounts.count ||
	       FIND(to->devices, target, target) < to->devices.count;
}

static bool in_record(const struct container *c, const char *target)
{
	return FIND(c->storage.mounts, target, target) < c->storage.mounts.count ||
	       FIND(c->security.devices, target, target) < c->security.devices.count;
}

/* ---- mounts ---- */

static int make_sources(struct hotplug *to, const struct container_mount *mount, struct err *e)
{
	struct container one = *to->c;
	struct container_mount copy = *mount;

	one.storage.mounts.items = &copy;
	one.storage.mounts.count = 1;
	int r = engine_volume_make(to->engine, &one, e);
	return r < 0 ? r : engine_shifted_make(to->engine, &one, false, e);
}

/* to: zeroed. */
static void copy(const struct shape *shape, void *to, const void *from)
{
	own_json struct json_object *object = shape_write(shape, from);
	struct err impossible;

	shape_read(shape, object, to, &impossible);
}

int hotplug_add_mount(struct hotplug *to, const struct container_mount *mount, bool keep,
		      struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec one = { 0 };
	own_free char *run_dir = engine_process_run_dir(to->engine, to->c->id);
	const struct spec_context context = { .store = to->engine->store };
	const struct runtime_store keeper = storing(to);

	int r = make_sources(to, mount, e);
	if (r < 0)
		return r;
	spec_mounts_one(&one, mount, &context, to->c);
	if (!keep)
		copy(&container_mount_shape, shape_list_add(&to->mounts), mount);
	r = runtime_mount_add(&to->container, &to->spec, one.mounts.items, one.mounts.count,
			      run_dir, &keeper, e);
	if (r < 0 && !keep) {
		container_mount_clear(&to->mounts.items[to->mounts.count - 1]);
		to->mounts.count--;
	}
	if (r < 0) {
		struct err unstored;
		store(to, &unstored);
		return r;
	}
	fault_point("device.mounted");
	if (keep)
		copy(&oci_mount_shape, shape_list_add(&to->spec.mounts), &one.mounts.items[0]);
	return store_spec(to, e);
}

/* One that was there from the start has whatever is mounted at its place. */
static int unmount(struct hotplug *to, const char *target, struct err *e)
{
	struct oci_mount gone = { .destination = (char *)target };
	size_t at = FIND(to->container.mounts, destination, target);

	if (at == to->container.mounts.count)
		shape_list_add(&to->container.mounts)->destination = mem_text(target);
	int r = runtime_mount_remove(&to->container, &gone, 1, e);
	if (r == 0)
		return 0;
	bool not_there = e->kind == ERR_NOT_FOUND || e->number == ENOENT;
	at = FIND(to->container.mounts, destination, target);
	if (at < to->container.mounts.count && not_there) {
		free(to->container.mounts.items[at].destination);
		CUT(to->container.mounts, at);
	}
	return not_there ? 0 : r;
}

/* An ordinary user's device under another name is a mount, too: over a file that goes with it. */
static int remove_bound(struct hotplug *to, const char *target, struct err *e)
{
	int64_t none = 0;
	const struct oci_device_rule rule = { .type = (char *)"c", .major = &none, .minor = &none };

	return runtime_user_namespace_is_inner()
		       ? runtime_device_remove(&to->container, &to->spec, target, &rule, e)
		       : 0;
}

static int remove_mount(struct hotplug *to, const char *target, struct err *e)
{
	int r = remove_bound(to, target, e);
	if (r == 0)
		r = unmount(to, target, e);
	if (r < 0)
		return r;
	size_t at = FIND(to->spec.mounts, destination, target);
	if (at < to->spec.mounts.count) {
		shape_clear(&oci_mount_shape, &to->spec.mounts.items[at]);
		CUT(to->spec.mounts, at);
	}
	at = FIND(to->mounts, target, target);
	if (at < to->mounts.count) {
		container_mount_clear(&to->mounts.items[at]);
		CUT(to->mounts, at);
	}
	return 0;
}

/* ---- devices ---- */

static const char *access_of(const struct container_device *device)
{
	return device->permissions ? device->permissions : "rwm";
}

static void drop_node(struct hotplug *to, size_t at)
{
	shape_clear(&oci_device_shape, &to->nodes.items[at]);
	CUT(to->nodes, at);
}

/* It is stored with the rule that the runtime stores of it, and counts as half done until the spec
 * or one of to->devices has it. */
static int add_node(struct hotplug *to, const struct container_device *device,
		    const struct oci_device *node, struct err *e)
{
	const struct runtime_store keeper = storing(to);
	own_free char *text =
		mem_format("%s%s:%s:%s", device->host, node->path + strlen(device->target),
			   node->path, access_of(device));

	copy(&oci_device_shape, shape_list_add(&to->nodes), node);
	int r = runtime_device_add(&to->container, &to->spec, text, &keeper, e);
	if (r < 0)
		drop_node(to, to->nodes.count - 1);
	return r;
}

/* What the spec would have of it: nodes, rules, binds. */
static int read_nodes(struct spec_context *context, const struct container_device *device,
		      struct err *e)
{
	struct container_device copy = *device;
	struct container one = { 0 };

	one.security.devices.items = &copy;
	one.security.devices.count = 1;
	context->ordinary_user = runtime_user_namespace_is_inner();
	return spec_devices_read(context, &one, e);
}

static void keep_device(struct hotplug *to, struct spec_context *context)
{
	struct oci_spec *spec = &to->spec;

	if (!spec->linux_.resources)
		spec->linux_.resources = mem_new_struct(struct oci_resources);
	for (size_t i = 0; i < context->devices.count; i++)
		*shape_list_add(&spec->linux_.devices) = context->devices.items[i];
	context->devices.count = 0;
	for (size_t i = 0; !to->c->security.privileged && i < context->device_rules.count; i++)
		*shape_list_add(&spec->linux_.resources->devices) = context->device_rules.items[i];
	if (!to->c->security.privileged)
		context->device_rules.count = 0;
	for (size_t i = 0; i + 1 < context->device_binds.count; i += 2)
		spec_mounts_bind(spec, context->device_binds.items[i + 1],
				 context->device_binds.items[i]);
}

static void note_device(struct hotplug *to, const struct container_device *device)
{
	*shape_list_add(&to->devices) = (struct container_device){
		mem_text(device->host),
		mem_text(device->target),
		mem_text(access_of(device)),
	};
}

static int add_nodes(struct hotplug *to, const struct container_device *device,
		     const struct spec_context *context, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < context->devices.count; i++)
		r = add_node(to, device, &context->devices.items[i], e);
	for (size_t i = 0; r == 0 && i + 1 < context->device_binds.count; i += 2) {
		const struct oci_device bound = {
			.path = context->device_binds.items[i + 1],
			.type = (char *)"c",
		};
		r = add_node(to, device, &bound, e);
	}
	return r;
}

static bool is_rule_of(const struct oci_device_rule *rule, const struct oci_device *node)
{
	return rule->allow && str_equal(rule->type, node->type) && rule->major && rule->minor &&
	       *rule->major == node->major && *rule->minor == node->minor;
}

/* One rule for each time that it was asked for. */
static void forget_rule(struct oci_spec *spec, const struct oci_device *node)
{
	struct oci_resources *all = spec->linux_.resources;

	for (size_t i = 0; all && i < all->devices.count; i++) {
		if (!is_rule_of(&all->devices.items[i], node))
			continue;
		shape_clear(&oci_device_rule_shape, &all->devices.items[i]);
		CUT(all->devices, i);
		return;
	}
}

static int remove_node(struct hotplug *to, const struct oci_device *node, bool kept, struct err *e)
{
	int64_t major = node->major, minor = node->minor;
	const struct oci_device_rule rule = {
		.allow = true,
		.type = node->type,
		.major = &major,
		.minor = &minor,
		.access = (char *)"rwm",
	};

	if (kept)
		forget_rule(&to->spec, node);
	return runtime_device_remove(&to->container, &to->spec, node->path, &rule, e);
}

static int remove_nodes(struct hotplug *to, const char *target, bool kept, struct err *e)
{
	SHAPE_LIST_OF(struct oci_device) *nodes =
		kept ? (void *)&to->spec.linux_.devices : (void *)&to->nodes;
	int r = 0;

	for (size_t i = nodes->count; r == 0 && i-- > 0;) {
		struct oci_device *node = &nodes->items[i];
		if (!is_below(node->path, target))
			continue;
		r = remove_node(to, node, kept, e);
		if (r < 0)
			return r;
		shape_clear(&oci_device_shape, node);
		CUT(*nodes, i);
	}
	return r;
}

static int remove_devices(struct hotplug *to, const char *target, struct err *e)
{
	int r = remove_nodes(to, target, true, e);

	if (r == 0)
		r = remove_nodes(to, target, false, e);
	size_t at = FIND(to->devices, target, target);
	if (r == 0 && at < to->devices.count) {
		shape_clear(&container_device_shape, &to->devices.items[at]);
		CUT(to->devices, at);
	}
	return r;
}

static bool is_temporary_node(const struct hotplug *to, const char *path)
{
	for (size_t i = 0; i < to->devices.count; i++)
		if (is_below(path, to->devices.items[i].target))
			return true;
	return false;
}

static bool is_kept_node(const struct hotplug *to, const char *path)
{
	return FIND(to->spec.linux_.devices, path, path) < to->spec.linux_.devices.count ||
	       has_mount(&to->spec, path);
}

/* Nodes of a device that is not there to the end go, with their permission; of one that the spec
 * has got, it is there. */
static int settle_nodes(struct hotplug *to, struct err *e)
{
	for (size_t i = to->nodes.count; i-- > 0;) {
		const struct oci_device *node = &to->nodes.items[i];
		if (is_temporary_node(to, node->path))
			continue;
		int r = is_kept_node(to, node->path) ? 0 : remove_node(to, node, false, e);
		if (r < 0)
			return r;
		drop_node(to, i);
	}
	return 0;
}

int hotplug_add_device(struct hotplug *to, const struct container_device *device, bool keep,
		       struct err *e)
{
	own_clear(spec_context_clear) struct spec_context context = { 0 };
	struct err undone;

	int r = read_nodes(&context, device, e);
	if (r < 0)
		return r;
	r = add_nodes(to, device, &context, e);
	fault_point("device.node");
	if (r < 0) {
		settle_nodes(to, &undone);
		store(to, &undone);
		return r;
	}
	if (!keep) {
		note_device(to, device);
		return store_spec(to, e);
	}
	keep_device(to, &context);
	settle_nodes(to, &undone);
	return store_spec(to, e);
}

/* ---- away ---- */

int hotplug_leave(struct hotplug *to, const char *target, struct err *e)
{
	strv_add(&to->leaving, target);
	return store(to, e);
}

static bool has_nodes(const struct hotplug *to, const char *target)
{
	const struct oci_device *kept = to->spec.linux_.devices.items;

	for (size_t i = 0; i < to->spec.linux_.devices.count; i++)
		if (is_below(kept[i].path, target))
			return true;
	for (size_t i = 0; i < to->nodes.count; i++)
		if (is_below(to->nodes.items[i].path, target))
			return true;
	return false;
}

int hotplug_remove(struct hotplug *to, const char *target, struct err *e)
{
	bool mounted = has_mount(&to->spec, target) ||
		       FIND(to->mounts, target, target) < to->mounts.count ||
		       FIND(to->container.mounts, destination, target) < to->container.mounts.count;
	bool device =
		has_nodes(to, target) || FIND(to->devices, target, target) < to->devices.count;
	int r = device ? remove_devices(to, target, e) : 0;

	if (r == 0 && mounted)
		r = remove_mount(to, target, e);
	fault_point("device.gone");
	if (r < 0)
		return r;
	for (size_t i = to->leaving.count; i-- > 0;)
		if (str_equal(to->leaving.items[i], target))
			strv_remove(&to->leaving, i);
	return store_spec(to, e);
}

/* ---- what a killed command left ---- */

static int repair_leaving(struct hotplug *to, struct err *e)
{
	int r = 0;

	while (r == 0 && to->leaving.count) {
		own_free char *target = mem_text(to->leaving.items[0]);
		if (in_record(to->c, target)) {
			strv_remove(&to->leaving, 0);
			r = store(to, e);
		} else {
			r = hotplug_remove(to, target, e);
		}
	}
	return r;
}

/* Being added without a record, or not there to the end. */
static int repair_half(struct hotplug *to, struct err *e)
{
	int r = 0;

	for (size_t i = to->container.mounts.count; r == 0 && i-- > 0;) {
		own_free char *target = mem_text(to->container.mounts.items[i].destination);
		bool wanted = in_record(to->c, target) || hotplug_is_temporary(to, target);
		if (wanted && to->container.mounts.items[i].id && has_mount(&to->spec, target))
			continue;
		if (wanted && hotplug_is_temporary(to, target) && to->container.mounts.items[i].id)
			continue;
		r = remove_mount(to, target, e);
		if (r == 0)
			r = store_spec(to, e);
	}
	return r;
}

static int repair_nodes(struct hotplug *to, struct err *e)
{
	size_t before = to->nodes.count;
	int r = settle_nodes(to, e);

	return r < 0 || to->nodes.count == before ? r : store(to, e);
}

static int repair_missing(struct hotplug *to, struct err *e)
{
	const struct container *c = to->c;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->storage.mounts.count; i++)
		if (!has_mount(&to->spec, c->storage.mounts.items[i].target))
			r = hotplug_add_mount(to, &c->storage.mounts.items[i], true, e);
	for (size_t i = 0; r == 0 && i < c->security.devices.count; i++) {
		const struct container_device *device = &c->security.devices.items[i];
		if (!has_nodes(to, device->target) && !has_mount(&to->spec, device->target))
			r = hotplug_add_device(to, device, true, e);
	}
	return r;
}

int hotplug_repair(struct hotplug *to, struct err *e)
{
	int r = repair_leaving(to, e);

	if (r == 0)
		r = repair_half(to, e);
	if (r == 0)
		r = repair_nodes(to, e);
	if (r == 0)
		r = repair_missing(to, e);
	return r < 0 ? err_add(e, "put right what a killed command left") : 0;
}
