/* ports.h - published ports as docker prints them. */
#pragma once
#include "base/str.h"
#include "engine/ports.h"

/* "0.0.0.0:8080", "[::]:8080". */
void cli_ports_address(struct str *to, const struct engine_port *port);

/* The column of ps: "0.0.0.0:8080->80/tcp, 443/tcp", ranges in one. */
void cli_ports_column(struct str *to, const struct engine_port_list *ports,
		      const struct strv *exposed);

/* Prints who reaches them, and why (port_explain.c). internal: the name of the network that they
 * lead into, if that is internal; NULL. */
int cli_ports_explain(const struct engine_port_list *ports, const char *internal, struct err *e);
