#include "engine/device.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/config_mount.h"
#include "engine/connect.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/hotplug.h"
#include "engine/pod.h"
#include "engine/record.h"
#include "engine/volume.h"
#include "storage/store.h"

/* A container under its lock. */
struct held {
	struct engine *engine;
	struct container c;
	int folder_fd;
	bool live;
	struct hotplug plug; /* of one that runs */
};
#define HELD_INIT                                                                                  \
	{                                                                                          \
		.folder_fd = -1, .plug = HOTPLUG_INIT                                              \
	}

static void held_clear(struct held *held)
{
	hotplug_clear(&held->plug);
	container_clear(&held->c);
	own_fd_call(&held->folder_fd);
}

static int hold(struct held *to, struct engine *engine, const char *name, struct err *e)
{
	struct container_state state;
	char id[CONTAINER_ID_LENGTH + 1];

	to->engine = engine;
	int r = engine_find(engine, name, id, e);
	if (r < 0)
		return r;
	to->folder_fd = record_lock(engine, id, true, e);
	if (to->folder_fd < 0)
		return to->folder_fd;
	r = engine_state_read_locked(engine, id, to->folder_fd, &state, e);
	if (r == 0)
		r = record_read(engine, id, &to->c, e);
	if (r < 0)
		return r;
	if (engine_pod_is(&to->c))
		return err_set(e, ERR_UNSUPPORTED, "%s is a pod, which has no files", name);
	if (state.status == CONTAINER_RESTARTING)
		return err_set(e, ERR_STATE, "container %s is restarting", name);
	to->live = container_state_live(&state);
	if (!to->live)
		return 0;
	r = hotplug_open(&to->plug, engine, &to->c, e);
	return r < 0 ? r : hotplug_repair(&to->plug, e);
}

/* ---- coming ---- */

static bool has_target(const struct held *held, const char *target)
{
	const struct container *c = &held->c;

	for (size_t i = 0; i < c->storage.mounts.count; i++)
		if (str_equal(c->storage.mounts.items[i].target, target))
			return true;
	for (size_t i = 0; i < c->security.devices.count; i++)
		if (str_equal(c->security.devices.items[i].target, target))
			return true;
	return held->live && hotplug_is_temporary(&held->plug, target);
}

static int check_target(const struct held *held, const char *target, bool temporary, struct err *e)
{
	if (temporary && !held->live)
		return err_set(e, ERR_STATE,
			       "container %s does not run: it can have nothing for a time",
			       held->c.name);
	return has_target(held, target)
		       ? err_set(e, ERR_EXISTS, "container %s has %s already", held->c.name, target)
		       : 0;
}

/* Names, images and sources, by the rules of create. */
static int resolve(struct held *held, struct container_mount *mount, struct err *e)
{
	struct container one = held->c;

	one.storage.mounts.items = mount;
	one.storage.mounts.count = 1;
	one.storage.volumes_from = (struct strv){ 0 };
	return engine_volume_resolve(held->engine, &one, false, e);
}

static int take_back(struct held *held, const char *target, int result)
{
	struct err undone;

	if (held->live)
		hotplug_remove(&held->plug, target, &undone);
	record_commit(held->folder_fd, &held->c, &undone);
	return result;
}

static int add_mount(struct held *held, struct container_mount *mount, bool temporary,
		     struct err *e)
{
	struct container_storage *s = &held->c.storage;

	int r = check_target(held, mount->target, temporary, e);
	if (r < 0)
		return r;
	own_fd int layers = store_lock_layers_shared(held->engine->store, e);
	r = layers < 0 ? layers : resolve(held, mount, e);
	if (r < 0)
		return r;
	if (temporary)
		return hotplug_add_mount(&held->plug, mount, false, e);
	*shape_list_add(&s->mounts) = *mount;
	r = record_commit(held->folder_fd, &held->c, e);
	fault_point("device.record");
	if (r == 0)
		r = held->live ? hotplug_add_mount(&held->plug, mount, true, e)
			       : engine_volume_make(held->engine, &held->c, e);
	if (r == 0) {
		*mount = (struct container_mount){ 0 }; /* the record's */
		return 0;
	}
	s->mounts.count--;
	return take_back(held, mount->target, r);
}

static int add_device(struct held *held, struct container_device *device, bool temporary,
		      struct err *e)
{
	struct container_security *s = &held->c.security;

	int r = check_target(held, device->target, temporary, e);
	if (r < 0)
		return r;
	if (temporary)
		return hotplug_add_device(&held->plug, device, false, e);
	*shape_list_add(&s->devices) = *device;
	r = record_commit(held->folder_fd, &held->c, e);
	fault_point("device.record");
	if (r == 0 && held->live)
		r = hotplug_add_device(&held->plug, device, true, e);
	if (r == 0) {
		*device = (struct container_device){ 0 };
		return 0;
	}
	s->devices.count--;
	return take_back(held, device->target, r);
}

static int add_all(struct held *held, struct container *wanted, bool temporary, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < wanted->storage.mounts.count; i++)
		r = add_mount(held, &wanted->storage.mounts.items[i], temporary, e);
	for (size_t i = 0; r == 0 && i < wanted->security.devices.count; i++)
		r = add_device(held, &wanted->security.devices.items[i], temporary, e);
	return r;
}

/* All that is asked for is understood before anything is done. */
static int parse(struct container *wanted, const struct device_options *o, const char *folder,
		 struct err *e)
{
	int r = config_mount_add(&wanted->storage, &o->volume, &o->mount, &o->tmpfs, folder, e);

