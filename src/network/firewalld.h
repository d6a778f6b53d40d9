/* firewalld.h - a bridge in firewalld's zone "trusted", as podman has its networks there: firewalld
 * rejects what is forwarded from a device that is in no such zone, and no table of others can
 * accept what one has rejected. The binding is one of firewalld's run time: its reload takes it
 * away, the next start of a container or `holm network reload` brings it back. */
#pragma once

struct err;

int network_firewalld_trust(const char *bridge, struct err *e);

/* Nothing where there is no firewalld, or it does not know of the bridge. */
void network_firewalld_forget(const char *bridge);
