/* target.h - where the connections and datagrams of a published port go. */
#pragma once
#include <stdbool.h>
#include <sys/socket.h>

struct err;

struct proxy_target {
	struct sockaddr_storage address;
	bool inside; /* in the container's network namespace, as the client (inside.h) */
	bool keeps;  /* answers to the client's address find their way back (way.h) */
};

/* ERR_INVALID. */
int proxy_target_parse(struct proxy_target *to, const char *address, const char *port,
		       struct err *e);

/* The address that it is now: of a container whatever it has, of this family if it has one of it.
 * false: none. */
bool proxy_target_find(struct sockaddr_storage *ret, const struct proxy_target *target, int family);

/* Connects a socket of this type to an address that was found, for a client who came to the host's
 * address local. *ret_kept: it speaks as the client. The socket, or -errno. */
int proxy_target_connect(bool *ret_kept, const struct proxy_target *target, int type,
			 const struct sockaddr_storage *found,
			 const struct sockaddr_storage *client,
			 const struct sockaddr_storage *local);
