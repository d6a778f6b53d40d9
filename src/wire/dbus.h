/* dbus.h - a client of one bus, or of systemd directly: connect, call, wait for a signal. Speaks
 * for itself, because libsystemd cannot be loaded into a static program (docs/decisions/
 * 0017-dbus.md). Blocking, with a limit of 30 s for each answer, whatever else is said
 * meanwhile. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "wire/dbus_message.h"

struct err;

/* What systemd itself waits for an answer of D-Bus by default is 25 s. */
enum { WIRE_DBUS_ANSWER_MS = 30000 };

struct wire_dbus {
	int fd;
	uint32_t serial;     /* of the last call */
	int64_t deadline_ns; /* for what is waited for now, of moment_monotonic_ns() */
	struct str message;  /* the one that was received last */
	struct str *waiting; /* signals that came while an answer was waited for */
	size_t waiting_count;
	char error_name[128]; /* "org.freedesktop.systemd1.UnitExists", after a call failed */
};
#define WIRE_DBUS_INIT                                                                             \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Where the system's bus is, unless $DBUS_SYSTEM_BUS_ADDRESS names another. */
#define WIRE_DBUS_SYSTEM "unix:path=/run/dbus/system_bus_socket"

/* address: as in dbus_address.h, or several with semicolons, of which the first that works counts.
 * bus: there is a bus behind it, which is greeted (Hello); else a peer. On success the
 * caller ends *ret with wire_dbus_close(). ERR_UNREACHABLE. */
int wire_dbus_connect(struct wire_dbus *ret, const char *address, bool bus, struct err *e);
void wire_dbus_close(struct wire_dbus *bus);

/* Sends the call (type and serial are filled in) and waits for the answer, which is valid until
 * the next use of bus. An error that the other side answers with is ERR_UNREACHABLE with its text,
 * and its name is in bus->error_name, which else is "". */
int wire_dbus_call(struct wire_dbus *bus, struct wire_dbus_message *ret,
		   const struct wire_dbus_head *call, const struct str *body, struct err *e);

/* The next signal of this name, also one that came during a call. ERR_TIMEOUT: there was none
 * before deadline_ns, of moment_monotonic_ns(). */
int wire_dbus_wait_signal(struct wire_dbus *bus, struct wire_dbus_message *ret,
			  const char *interface, const char *member, int64_t deadline_ns,
			  struct err *e);
