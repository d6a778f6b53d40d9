/* config_userns.h - --userns, --uidmap, --gidmap, as podman has them. Pure: which ids are free is
 * engine/userns.c's affair. */
#pragma once
#include <stdint.h>

#include "runtime/idmap.h"

struct container;
struct create_options;
struct err;

enum { CONFIG_USERNS_SIZE = 65536 }; /* how many ids a container has that says nothing: Docker's */

/* What is to be found for "auto[:size=N,uidmapping=C:H:N,gidmapping=C:H:N]" or "private". */
struct config_userns {
	uint32_t size; /* 0: nothing, the ids are known, the host's or another's */
	struct runtime_idmap fixed;
};

void config_userns_clear(struct config_userns *request);

/* Reads the mode. The caller clears *ret, after a failure, too. ERR_INVALID. */
int config_userns_read(struct config_userns *ret, const char *mode, struct err *e);

/* Sets security.userns, and security.ids from --uidmap and --gidmap. */
int config_userns(struct container *c, const struct create_options *o, struct err *e);
