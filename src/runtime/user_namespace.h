/* user_namespace.h - the user namespace of a container, user_namespaces(7): which one, which ids
 * are in it, and who writes them there. A process with CAP_SETUID writes any map itself; another
 * writes its own id alone, and for more has newuidmap(1) and newgidmap(1) write what /etc/subuid
 * and /etc/subgid give it. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "runtime/idmap.h"

struct err;
struct oci_spec;
struct runtime_namespaces;

struct runtime_user_namespace {
	struct runtime_idmap ids; /* as the caller's user namespace counts; empty: there is none */
	int joined_fd;            /* borrowed from the namespaces; -1: none is joined */
	bool entered;             /* by the caller, an ordinary user: who maps no mounts */
	int twin_fd;              /* internal: see runtime_user_namespace_open_in_parent() */
};
#define RUNTIME_USER_NAMESPACE_INIT                                                                \
	{                                                                                          \
		.joined_fd = -1, .twin_fd = -1                                                     \
	}

/* Reads linux.uidMappings and gidMappings. A caller that may not make the other namespaces without
 * (it has no CAP_SYS_ADMIN) gets a user namespace also where the spec asks for none, and without
 * mappings its own ids as 0 and its subordinate ones from 1 on: namespaces->own then says so.
 * ERR_INVALID for maps that make no sense. The caller clears *ret, after a failure, too. */
int runtime_user_namespace_prepare_in_parent(struct runtime_user_namespace *ret,
					     struct runtime_namespaces *namespaces,
					     const struct oci_spec *spec, struct err *e);
void runtime_user_namespace_clear(struct runtime_user_namespace *user);

/* The ids that an ordinary user has: the own one as 0, the subordinate ones from 1 on; that one
 * alone, which is said, where newuidmap(1) is not there. The caller clears *ids. */
int runtime_user_namespace_own_ids(struct runtime_idmap *ids, struct err *e);

/* The ids of the user namespace of this process, as seen from where the caller is; those of the
 * caller's own as its parent has them. Nothing where it is gone. The caller clears *ret. */
void runtime_user_namespace_ids_of(struct runtime_idmap *ret, pid_t pid);

/* Writes the maps of the user namespace of pid, a child that was cloned into a new one. An
 * ordinary user's single group comes with setgroups(2) forbidden, as the kernel demands. */
int runtime_user_namespace_write_in_parent(pid_t pid, const struct runtime_idmap *ids,
					   struct err *e);

/* A user namespace with these ids and no process, for mounts: a descriptor, the caller's. */
int runtime_user_namespace_make_in_parent(const struct runtime_idmap *ids, struct err *e);

/* One with the container's ids: the joined one, or a twin of the one that is to be, made once.
 * Borrowed. ERR_INVALID where the container has no user namespace of its own. */
int runtime_user_namespace_open_in_parent(struct runtime_user_namespace *user, struct err *e);

/* A folder or file of the host whose owner has no id in the container becomes the container's
 * root's, so that it can be used in there. Nothing where the container's ids are not known. */
int runtime_user_namespace_give_in_parent(const struct runtime_user_namespace *user, int fd,
					  struct err *e);

/* Has the caller CAP_SYS_ADMIN here? Without, its containers take a user namespace. */
bool runtime_user_namespace_may_do_without(void);

/* Is this process in another user namespace than the first one? */
bool runtime_user_namespace_is_inner(void);

/* Is setgroups(2) forbidden in the user namespace of this process of /proc ("self", "123")? */
bool runtime_user_namespace_denies_groups(const char *process);
