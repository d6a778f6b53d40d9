/* cgroup_systemd_bus.h - the calls of systemd's manager that holm makes.
 * org.freedesktop.systemd1(5). Private to cgroup*.c. */
#pragma once
#include <stdbool.h>

#include "wire/dbus.h"

struct err;

/* Finds systemd: the host's or (user) the caller's own. $DBUS_SYSTEM_BUS_ADDRESS and
 * $DBUS_SESSION_BUS_ADDRESS come first, then systemd's private socket, then the usual bus. */
int runtime_cgroup_systemd_bus_open(struct wire_dbus *ret, bool user, struct err *e);

/* Calls a method of the manager, without waiting for more than its answer. */
int runtime_cgroup_systemd_bus_call(struct wire_dbus *bus, const char *member,
				    const char *signature, const struct str *body, struct err *e);

/* The same for one that answers with a job, and waits for its end. ERR_STATE: it failed.
 * ERR_TIMEOUT: it did not end within 30 s. */
int runtime_cgroup_systemd_bus_job(struct wire_dbus *bus, const char *member, const char *signature,
				   const struct str *body, struct err *e);
