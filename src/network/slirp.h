/* slirp.h - what a slirp4netns(1) that runs is asked for by its socket ("API SOCKET" there). */
#pragma once

struct err;
struct strv;

/* Lines "PROTOCOL ADDRESS HOSTPORT PORT TARGET": it listens there from now on, and leads to the
 * address TARGET ("": its own end's) in its namespace. ADDRESS is an IPv4 one. All or none.
 * ERR_EXISTS: it cannot, and does not say why. */
int network_slirp_publish(const char *socket, const struct strv *ports, struct err *e);

/* Listens there no more; what it does not know is fine, and so is one that is gone. */
int network_slirp_withdraw(const char *socket, const struct strv *ports, struct err *e);
