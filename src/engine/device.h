/* device.h - a container gets devices, mounts and networks, or loses them, while it runs or not
 * (`holm device`, decision 0052). Recorded first; one that runs has them, or has them no more, at
 * once. Nothing in it is executed or asked. */
#pragma once
#include <stdbool.h>

#include "engine/container.h"

struct engine;
struct err;

struct device_options {
	struct strv volume; /* as those of run */
	struct strv mount;
	struct strv tmpfs;
	struct strv device;
	struct strv network;
	bool temporary; /* until it ends: the record knows nothing of it */
};

/* folder: what a relative source counts from. Each is whole, or not there; the first that fails is
 * named. ERR_EXISTS: the target is taken; ERR_STATE: temporary, and it does not run. */
int engine_device_add(struct engine *engine, const char *name, const struct device_options *o,
		      const char *folder, struct err *e);

/* A target in the container, or the name of a network. ERR_NOT_FOUND. */
int engine_device_remove(struct engine *engine, const char *name, const char *target,
			 struct err *e);

struct engine_device {
	char *type;    /* "device", "bind", "volume", "tmpfs", "image", "network" */
	char *source;  /* on the host */
	char *target;  /* in it; of a network the device's name, NULL: eth0, eth1... */
	char *options; /* "ro", "rwm" */
	bool temporary;
};

struct engine_devices {
	SHAPE_LIST_OF(struct engine_device) items;
};
void engine_devices_clear(struct engine_devices *devices);

/* Those that were asked for. What a killed command left is put right first. */
int engine_device_list(struct engine *engine, const char *name, struct engine_devices *ret,
		       struct err *e);
