/* route.h - ways to addresses by rtnetlink(7), and answering for them on another device (proxy
 * ARP and NDP). All take a NETLINK_ROUTE socket (wire/netlink.h). */
#pragma once
#include "network/address.h"

struct err;

/* Calls each for every route to somewhere (the default route has prefix 0) of the main table. */
int network_route_list(int socket,
		       void (*each)(void *arg, int index, const struct network_address *to),
		       void *arg, struct err *e);

struct network_route {
	struct network_address to; /* with the prefix */
	int index;                 /* of the device */
	struct network_address
		source; /* what the host calls itself on it; family 0: what it will */
};

/* A route of the device's own link. ERR_EXISTS: there is one to the same. */
int network_route_add(int socket, const struct network_route *route, struct err *e);

/* An address of the host, of this family, on the device; family 0: it has none. */
int network_route_source(struct network_address *ret, int socket, int index, int family,
			 struct err *e);

/* Has the device answer for an address that is elsewhere, and no more. */
int network_route_answer(int socket, int index, const struct network_address *address,
			 struct err *e);
int network_route_answer_no_more(int socket, int index, const struct network_address *address,
				 struct err *e);

/* Calls each for every address that the device answers for by network_route_answer(). */
int network_route_answers(int socket, int index,
			  void (*each)(void *arg, const struct network_address *address), void *arg,
			  struct err *e);
