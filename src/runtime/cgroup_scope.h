/* cgroup_scope.h - a process that is to outlive the service of systemd's it was started from moves
 * to a scope of its own; systemd ends what is in a service's cgroup together with the service.
 * systemd.scope(5). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct err;

/* Whose services these are. */
enum runtime_cgroup_scope_owner {
	RUNTIME_CGROUP_SCOPE_NONE, /* a login session, a scope, no unit: there is nothing to do */
	RUNTIME_CGROUP_SCOPE_SYSTEM,
	RUNTIME_CGROUP_SCOPE_USER, /* a user's own manager */
};

/* For a cgroup as systemd names it, "/system.slice/web.service". Pure. */
enum runtime_cgroup_scope_owner runtime_cgroup_scope_owner_of(const char *cgroup);

struct runtime_cgroup_scope {
	const char *name; /* "holm-monitor-0123.scope" */
	const char *description;
	const char *before;     /* a unit that is stopped before this one; NULL: none */
	bool leave_service;     /* that it is in */
	int64_t stop_timeout_s; /* from SIGTERM to SIGKILL; -1: for ever */
};

/* Moves the caller there if it is in a service that it is to leave, or if it is an ordinary user's
 * and not in the user's own part of the tree of cgroup v2. 1, or 0: it stays, or systemd does not
 * run.
 * ERR_UNREACHABLE... It costs a few calls over D-Bus in a service, and two look-ups elsewhere. */
int runtime_cgroup_scope_enter(const struct runtime_cgroup_scope *scope, struct err *e);
