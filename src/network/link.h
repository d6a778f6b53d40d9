/* link.h - network devices by rtnetlink(7): a bridge, the veth pairs that hang on it, and what the
 * inner end of a pair has. All take a NETLINK_ROUTE socket (wire/netlink.h), which says in which
 * network namespace they act. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/address.h"

struct err;

enum {
	NETWORK_MAC = 6,
	NETWORK_LINK_NAME = 16,   /* bytes with the NUL: IFNAMSIZ */
	NETWORK_LINK_ALIAS = 256, /* IFALIASZ */
};

struct network_link {
	int index;
	int master; /* index of the bridge it is a port of; 0: of none */
	bool up;
	unsigned char mac[NETWORK_MAC]; /* all 0: it has none */
	uint32_t mtu;
	char kind[16];                  /* "bridge", "veth", ""... */
	char alias[NETWORK_LINK_ALIAS]; /* "": none */
};

/* Is this a name that the kernel takes for a device (dev_valid_name())? ERR_INVALID. */
int network_link_check_name(const char *name, struct err *e);

/* "02:42:0a:63:00:02"; false: it is none. */
bool network_link_parse_mac(unsigned char to[NETWORK_MAC], const char *text);

/* All 0: nothing was said. */
bool network_link_has_no_mac(const unsigned char mac[NETWORK_MAC]);

/* ERR_NOT_FOUND. */
int network_link_find(struct network_link *ret, int socket, const char *name, struct err *e);

struct network_bridge {
	const char *name;
	const char *alias;        /* tells later whose it is */
	const unsigned char *mac; /* its own, which otherwise changes with its ports */
	uint32_t mtu;             /* 0: the kernel's */
};

/* A bridge, up, with these addresses (with their prefixes). Returns its index; ERR_EXISTS. Where a
 * step fails nothing is left. */
int network_link_make_bridge(int socket, const struct network_bridge *bridge,
			     const struct network_address *addresses, size_t count, struct err *e);

/* What ip link shows as its alias; a device is born without. */
int network_link_set_alias(int socket, int index, const char *alias, struct err *e);

/* Gives a device those of the addresses that it lacks, and raises it. */
int network_link_raise(int socket, int index, const struct network_address *addresses, size_t count,
		       struct err *e);

/* ERR_NOT_FOUND. Takes milliseconds: the kernel waits for all who might see it. */
int network_link_delete(int socket, const char *name, struct err *e);

struct network_veth {
	const char *outer; /* name here; up at once */
	int bridge;        /* index of the bridge it is a port of; 0: none */
	const char *inner; /* name in the namespace */
	int namespace_fd;
	unsigned char mac[NETWORK_MAC]; /* of the inner end */
	uint32_t mtu;                   /* 0: the kernel's */
	bool hairpin;                   /* the bridge may send back by the port that it got it by */
	bool isolated;                  /* it sends nothing to other ports that are so */
};

/* Both ends in one message: the pair is born where it belongs. ERR_EXISTS: the outer name. */
int network_link_make_veth(int socket, const struct network_veth *veth, struct err *e);

/* Makes an outer end that is there a port of the bridge, with what the veth says of it. */
int network_link_set_bridge(int socket, const struct network_veth *veth, struct err *e);

/* The hairpin of one that is a port. */
int network_link_set_hairpin(int socket, const char *name, struct err *e);

struct network_inner_route {
	struct network_address to; /* prefix 0: to everywhere */
	struct network_address gateway;
	bool direct; /* of the gateway the family counts alone: all are on the link */
};

struct network_inner {
	const char *name;
	const struct network_address *addresses;
	size_t addresses_count;
	const struct network_inner_route *routes;
	size_t routes_count;
};

/* In the namespace of socket: raises lo and the device, gives it addresses and routes, in one
 * batch. */
int network_link_set_inner(int socket, const struct network_inner *inner, struct err *e);

/* In the namespace of socket: the device leads everywhere, by these gateways, at most one a family,
 * and no other one does. */
int network_link_set_default(int socket, const char *device, const struct network_address *gateways,
			     size_t count, struct err *e);

/* Calls each for every address of every device here. */
int network_link_addresses(int socket,
			   void (*each)(void *arg, int index,
					const struct network_address *address),
			   void *arg, struct err *e);
