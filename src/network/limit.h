/* limit.h - what the host's nftables, and not the container's device (control.h), has of a
 * container's limits: how many connections of it are tracked at once, and the priority of what it
 * sends. Elements of maps in `inet holm`, by its addresses (firewall.h). */
#pragma once
#include <stddef.h>

#include "network/address.h"
#include "wire/nftables.h"

struct err;
struct network_control;

/* The most priority that the kernel's queues tell apart: TC_PRIO_MAX, linux/pkt_sched.h. */
enum { NETWORK_LIMIT_PRIORITY_MAX = 15 };

/* *ret is the caller's (free); 0: nothing is limited so. Pure. */
size_t network_limit_elements(struct wire_nftables_element **ret,
			      const struct network_address *addresses, size_t count,
			      const struct network_control *control);

/* All or none, in place of others of the same addresses. ERR_NOT_FOUND: there is no table. */
int network_limit_put(const struct wire_nftables_element *elements, size_t count, struct err *e);
