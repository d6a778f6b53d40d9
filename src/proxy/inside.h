/* inside.h - in the network namespace of an ordinary user's container: the way to its services, as
 * the client. Beyond NAT, which only the host's root has, this is how a container sees who asks
 * (decision 0056). */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct err;

/* Goes there, for good. */
int proxy_inside_enter(int namespace_fd, struct err *e);

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

/* Connects a socket of this type to it. *keeps: as the client, if its address means the same in
 * there, and the answers find their way back (way.h); false then where it could not. Its port may
 * be another. The socket, or -errno. */
int proxy_inside_connect(bool *keeps, int type, const struct sockaddr_storage *target,
			 const struct sockaddr_storage *client);

/* Are they of one family, and the same but for port and scope? */
bool proxy_inside_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b);

/* Of an address of either family. */
in_port_t proxy_inside_port(const struct sockaddr_storage *address);
void proxy_inside_set_port(struct sockaddr_storage *address, in_port_t port);
socklen_t proxy_inside_length(const struct sockaddr_storage *address);
