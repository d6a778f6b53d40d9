/* resolver.h - where a container's name server listens: 127.0.0.11, port 53, on the loopback of the
 * container's own network namespace, by sockets that a process of the host holds. So it is reached
 * in every kind of network, whatever the host's firewall says and whoever has port 53 there; who
 * asks is known by the socket; and nobody from outside can ask at all. */
#pragma once

struct err;
struct network_namespace;

#define NETWORK_RESOLVER "127.0.0.11" /* Docker's */

struct network_resolver {
	int udp;
	int tcp; /* listens */
};
#define NETWORK_RESOLVER_INIT                                                                      \
	{                                                                                          \
		.udp = -1, .tcp = -1                                                               \
	}

/* In a namespace that nobody uses yet. The caller, which must have one thread, ends *ret with
 * network_resolver_close(). */
int network_resolver_open(struct network_resolver *ret, const struct network_namespace *namespace,
			  struct err *e);
void network_resolver_close(struct network_resolver *resolver);
