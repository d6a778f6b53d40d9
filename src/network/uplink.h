/* uplink.h - the way out for a container of an ordinary user, who may touch no device of the host:
 * a program, slirp4netns(1) or pasta(1), that reads the packets of the container's namespace and
 * speaks for it by sockets of the user's. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct err;

#define NETWORK_UPLINK_PASTA "pasta"
#define NETWORK_UPLINK_SLIRP "slirp4netns"

/* Of a namespace with bridges. */
#define NETWORK_UPLINK_DEVICE "holm-up"

/* Is this the name of one of them? NULL is none. */
bool network_uplink_is_name(const char *name);

/* The one that works here, or NULL: then *why says what is missing. Both are static texts.
 * slirp4netns comes first: with Debian 12's pasta (2023_03) an outgoing connection hung once, and a
 * port published on all addresses was not reachable from another namespace. Why is not known. */
const char *network_uplink_choose(const char **why);

struct network_uplink_request {
	const char *name;
	int namespace_fd;
	const char *folder; /* on the host: it gets the files netns and pid */
	const char *device; /* of slirp4netns, which then keeps the namespace; NULL: "eth0" */
};

/* Its descriptor of a namespace that it keeps. */
enum { NETWORK_UPLINK_KEPT = 4 };

/* Starts it, and returns once the network is there. It has a session of its own, and goes on until
 * it is ended. The caller is root of a user namespace and has a mount namespace of its own. */
int network_uplink_start(pid_t *ret, const struct network_uplink_request *request, struct err *e);
