/* address.h - IP addresses and subnets as numbers: read, printed, counted, compared. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;

enum { NETWORK_ADDRESS_TEXT = 50 }; /* bytes: an IPv6 address, "/128" and the NUL */

struct network_address {
	int family;              /* AF_INET, AF_INET6; 0: none */
	unsigned char bytes[16]; /* the first 4 of them for AF_INET, network order */
	uint8_t prefix;          /* of its subnet, in bits; 32 or 128: the address alone */
};

/* "10.99.0.2", "10.99.0.2/24", "fd00::1/64". A missing prefix is the address alone. ERR_INVALID. */
int network_address_parse(struct network_address *ret, const char *text, struct err *e);

/* The same of a subnet: with a prefix, and no bit set behind it. */
int network_address_parse_subnet(struct network_address *ret, const char *text, struct err *e);

/* "10.99.0.2", or "10.99.0.2/24" with the prefix. */
void network_address_format(char to[NETWORK_ADDRESS_TEXT], const struct network_address *address,
			    bool with_prefix);

/* 4 or 16. */
unsigned network_address_length(const struct network_address *address);

bool network_address_equal(const struct network_address *a, const struct network_address *b);

/* Is it 0.0.0.0 or ::, which stands for all of a host's? */
bool network_address_is_any(const struct network_address *address);

/* Is all of b in the subnet a? */
bool network_address_holds(const struct network_address *a, const struct network_address *b);
bool network_address_overlaps(const struct network_address *a, const struct network_address *b);

/* May one device have this address of the subnet, or does it mean all of it: its first, or the last
 * of IPv4 (broadcast)? ERR_INVALID, also for one that is not in it. */
int network_address_check_host(const struct network_address *subnet,
			       const struct network_address *address, struct err *e);

/* Does it mean something on one link alone: 169.254.0.0/16, fe80::/10? */
bool network_address_is_of_link(const struct network_address *address);

/* How many addresses a subnet can give out: without its first (the network's) and, of IPv4, its
 * last (broadcast); at most 2^32. */
uint64_t network_address_hosts(const struct network_address *subnet);

/* The address number (from 1) of a subnet, with its prefix. */
struct network_address network_address_nth(const struct network_address *subnet, uint64_t number);
