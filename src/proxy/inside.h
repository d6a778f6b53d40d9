/* inside.h - in the network namespace of an ordinary user's container: the way to its services, as
 * the client. Beyond NAT, which only the host's root has, this is how a container sees who asks
 * (decision 0056). */
#pragma once
#include <stdbool.h>
#include <sys/socket.h>

struct err;

/* Goes there, for good. *ret_keeps: answers to any address find their way back to this program, so
 * that proxy_inside_connect() may speak as the client. */
int proxy_inside_enter(bool *ret_keeps, int namespace_fd, struct err *e);

/* Gives up all rights but the one that proxy_inside_connect() needs. */
int proxy_inside_drop(struct err *e);

/* An address of the namespace's own devices, of this family or else of the other: where its
 * services listen. *to is left alone, and the result is false, where it has none. The port is the
 * caller's to fill in. */
bool proxy_inside_find(struct sockaddr_storage *to, int family);

/* Is it for the container to answer this client, who came to the host's address local? Not where
 * all its networks are internal, unless the client is this host. */
bool proxy_inside_may(const struct sockaddr_storage *client, const struct sockaddr_storage *local,
		      const struct sockaddr_storage *target);

/* Connects to it, as the client where its address can be kept: of the same family, and one that
 * means the same in there. The socket, or -errno. */
int proxy_inside_connect(const struct sockaddr_storage *target,
			 const struct sockaddr_storage *client, bool keeps);
