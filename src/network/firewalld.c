#include "network/firewalld.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "wire/dbus.h"

#define NAME "org.fedoraproject.FirewallD1"
#define ZONE "trusted"

/* firewalld.dbus(5), interface org.fedoraproject.FirewallD1.zone. */
static int call(const char *member, const char *bridge, struct err *e)
{
	const struct wire_dbus_head head = {
		.destination = NAME,
		.path = "/org/fedoraproject/FirewallD1",
		.interface = NAME ".zone",
		.member = member,
		.signature = "ss",
	};
	const char *named = getenv("DBUS_SYSTEM_BUS_ADDRESS");
	own_clear(wire_dbus_close) struct wire_dbus bus = WIRE_DBUS_INIT;
	own_clear(str_clear) struct str body = { 0 };
	struct wire_dbus_message ignored;

	int r = wire_dbus_connect(&bus, str_empty(named) ? WIRE_DBUS_SYSTEM : named, true, e);
	if (r < 0)
		return r;
	wire_dbus_add_string(&body, ZONE);
	wire_dbus_add_string(&body, bridge);
	r = wire_dbus_call(&bus, &ignored, &head, &body, e);
	/* it is there already: by another one, in this moment */
	return r < 0 && strstr(e->text, "ZONE_ALREADY_SET") ? 0 : r;
}

int network_firewalld_trust(const char *bridge, struct err *e)
{
	int r = call("addInterface", bridge, e);

	return r < 0 ? err_add(e, "firewalld") : 0;
}

void network_firewalld_forget(const char *bridge)
{
	struct err ignored;

	call("removeInterface", bridge, &ignored);
}
