/* names.h - who is in the networks of a container: names/NETWORK/ID in the run folder has the names
 * and addresses that a container has there, and ID.alive beside it is locked as long as it lives
 * (its monitor's lock, under a second name). Written by whoever starts a container and removed at
 * its end; one that was killed answers no more, whoever removes its file. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/strv.h"

struct err;

enum { DNS_FOUND_MAX = 1024, DNS_ENTRY_ADDRESSES = 8, DNS_ENTRY_BYTES_MAX = 64 << 10 };

struct dns_address {
	uint8_t bytes[16];
	size_t length; /* 4 or 16 */
};

/* A container in a network. */
struct dns_entry {
	char *id;
	struct dns_address addresses[DNS_ENTRY_ADDRESSES];
	size_t addresses_count;
	struct strv names; /* in lower case; the first one is that of the container */
};

struct dns_network {
	char *name; /* in lower case */
	int folder;
	struct dns_entry *entries;
	size_t count;
	struct stat then; /* the folder, when it was read */
	bool settled;     /* it had not changed just before that: a later change shows */
};

struct dns_names {
	struct dns_network *networks;
	size_t count;
};

/* folder_fd: "names". A network without a folder has nobody in it. */
int dns_names_open(struct dns_names *ret, int folder_fd, const struct strv *networks,
		   struct err *e);

void dns_names_close(struct dns_names *names);

struct dns_found {
	struct dns_address addresses[DNS_FOUND_MAX];
	size_t count;
};

/* Both families' addresses of all who have the name and live; NAME.NETWORK is one in that network
 * alone. false: nobody has it. */
bool dns_names_find(struct dns_found *ret, struct dns_names *names, const char *name);

/* "web.NETWORK". */
bool dns_names_reverse(char *to, size_t size, struct dns_names *names, const uint8_t *address,
		       size_t length);

/* One line each: "address 10.99.0.2", "name web". Pure; the caller clears. */
void dns_names_parse(struct dns_entry *ret, const char *text);
void dns_names_clear_entry(struct dns_entry *entry);
