/* publish.h - a published port as the elements of the maps in `inet holm` (firewall.h): what comes
 * for the host's address and port goes to the container's. The rules never change. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/address.h"
#include "wire/nftables.h"

struct err;

struct network_port {
	int protocol;                /* IPPROTO_TCP, UDP, SCTP */
	struct network_address host; /* all bytes 0: each of the host's */
	uint16_t host_port;
	struct network_address target; /* of the container, of the same family */
	uint16_t target_port;
	bool judged; /* the host's input rules decide who may (loop.h) */
};

/* *ret is the caller's (free). Pure. */
size_t network_publish_elements(struct wire_nftables_element **ret,
				const struct network_port *ports, size_t count);

/* All or none. ERR_EXISTS: one is published; ERR_NOT_FOUND: the table is not there, or is another's
 * of this name. */
int network_publish(const struct wire_nftables_element *elements, size_t count, struct err *e);

/* What is not there is fine. */
int network_publish_remove(const struct wire_nftables_element *elements, size_t count,
			   struct err *e);
