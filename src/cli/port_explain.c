/* `holm port --explain`: who reaches a container's ports, and why. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/ports.h"
#include "network/judges.h"
#include "network/port.h"

static bool is_loopback(const char *address)
{
	return str_starts(address, "127.") || str_equal(address, "::1");
}

static bool is_any(const char *address)
{
	return str_equal(address, "0.0.0.0") || str_equal(address, "::");
}

static void add_others(struct str *to, const struct engine_port *port, const char *internal,
		       const struct network_judges *judges)
{
	str_add(to, "  other hosts: ");
	if (internal)
		str_addf(to, "no, the network %s is internal\n", internal);
	else if (is_loopback(port->address))
		str_addf(to, "no, %s is this host alone\n", port->address);
	else if (!port->judged)
		str_add(to, "all, whatever the host's input rules say (publish mode open)\n");
	else if (judges->all_accept)
		str_add(to, "all, as long as this host has no input rules that drop\n");
	else
		str_addf(to, "those whose packets to port %u/%s these let in:\n",
			 (unsigned)port->host_port, port->protocol);
	bool judged = !internal && !is_loopback(port->address) && port->judged;
	for (size_t i = 0; judged && !judges->all_accept && i < judges->chains.count; i++)
		str_addf(to, "    %s\n", judges->chains.items[i]);
}

static void add_port(struct str *to, const struct engine_port *port, const char *internal,
		     const struct network_judges *judges)
{
	cli_ports_address(to, port);
	str_addf(to, " -> %u/%s of %s\n", (unsigned)port->port, port->protocol, port->target);
	if (str_equal(port->address, "::"))
		str_add(to, "  this host: by each of its IPv6 addresses but ::1\n");
	else if (is_any(port->address))
		str_add(to, "  this host: by each of its addresses, 127.0.0.1 among them\n");
	else
		str_addf(to, "  this host: by %s\n", port->address);
	if (is_loopback(port->address))
		str_add(to, "  containers: no\n");
	else
		str_add(to, "  containers: those on holm's networks that are not internal, by the "
			    "same addresses\n");
	add_others(to, port, internal, judges);
}

int cli_ports_explain(const struct engine_port_list *ports, const char *internal, struct err *e)
{
	struct network_judges judges = { 0 };
	own_clear(str_clear) struct str text = { 0 };

	int r = network_judges_read(&judges, e);
	for (size_t i = 0; r == 0 && i < ports->items.count; i++)
		add_port(&text, &ports->items.items[i], internal, &judges);
	strv_clear(&judges.chains);
	if (r == 0)
		fputs(text.length ? text.text : "nothing is published\n", stdout);
	return r;
}
