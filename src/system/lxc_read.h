/* lxc_read.h - reading one container of LXC: what lxc.c and its parts share. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "system/foreign.h"
#include "system/lxc_config.h"

enum { LXC_NETWORKS_MAX = 32 };

/* One lxc.net.N; all borrowed. */
struct lxc_network {
	const struct lxc_line *line; /* of its type */
	const char *type, *link, *name, *mac, *address, *address6, *gateway, *vlan;
};

struct lxc_reading {
	struct foreign_machine *machine;
	struct engine *engine;
	struct lxc_config config;
	const char *root;
	const char *order;
	bool autostart;
	bool keeps;          /* lxc.cap.keep was said */
	const char *refused; /* why it cannot be taken at all */
	struct lxc_network networks[LXC_NETWORKS_MAX];
	int64_t memory, swap; /* of cgroup v2: swap is beside memory there; 0: not said */
};

/* rest: of the key, behind the row's. NULL, or why it was not taken. */
typedef const char *lxc_take(struct lxc_reading *r, const struct lxc_line *line, const char *rest);

lxc_take system_lxc_network_take, system_lxc_cgroup_take, system_lxc_mount_take,
	system_lxc_mount_take_fstab, system_lxc_mount_take_auto;

/* When all lines have been read. */
void system_lxc_network_finish(struct lxc_reading *r);
void system_lxc_cgroup_finish(struct lxc_reading *r);

/* why NULL: nothing. */
void system_lxc_note(struct lxc_reading *r, const struct lxc_line *line, const char *why);