	for (size_t i = 0; r == 0 && i < o->device.count; i++)
		r = config_device(shape_list_add(&wanted->security.devices), o->device.items[i], e);
	if (r == 0 && o->temporary && o->network.count)
		r = err_set(e, ERR_UNSUPPORTED, "--temporary and --network exclude each other");
	return r;
}

int engine_device_add(struct engine *engine, const char *name, const struct device_options *o,
		      const char *folder, struct err *e)
{
	own_clear(container_clear) struct container wanted = { 0 };
	static const struct connect_options none = { 0 };

	int r = parse(&wanted, o, folder, e);
	if (r < 0)
		return r;
	if (wanted.storage.mounts.count || wanted.security.devices.count) {
		own_clear(held_clear) struct held held = HELD_INIT;
		r = hold(&held, engine, name, e);
		if (r == 0)
			r = add_all(&held, &wanted, o->temporary, e);
		if (r == 0)
			engine_event_container(engine, &held.c, "update", NULL);
	}
	for (size_t i = 0; r == 0 && i < o->network.count; i++)
		r = engine_connect(engine, o->network.items[i], name, &none, e);
	return r;
}

/* ---- going ---- */

#define TAKE_OUT(list, type, field, path)                                                          \
	({                                                                                         \
		bool found_ = false;                                                               \
		for (size_t i_ = 0; i_ < (list).count && !found_; i_++) {                          \
			if (!str_equal((list).items[i_].field, path))                              \
				continue;                                                          \
			shape_clear(&type, &(list).items[i_]);                                     \
			memmove(&(list).items[i_], &(list).items[i_ + 1],                          \
				(--(list).count - i_) * sizeof(*(list).items));                    \
			found_ = true;                                                             \
		}                                                                                  \
		found_;                                                                            \
	})

static int remove_path(struct held *held, const char *target, struct err *e)
{
	struct container *c = &held->c;
	bool temporary = held->live && hotplug_is_temporary(&held->plug, target);

	if (!has_target(held, target))
		return err_set(e, ERR_NOT_FOUND, "container %s was given nothing at %s", c->name,
			       target);
	int r = held->live && !temporary ? hotplug_leave(&held->plug, target, e) : 0;
	if (r < 0)
		return r;
	fault_point("device.leaving");
	if (TAKE_OUT(c->storage.mounts, container_mount_shape, target, target) ||
	    TAKE_OUT(c->security.devices, container_device_shape, target, target))
		r = record_commit(held->folder_fd, c, e);
	fault_point("device.unrecorded");
	if (r == 0 && held->live)
		r = hotplug_remove(&held->plug, target, e);
	if (r == 0)
		engine_event_container(held->engine, c, "update", NULL);
	return r;
}

int engine_device_remove(struct engine *engine, const char *name, const char *target, struct err *e)
{
	static const struct connect_options none = { 0 };
	own_clear(held_clear) struct held held = HELD_INIT;

	if (*target != '/')
		return engine_disconnect(engine, target, name, &none, e);
	own_free char *clean = path_clean(target);
	int r = hold(&held, engine, name, e);
	return r < 0 ? r : remove_path(&held, clean, e);
}

/* ---- looking ---- */

void engine_devices_clear(struct engine_devices *devices)
{
	for (size_t i = 0; i < devices->items.count; i++) {
		struct engine_device *device = &devices->items.items[i];
		free(device->type);
		free(device->source);
		free(device->target);
		free(device->options);
	}
	free(devices->items.items);
	*devices = (struct engine_devices){ 0 };
}

static void list_mount(struct engine_devices *to, const struct container_mount *m, bool temporary)
{
	own_clear(strv_clear) struct strv options = { 0 };

	if (m->read_only)
		strv_add(&options, "ro");
	strv_add_all(&options, &m->options);
	*shape_list_add(&to->items) = (struct engine_device){
		.type = mem_text(m->type),
		.source = mem_text(m->name ? m->name : m->source),
		.target = mem_text(m->target),
		.options = options.count ? strv_join(&options, ",") : mem_text(""),
		.temporary = temporary,
	};
}

static void list_device(struct engine_devices *to, const struct container_device *d, bool temporary)
{
	*shape_list_add(&to->items) = (struct engine_device){
		.type = mem_text("device"),
		.source = mem_text(d->host),
		.target = mem_text(d->target),
		.options = mem_text(d->permissions),
		.temporary = temporary,
	};
}

static void list_network(struct engine_devices *to, const struct container_endpoint *endpoint)
{
	*shape_list_add(&to->items) = (struct engine_device){
		.type = mem_text("network"),
		.source = mem_text(endpoint->network),
		.target = mem_text(endpoint->device),
		.options = mem_text(""),
	};
}

int engine_device_list(struct engine *engine, const char *name, struct engine_devices *ret,
		       struct err *e)
{
	own_clear(held_clear) struct held held = HELD_INIT;
	const struct container *c = &held.c;

	int r = hold(&held, engine, name, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->security.devices.count; i++)
		list_device(ret, &c->security.devices.items[i], false);
	for (size_t i = 0; i < held.plug.devices.count; i++)
		list_device(ret, &held.plug.devices.items[i], true);
	for (size_t i = 0; i < c->storage.mounts.count; i++)
		list_mount(ret, &c->storage.mounts.items[i], false);
	for (size_t i = 0; i < held.plug.mounts.count; i++)
		list_mount(ret, &held.plug.mounts.items[i], true);
	for (size_t i = 0; i < c->network.endpoints.count; i++)
		list_network(ret, &c->network.endpoints.items[i]);
	return 0;
}
