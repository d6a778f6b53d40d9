/* proxy.h - a port that is published where NAT does not reach, at ::1: a program (src/proxy) that
 * listens there and carries the bytes. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct err;
struct network_address;
struct network_port;

/* Does NAT not reach the host's address of this port? */
bool network_proxy_wanted(const struct network_address *host);

/* Listens at the host's address and port, and starts the program for it. Returns its process, which
 * goes on until it is ended. ERR_EXISTS: the port is taken. */
int network_proxy_start(const struct network_port *port, struct err *e);
