/* ports_plan.h - from what a container asks for to the ports that it gets: used by those who
 * publish (ports.c, ports_change.c). */
#pragma once
#include "engine/ports.h"
#include "network/publish.h"

/* Reserves and adds to *to, in order, what c asks for: of its record the ports alone count, whether
 * all is published that is exposed, and the mode. On failure what was reserved stays so. */
int ports_plan_make(struct engine_port_list *to, struct network_reserve *reserve,
		    struct engine *engine, const struct container *c,
		    const struct engine_places *places, struct err *e);

/* Where a container's ports lead. */
struct ports_target {
	struct network_address addresses[2]; /* IPv4, IPv6; family 0: it has none */
	bool judged;                         /* the host's input rules say who may */
};

/* Into its first network that is not internal, or else the first. */
struct ports_target ports_plan_target(const struct container *c,
				      const struct engine_places *places);

/* For an address of the host's of this family; family 0: to none. carried: by holm-proxy, which
 * leads from either family to either. */
const struct network_address *ports_plan_lead(const struct ports_target *target, int family,
					      bool carried);

/* Does it lead anywhere, and is carried by a program, not translated? */
bool ports_plan_is_carried(const struct engine_port *port);

/* ERR_INVALID: of a file that was damaged. */
int ports_plan_parse(struct network_port *to, const struct engine_port *from, struct err *e);

/* Of those that are translated. *ret is the caller's (free). Returns the count. ERR_INVALID: of a
 * file that was damaged. */
int ports_plan_elements(struct wire_nftables_element **ret, const struct engine_port_list *ports,
			struct err *e);
