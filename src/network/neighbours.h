/* neighbours.h - the rules of others on this host that drop what is forwarded, whatever ours say:
 * iptables' table "filter" with the policy DROP, as Docker and ufw set it. There a bridge of ours
 * is let through, in the chain that Docker keeps for that (DOCKER-USER) or else at the top of
 * FORWARD; what may pass is then decided by our own rules. firewalld is told (firewalld.h). Old
 * iptables (x_tables) is out of reach. */
#pragma once
#include <stdbool.h>

struct err;

/* Does nobody stand in the bridge's way? Some messages to the kernel, where there is no such table
 * two. */
bool network_neighbours_let(const char *bridge);

/* Has them let it through; what is so already stays. */
int network_neighbours_open(const char *bridge, struct err *e);

/* Takes that back. */
int network_neighbours_close(const char *bridge, struct err *e);
