/* way.h - how the answers of a service to a client whose address was borrowed stay in this network
 * namespace: they would leave by its default route. Of TCP the service's socket takes over the mark
 * of the first packet (tcp_fwmark_accept, ip-sysctl.rst), and what has it is routed by a table in
 * which every address is this namespace's own. UDP has no such thing: there a rule for what comes
 * from the service's port leads to a table that has the addresses of those alone who were heard
 * (ip-rule(8), sport, Linux 4.17). Nothing else is touched: not what the service asks of the same
 * client by itself, but from that one port. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { PROXY_WAY_MARK = 0x686f6c6d }; /* "holm", so that nobody has it by chance */

/* For TCP. false: not in containers whose /proc/sys may not be written to. */
bool proxy_way_mark(void);

/* Of the services at one UDP port. */
struct proxy_way {
	int socket; /* -1: there is none */
	in_port_t port;
};

/* false: the kernel takes no such rule. */
bool proxy_way_open(struct proxy_way *way, in_port_t port);
void proxy_way_close(struct proxy_way *way);

/* What goes from the port to this client's address stays here, and comes from the address `from`
 * unless the service says another. */
bool proxy_way_add(const struct proxy_way *way, const struct sockaddr_storage *client,
		   const struct sockaddr_storage *from);
void proxy_way_remove(const struct proxy_way *way, const struct sockaddr_storage *client);
