/* foreign.h - system containers of LXC and systemd-nspawn as holm's: what their configuration says
 * becomes options of `holm create`, and their root an image. What was there is only read. Their
 * configuration is as trustworthy as the one who may write it, which is root (or the user whose
 * containers they are); their root is not. docs/decisions/0050-containers-of-lxc-and-nspawn.md. */
#pragma once
#include <stdbool.h>

#include "base/shape.h"
#include "oci/id_map.h"

struct container;
struct create_options;
struct engine;
struct err;

/* One that was found. */
struct foreign_machine {
	char *name;
	char *folder;          /* its own: hooks that lie in it come along */
	char *root;            /* where its files are, in words */
	int root_fd;           /* a folder, or a detached mount */
	struct oci_id_map ids; /* whose ids its files have; empty: as they are */
	struct strv settings;  /* options of create: "hostname=web", "system=true" */
	struct strv command;
	struct strv hooks; /* the same for hooks: "pre-start=/x" */
	struct strv notes; /* what was not taken: "FILE:LINE: KEY = VALUE: why" */
	bool idmapped;     /* its ids were not the host's */
};
#define FOREIGN_MACHINE_NONE                                                                       \
	{                                                                                          \
		.root_fd = -1                                                                      \
	}
void system_foreign_machine_clear(struct foreign_machine *machine);

struct foreign_kind {
	const char *name;           /* "lxc" */
	const char *folder;         /* where root has them */
	char *(*user_folder)(void); /* where an ordinary user has; NULL: nowhere. The caller's */
	/* The name of one, if the entry of the folder is one; the caller's, or NULL. */
	char *(*name_of)(int folder_fd, const char *entry);
	/* Fills *to, which the caller clears, also on failure. It may be running (ERR_STATE). */
	int (*read)(struct foreign_machine *to, struct engine *engine, const char *folder,
		    const char *name, struct err *e);
};
extern const struct foreign_kind system_lxc;
extern const struct foreign_kind system_nspawn;
const struct foreign_kind *system_foreign_kind_find(const char *name);

/* The names in the folder, sorted. */
int system_foreign_list(struct strv *to, const struct foreign_kind *kind, const char *folder,
			struct err *e);

/* Makes it: the options are machine->settings, understood; the image is filled in. *ret is the
 * caller's. On failure there is no container; an image without a name may be left. */
int system_foreign_make(struct engine *engine, struct foreign_machine *machine,
			struct create_options *o, struct container *ret, struct err *e);

/* ---- for the readers ---- */

void system_foreign_set(struct foreign_machine *m, const char *key, const char *value);
void system_foreign_setf(struct foreign_machine *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A mount of a file or folder of the host; device nodes become devices. options are those of
 * fstab(5). Returns NULL, or why it cannot be. */
const char *system_foreign_mount(struct foreign_machine *m, const char *source, const char *target,
				 const struct strv *options);

/* Opens the root: a folder, a disk image, or layers, the topmost first. */
int system_foreign_open_root(struct foreign_machine *m, const struct strv *layers, struct err *e);

/* The network of holm's with this driver and this device of the host: its bridge, or what a
 * macvlan, ipvlan, vlan or phys lies on. The caller's; NULL: there is none. */
char *system_foreign_network_find(struct engine *engine, const char *driver, const char *device);
#define FOREIGN_NETWORK_DEFAULT "bridge"
#define FOREIGN_NETWORK_MISSING                                                                    \
	"make such a network, holm network create -d KIND -o parent=DEVICE NAME, and connect it: " \
	"holm network connect"
