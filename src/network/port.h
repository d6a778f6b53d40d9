/* port.h - published ports as people type them: "8080:80", "127.0.0.1:8000-8010:80/udp",
 * "[::1]::80". Docker's grammar (docker run --publish, go-connections nat.ParsePortSpec). Pure. */
#pragma once
#include <netinet/in.h>
#include <stdint.h>

#include "network/address.h"

struct err;

struct network_port_range {
	uint16_t low; /* 0: none */
	uint16_t high;
};

struct network_port_spec {
	struct network_address address; /* of the host; family 0: any */
	struct network_port_range host; /* none: any free one */
	struct network_port_range container;
	int protocol; /* IPPROTO_TCP, UDP, SCTP */
};

/* [[ADDRESS:][PORTS]:]PORTS[/PROTOCOL]. The ranges of both sides have one size, but for one port of
 * the container, which gets one of the host's range. ERR_INVALID. */
int network_port_parse(struct network_port_spec *ret, const char *text, struct err *e);

/* PORTS[/PROTOCOL], of the container alone: --expose, an image's EXPOSE. ERR_INVALID. */
int network_port_parse_container(struct network_port_range *ret, int *ret_protocol,
				 const char *text, struct err *e);

/* "8080" or "8000-8010". ERR_INVALID. */
int network_port_parse_range(struct network_port_range *ret, const char *text, struct err *e);

/* "tcp"... of IPPROTO_TCP...; and back, -1: it is none. */
const char *network_port_protocol_name(int protocol);
int network_port_protocol(const char *name);
