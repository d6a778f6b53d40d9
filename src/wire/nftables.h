/* nftables.h - elements of nftables' sets and maps in tables of the family inet: many put in or
 * taken out in one transaction (nfnetlink batches: linux/netfilter/nfnetlink.h). Which sets there
 * are is the caller's affair. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct err;

enum {
	WIRE_NFTABLES_SET = 16,  /* bytes of a set's or chain's name here, with the NUL */
	WIRE_NFTABLES_KEY = 24,  /* address . protocol . port: each takes a multiple of 4 */
	WIRE_NFTABLES_DATA = 20, /* address . port */
};

struct wire_nftables_element {
	char set[WIRE_NFTABLES_SET];
	unsigned char key[WIRE_NFTABLES_KEY];
	size_t key_length;
	unsigned char data[WIRE_NFTABLES_DATA];
	size_t data_length;            /* 0: of a set, not a map */
	char chain[WIRE_NFTABLES_SET]; /* of a map of verdicts: to jump to; not in the text */
};

/* All or none; those of one set behind each other travel best. ERR_EXISTS: one is there already
 * (EEXIST with the same data or EBUSY with other); ERR_NOT_FOUND: no such table or set. */
int wire_nftables_add(int socket, const char *table, const struct wire_nftables_element *elements,
		      size_t count, struct err *e);

/* Those that are not there are fine, and so is no table. */
int wire_nftables_delete(int socket, const char *table,
			 const struct wire_nftables_element *elements, size_t count, struct err *e);

/* The same as text, a line each: "SET KEY [DATA]" in hex, from which they can be taken out. The
 * caller frees. */
char *wire_nftables_format(const struct wire_nftables_element *elements, size_t count);

/* *ret is the caller's (free). Returns the count; ERR_CORRUPT. */
int wire_nftables_parse(struct wire_nftables_element **ret, const char *text, struct err *e);
