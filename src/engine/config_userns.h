/* config_userns.h - --userns, --uidmap, --gidmap, --subuidname, --subgidname, as podman has them.
 * Pure: which ids are free is engine/userns.c's affair. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "runtime/idmap.h"

struct config_ids;
struct container;
struct create_options;
struct err;

enum {
	CONFIG_USERNS_SIZE = 65536, /* how many ids a container has that says nothing: Docker's */
	CONFIG_USERNS_SIZE_OF_USER = 4096, /* a range of 65536 then serves 15 containers */
};

/* What is to be found for "auto[:size=N,uidmapping=C:H:N,gidmapping=C:H:N]" or "private". */
struct config_userns {
	uint32_t size; /* 0: nothing, the ids are known, the host's or another's */
	struct runtime_idmap fixed;
};

void config_userns_clear(struct config_userns *request);

/* Reads the mode. ids: the caller's. The caller clears *ret, after a failure, too. ERR_INVALID. */
int config_userns_read(struct config_userns *ret, const char *mode, const struct config_ids *ids,
		       struct err *e);

/* Is it one of those that give a container all that an ordinary user has: keep-id, nomap? */
bool config_userns_is_of_user(const char *mode);

/* Sets security.userns, security.ids where they are known, and for keep-id process.user. */
int config_userns(struct container *c, const struct create_options *o, const struct config_ids *ids,
		  struct err *e);
