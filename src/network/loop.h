/* loop.h - how the host's input rules judge who may reach a published port.
 *
 * A packet that is translated on its way in is forwarded, and the host's input rules never see it.
 * So the first packet of a connection to a published port is not translated: it goes to the host
 * itself, through all input rules there are, in whatever table, with the port that the person
 * published. Behind the last of them a rule of ours sends it into one end of a pair of devices, and
 * it comes in once more by the other, accepted; there it is translated. All others of the
 * connection follow the first without a detour. Decision 0030. */
#pragma once
#include <stdbool.h>

struct err;

#define NETWORK_LOOP_OUT "holm-out"
#define NETWORK_LOOP_IN  "holm-in"

/* Are the devices and the rules that name them there? */
bool network_loop_ready(void);

/* Makes them where they are not; under network_record_lock(). ERR_UNSUPPORTED: the kernel cannot
 * duplicate packets (NFT_DUP_IPV4, NFT_DUP_IPV6). */
int network_loop_ensure(struct err *e);
