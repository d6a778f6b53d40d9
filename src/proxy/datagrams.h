/* datagrams.h - a published UDP port. Each client has a socket of its own towards the service
 * (flows.h), which speaks as the client where it can. Nobody waits for anybody: what a full buffer
 * does not take is lost, as on any router. */
#pragma once

struct err;
struct proxy_target;

/* Until SIGTERM or SIGINT; then what was made in the container's network is taken back. */
int proxy_datagrams_carry(int listener, const struct proxy_target *target, struct err *e);
