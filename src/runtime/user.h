/* user.h - who a process of the container is: names looked up in the container's own /etc/passwd
 * and /etc/group, which may be hostile (a fifo, a link, endless). passwd(5), group(5). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct oci_user;

enum {
	RUNTIME_USER_LINE_MAX = 1 << 20,  /* bytes; longer lines are skipped */
	RUNTIME_USER_FILE_MAX = 64 << 20, /* bytes read of one file at most */
	RUNTIME_USER_GROUPS_MAX = 65536,  /* setgroups(2), NGROUPS_MAX */
};

struct runtime_user {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* supplementary, gid itself not among them */
	size_t groups_count;
	char *home; /* from passwd; NULL: no such entry */
};
void runtime_user_clear(struct runtime_user *user);

/* The root descriptor's /etc/passwd and /etc/group count. user->username is "name", "name:group"
 * or ids in their place; without a group the user's own groups of /etc/group come along. It is
 * NULL: user's numbers count, and its additional_gids. groups: "wheel,44" or NULL, added in any
 * case. ERR_NOT_FOUND for a name that is not there, ERR_INVALID for a number that is no id. */
int runtime_user_resolve(struct runtime_user *ret, int root_fd, const struct oci_user *user,
			 const char *groups, struct err *e);
