/* owner.h - --chown=USER[:GROUP], looked up in the passwd and group of the image. */
#pragma once
#include <sys/types.h>

struct err;

/* ERR_NOT_FOUND: the image has none of that name. */
int build_owner_find(uid_t *ret_uid, gid_t *ret_gid, int root_fd, const char *text, struct err *e);
