/* proxy.h - a port that is published where NAT does not reach, at ::1 or by an ordinary user: a
 * program (src/proxy) that listens there and carries the bytes. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct network_address;
struct network_port;

/* Does NAT not reach the host's address of this port? */
bool network_proxy_wanted(const struct network_address *host);

/* Does the program know this protocol (IPPROTO_)? */
bool network_proxy_carries(int protocol);

/* Listens at the host's address and port, and starts the program for it. Returns its process,
 * which goes on until it is ended. namespace_fd: it goes to the target from this network namespace
 * (src/proxy/inside.h), where 0.0.0.0 and :: stand for whatever address that has; -1: it does not.
 * ERR_EXISTS: the port is taken. -EAFNOSUPPORT: the host has no IPv6. */
int network_proxy_start(const struct network_port *port, int namespace_fd, struct err *e);
