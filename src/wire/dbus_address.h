/* dbus_address.h - addresses of D-Bus servers: "unix:path=/run/user/1000/bus,guid=01ab". Pure.
 * D-Bus Specification, "Server Addresses". */
#pragma once
#include <sys/socket.h>
#include <sys/un.h>

struct err;

/* Where one address leads to. A list is split at its semicolons first. Of transports unix is known,
 * by path or abstract; keys that say nothing of the place (guid) are passed over. ERR_INVALID. */
int wire_dbus_address_parse(struct sockaddr_un *ret, socklen_t *ret_length, const char *address,
			    struct err *e);
