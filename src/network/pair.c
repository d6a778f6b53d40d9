#include "network/pair.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "network/namespace.h"

enum { NAME_TRIES = 8 };

void network_pair_mac(unsigned char to[NETWORK_MAC], const struct network_address *address)
{
	unsigned length = network_address_length(address);

	to[0] = 0x02;
	to[1] = 0x42;
	memcpy(to + 2, address->bytes + length - 4, 4);
}

/* The outer end's name is by chance: that of the last run may still be there, since a namespace
 * that dies takes its time. */
int network_pair_make(int socket, const struct network_pair *pair,
		      const struct network_namespace *namespace, struct network_member *member,
		      struct err *e)
{
	struct network_veth veth = {
		.outer = member->outer,
		.bridge = pair->bridge,
		.inner = member->device,
		.namespace_fd = namespace->fd,
		.mtu = pair->mtu,
		.hairpin = pair->bridge && member->hairpin,
		.isolated = pair->isolated,
	};
	uint32_t number;
	int r = 0;

	if (network_link_has_no_mac(member->mac))
		network_pair_mac(member->mac, &member->addresses[0]);
	memcpy(veth.mac, member->mac, sizeof(veth.mac));
	for (int i = 0; i < NAME_TRIES; i++) {
		if (getrandom(&number, sizeof(number), 0) < 0)
			return err_sys(e, "getrandom");
		snprintf(member->outer, sizeof(member->outer), "veth%08x", number);
		r = network_link_make_veth(socket, &veth, e);
		if (r == 0 || e->kind != ERR_EXISTS)
			break;
	}
	return r;
}
