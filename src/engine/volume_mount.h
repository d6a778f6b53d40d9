/* volume_mount.h - volumes that are a filesystem of their own, by the local driver's options type,
 * device and o (mount(2)): mounted on the volume's data folder when a container first needs it or
 * a person asks, in the namespace of the host, and unmounted when the volume is removed or a person
 * asks. So all containers share one tmpfs, as with docker; what it holds goes with that, or with a
 * reboot. */
#pragma once
#include <stdbool.h>

struct engine;
struct err;
struct storage_volume;

/* Are the options such, and sound? 0: it is a plain folder; 1: they make a mount; ERR_INVALID. */
int engine_volume_mount_check(const struct storage_volume *volume, struct err *e);

/* Mounts it if it is such a volume and not mounted. ERR_NOT_FOUND. */
int engine_volume_mount(struct engine *engine, const char *name, struct err *e);

/* The reverse; what is not mounted is fine. A container that has it keeps it. */
int engine_volume_unmount(struct engine *engine, const char *name, struct err *e);
