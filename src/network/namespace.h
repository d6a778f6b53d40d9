/* namespace.h - a network namespace without a process or a file: it lives as long as somebody has a
 * descriptor of it, or is in it. */
#pragma once
#include <stdbool.h>

struct err;

struct network_namespace {
	int fd;     /* of the namespace */
	int socket; /* NETLINK_ROUTE, in it */
};
#define NETWORK_NAMESPACE_INIT                                                                     \
	{                                                                                          \
		.fd = -1, .socket = -1                                                             \
	}

/* May the caller make devices and rules in the namespace where it is? It takes CAP_NET_ADMIN in the
 * user namespace that owns it. */
bool network_namespace_is_ours(void);

/* A new one, owned by the caller's user namespace; user_fd: by that one instead (-1: not), which
 * takes a child for a moment. The caller must have one thread. It ends *ret with
 * network_namespace_close(). */
int network_namespace_make(struct network_namespace *ret, int user_fd, struct err *e);
void network_namespace_close(struct network_namespace *namespace);

/* One that is there, by a descriptor of it, which is taken over on success. */
int network_namespace_take(struct network_namespace *ret, int *fd, struct err *e);

/* Moves the caller, which must have one thread, into the namespace. Returns a descriptor of the one
 * that it came from, for network_namespace_leave(), which closes it; what would go on in the wrong
 * network ends: so only where network_namespace_is_ours(). */
int network_namespace_enter(const struct network_namespace *namespace, struct err *e);
void network_namespace_leave(int back);
