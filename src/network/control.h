/* control.h - what a container may send and how fast, on the host's end of its veth pair, by the
 * kernel's traffic control. All of it hangs on the device and goes with it.
 *
 * The options have the names of Incus's: "ingress" is towards the container, "egress" what it
 * sends. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "network/dhcp.h"
#include "network/driver.h"
#include "network/guard.h"

struct err;

struct network_control {
	uint64_t ingress; /* bits a second; 0: as fast as it goes */
	uint64_t egress;
	uint32_t connections; /* tracked at once by the host; 0: any number (limit.h) */
	uint32_t priority;    /* of what it sends, where has_priority */
	bool has_priority;
	bool any; /* allow=any: no address is refused */
	struct network_address allowed[NETWORK_GUARD_ADDRESSES_MAX]; /* besides its own */
	size_t count;
};

/* "limits.ingress", "limits.egress", "limits.max" (both), "limits.connections", "limits.priority",
 * "allow" (addresses and subnets with commas between, or "any"); NULL: nothing is said. Others are
 * not looked at. Pure. ERR_INVALID. */
int network_control_parse(struct network_control *ret, const struct shape_map *options,
			  struct err *e);

/* Is it one of those? */
bool network_control_knows(const char *option);

/* Does it all for the member's pair, and answers it by DHCP (NULL: it is not to be). demanded: a
 * kernel that cannot filter is an error (ERR_UNSUPPORTED), otherwise a warning. */
int network_control_pair(int socket, const struct network_member *member,
			 const struct network_dhcp *dhcp, bool demanded, struct err *e);

/* How many packets of the container's were refused, by their addresses or by the rate, at this
 * outer end of its pair. false: nothing is controlled there. */
bool network_control_refused(uint64_t *ret, int socket, const char *outer);
