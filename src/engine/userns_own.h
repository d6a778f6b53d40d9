/* userns_own.h - the ids that the caller has to give to containers: what engine/config_userns.c
 * decides by. */
#pragma once

struct config_ids;
struct container;
struct create_options;
struct err;

/* Those of this process's user namespace, and those that /etc/subuid and /etc/subgid have for
 * --subuidname and --subgidname. Of options that ask for no ids: whether there is such a namespace,
 * alone. o NULL: no options. The caller clears *ret, after a failure, too. */
int engine_userns_own(struct config_ids *ret, const struct create_options *o, struct err *e);
void engine_userns_own_clear(struct config_ids *ids);

/* Who keeps his number (keep-id) has his name inside, too, as with podman: "NAME:UID:GID:HOME" for
 * runtime/login.h. NULL: he does not. The caller frees. */
char *engine_userns_own_login(const struct container *c);
