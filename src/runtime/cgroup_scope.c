#include "runtime/cgroup_scope.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "base/strv.h"
#include "base/user_ids.h"
#include "runtime/cgroup_membership.h"
#include "runtime/cgroup_systemd_bus.h"
#include "runtime/cgroup_unit.h"

/* The innermost unit counts: in user@1000.service there are services and scopes of the user's. */
enum runtime_cgroup_scope_owner runtime_cgroup_scope_owner_of(const char *cgroup)
{
	enum runtime_cgroup_scope_owner manager = RUNTIME_CGROUP_SCOPE_SYSTEM;
	enum runtime_cgroup_scope_owner owner = RUNTIME_CGROUP_SCOPE_NONE;
	own_clear(strv_clear) struct strv parts = { 0 };

	strv_split(&parts, cgroup, '/');
	for (size_t i = 0; i < parts.count; i++) {
		const char *part = parts.items[i];
		if (str_ends(part, ".scope") || str_ends(part, ".slice"))
			owner = RUNTIME_CGROUP_SCOPE_NONE;
		if (!str_ends(part, ".service"))
			continue;
		/* what is in there is the manager's own until a unit of its follows */
		owner = str_starts(part, "user@") ? RUNTIME_CGROUP_SCOPE_NONE : manager;
		if (str_starts(part, "user@"))
			manager = RUNTIME_CGROUP_SCOPE_USER;
	}
	return owner;
}

/* sd_booted(3) */
static bool is_booted_by_systemd(void)
{
	struct stat st;

	return lstat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode);
}

static int start_unit(struct wire_dbus *bus, const struct runtime_cgroup_scope *scope,
		      struct err *e)
{
	own_clear(str_clear) struct str body = { 0 };

	wire_dbus_add_string(&body, scope->name);
	wire_dbus_add_string(&body, "fail");
	size_t properties = wire_dbus_begin_array(&body, 8);
	runtime_cgroup_unit_add_text(&body, "Description", scope->description);
	runtime_cgroup_unit_add_text(&body, "CollectMode", "inactive-or-failed");
	if (scope->before)
		runtime_cgroup_unit_add_list(&body, "Before", scope->before);
	runtime_cgroup_unit_add_time(&body, "TimeoutStopUSec", scope->stop_timeout_s);
	runtime_cgroup_unit_add_pid(&body, (unsigned)getpid());
	wire_dbus_end_array(&body, properties, 8);
	wire_dbus_end_array(&body, wire_dbus_begin_array(&body, 8), 8);
	return runtime_cgroup_systemd_bus_job(bus, "StartTransientUnit", "ssa(sv)a(sa(sv))", &body,
					      e);
}

/* As a login session is. From there an ordinary user's process may start nothing in a cgroup of the
 * user's own systemd: what is above both is root's (cgroup-v2.rst, "Delegation Containment"). */
static bool is_outside(const char *path)
{
	return !strstr(path, "/user@");
}

int runtime_cgroup_scope_enter(const struct runtime_cgroup_scope *scope, struct err *e)
{
	struct wire_dbus bus = WIRE_DBUS_INIT;
	own_free char *path = NULL;

	if (!is_booted_by_systemd())
		return 0;
	bool user = user_ids_are_mapped();
	if (!scope->leave_service && !user)
		return 0;
	int r = runtime_cgroup_membership_read(&path, 0, "name=systemd", e);
	bool v2 = r < 0 && e->kind == ERR_NOT_FOUND;
	if (v2)
		r = runtime_cgroup_membership_read(&path, 0, RUNTIME_CGROUP_MEMBERSHIP_V2, e);
	if (r < 0)
		return e->kind == ERR_NOT_FOUND ? 0 : r;
	bool outside = user && v2 && is_outside(path);
	enum runtime_cgroup_scope_owner owner = outside ? RUNTIME_CGROUP_SCOPE_USER
						: scope->leave_service
							? runtime_cgroup_scope_owner_of(path)
							: RUNTIME_CGROUP_SCOPE_NONE;
	if (owner == RUNTIME_CGROUP_SCOPE_NONE)
		return 0;
	r = runtime_cgroup_systemd_bus_open(&bus, owner == RUNTIME_CGROUP_SCOPE_USER, e);
	if (r == 0)
		r = start_unit(&bus, scope, e);
	wire_dbus_close(&bus);
	if (r < 0 && outside) {
		log_debug("it stays where it is: %s", e->text);
		return 0;
	}
	return r < 0 ? r : 1;
}
