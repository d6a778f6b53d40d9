#include "runtime/cgroup_systemd_bus.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"

#define MANAGER "org.freedesktop.systemd1.Manager"

static int call(struct wire_dbus *bus, struct wire_dbus_message *ret, const char *member,
		const char *signature, const struct str *body, struct err *e)
{
	const struct wire_dbus_head head = {
		.destination = "org.freedesktop.systemd1",
		.path = "/org/freedesktop/systemd1",
		.interface = MANAGER,
		.member = member,
		.signature = signature,
	};

	return wire_dbus_call(bus, ret, &head, body, e);
}

int runtime_cgroup_systemd_bus_call(struct wire_dbus *bus, const char *member,
				    const char *signature, const struct str *body, struct err *e)
{
	struct wire_dbus_message ignored;

	int r = call(bus, &ignored, member, signature, body, e);
	return r < 0 ? err_add(e, "systemd") : 0;
}

/* ---- finding it ---- */

static int add_match(struct wire_dbus *bus, struct err *e)
{
	const struct wire_dbus_head head = {
		.destination = "org.freedesktop.DBus",
		.path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus",
		.member = "AddMatch",
		.signature = "s",
	};
	own_clear(str_clear) struct str body = { 0 };
	struct wire_dbus_message ignored;

	wire_dbus_add_string(&body,
			     "type='signal',sender='org.freedesktop.systemd1',interface='" MANAGER
			     "',member='JobRemoved'");
	return wire_dbus_call(bus, &ignored, &head, &body, e);
}

/* A bus tells what was subscribed; systemd itself tells all to who is connected to it. */
static int subscribe(struct wire_dbus *bus, bool has_bus, struct err *e)
{
	const struct str nothing = { 0 };
	struct wire_dbus_message ignored;

	if (!has_bus)
		return 0;
	int r = add_match(bus, e);
	return r < 0 ? r : call(bus, &ignored, "Subscribe", NULL, &nothing, e);
}

static int open_one(struct wire_dbus *ret, const char *address, bool has_bus, struct err *e)
{
	struct wire_dbus bus = WIRE_DBUS_INIT;

	int r = wire_dbus_connect(&bus, address, has_bus, e);
	if (r == 0)
		r = subscribe(&bus, has_bus, e);
	if (r < 0) {
		wire_dbus_close(&bus);
		return r;
	}
	*ret = bus;
	return 0;
}

int runtime_cgroup_systemd_bus_open(struct wire_dbus *ret, bool user, struct err *e)
{
	const char *named = getenv(user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
	const char *run = user ? getenv("XDG_RUNTIME_DIR") : "/run";
	own_free char *private = run ? mem_format("unix:path=%s/systemd/private", run) : NULL;
	own_free char *bus = !run   ? NULL
			     : user ? mem_format("unix:path=%s/bus", run)
				    : mem_text(WIRE_DBUS_SYSTEM);
	int r = -1;

	if (!str_empty(named))
		r = open_one(ret, named, true, e);
	else if (!run)
		err_set(e, ERR_UNREACHABLE,
			"neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR "
			"is set");
	if (str_empty(named) && run)
		r = open_one(ret, private, false, e);
	if (r < 0 && str_empty(named) && run)
		r = open_one(ret, bus, true, e);
	if (r == 0)
		return 0;
	err_add(e, "systemd does not answer");
	return err_hint(e,
			user ? "the user's own systemd runs while there is a session of the user: "
			       "loginctl enable-linger keeps it; or use the cgroupfs manager"
			     : "without systemd as PID 1 use the cgroupfs manager: leave "
			       "--systemd-cgroup away");
}

/* ---- jobs ---- */

/* JobRemoved: the job's number, its path, the unit, the result. */
static int wait_job(struct wire_dbus *bus, const char *job, struct err *e)
{
	int64_t deadline_ns = moment_monotonic_ns() + WIRE_DBUS_ANSWER_MS * (int64_t)1000000;

	for (;;) {
		struct wire_dbus_message signal;
		const char *path, *unit, *result;
		uint32_t id;
		int r = wire_dbus_wait_signal(bus, &signal, MANAGER, "JobRemoved", deadline_ns, e);
		if (r < 0)
			return err_add(e, "job %s", job);
		struct wire_dbus_reader body = { .bytes = signal.body,
						 .length = signal.body_length };
		if (!wire_dbus_read_u32(&body, &id) || !wire_dbus_read_string(&body, &path) ||
		    !wire_dbus_read_string(&body, &unit) || !wire_dbus_read_string(&body, &result))
			return err_set(e, ERR_CORRUPT, "JobRemoved has no result");
		if (!str_equal(path, job))
			continue;
		if (str_equal(result, "done"))
			return 0;
		err_set(e, ERR_STATE, "%.255s: %.50s", unit, result);
		return err_hint(e, "journalctl -b -u %.255s may tell why", unit);
	}
}

int runtime_cgroup_systemd_bus_job(struct wire_dbus *bus, const char *member, const char *signature,
				   const struct str *body, struct err *e)
{
	struct wire_dbus_message answer;
	const char *job;

	int r = call(bus, &answer, member, signature, body, e);
	if (r == 0) {
		struct wire_dbus_reader reader = { .bytes = answer.body,
						   .length = answer.body_length };
		own_free char *copy = NULL;
		if (!wire_dbus_read_string(&reader, &job))
			return err_set(e, ERR_CORRUPT, "systemd: %s gave no job", member);
		copy = mem_text(job);
		r = wait_job(bus, copy, e);
	}
	return r < 0 ? err_add(e, "systemd") : 0;
}
