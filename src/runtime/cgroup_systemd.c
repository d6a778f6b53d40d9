/* A scope is made of processes that are there already. Putting the container's own process there
 * would mean to start it outside, and a move by pid, which waits for a grace period. So a holder is
 * forked that only waits, and the container is born in its cgroup as without systemd:
 *
 *	holm				systemd
 *	fork the holder
 *	StartTransientUnit ---------->	/machine.slice/holm-ID.scope: holder
 *		JobRemoved <----------
 *	.../holm-ID.scope/holm-start: holder	(a folder that passes controllers on is empty)
 *	.../holm-ID.scope/container: limits
 *	clone3(CLONE_INTO_CGROUP)
 *	settle: the holder ends
 */
#include "runtime/cgroup_systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_membership.h"
#include "runtime/cgroup_systemd_bus.h"
#include "runtime/cgroup_tree.h"
#include "runtime/cgroup_unit.h"
#include "runtime/user_namespace.h"

#define HOLDER_NAME "holm-start"

/* crun's name for it, too. */
#define SUBGROUP_DEFAULT "container"

/* ---- the holder ---- */

static pid_t start_holder(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	while (getppid() == parent)
		pause();
	_exit(0);
}

/* Where systemd has put it. */
static int holder_path(char **ret, pid_t holder, const struct runtime_cgroup_unit *unit,
		       struct err *e)
{
	own_free char *path = NULL;
	own_free char *slice = unit->slice ? runtime_cgroup_unit_expand(unit->slice) : NULL;
	own_free char *end = mem_format("%s/%s", slice ? slice : "", unit->name);

	int r = runtime_cgroup_membership_read(&path, holder, "name=systemd", e);
	if (r < 0)
		r = runtime_cgroup_membership_read(&path, holder, RUNTIME_CGROUP_MEMBERSHIP_V2, e);
	if (r < 0)
		return r;
	if (!str_ends(path, end))
		return err_set(e, ERR_STATE, "systemd left the process in %s, not in %s", path,
			       end);
	*ret = take_ptr(&path);
	return 0;
}

/* In every hierarchy that has the unit's folder. */
static int move_holder(const struct runtime_cgroup *host, const char *path, pid_t holder,
		       struct err *e)
{
	bool v2 = runtime_cgroup_is_v2(host);

	for (size_t i = 0; i < host->hierarchies.count; i++) {
		char text[16];
		own_fd int folder =
			runtime_cgroup_tree_open(host->hierarchies.items[i].mount, v2, path, e);
		if (folder == -ENOENT)
			continue;
		if (folder < 0)
			return folder;
		if (mkdirat(folder, HOLDER_NAME, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "make cgroup %s/" HOLDER_NAME, path);
		snprintf(text, sizeof(text), "%d", holder);
		int r = fd_write_control_at(folder, HOLDER_NAME "/cgroup.procs", text, e);
		if (r < 0)
			return err_add(e, "cgroup %s", path);
	}
	return 0;
}

/* systemd's unit is in hierarchies, too, that the container did not join. */
static void remove_holder_folders(const struct runtime_cgroup *cgroup)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	own_free char *unit = mem_text(cgroup->path);
	char *name = unit ? strstr(unit, cgroup->unit) : NULL;
	struct err ignored;

	if (!name || runtime_cgroup_host_read(&host, &ignored) < 0)
		return;
	name[strlen(cgroup->unit)] = '\0';
	for (size_t i = 0; i < host.hierarchies.count; i++) {
		own_fd int folder =
			runtime_cgroup_tree_open(host.hierarchies.items[i].mount,
						 runtime_cgroup_is_v2(&host), unit, &ignored);
		if (folder >= 0)
			runtime_cgroup_tree_remove(folder, HOLDER_NAME,
						   runtime_cgroup_tree_deadline_ms(100));
	}
}

void runtime_cgroup_settle(struct runtime_cgroup *cgroup)
{
	if (cgroup->holder <= 0)
		return;
	kill(cgroup->holder, SIGKILL); /* our child, which nobody else reaps */
	process_wait(cgroup->holder);
	cgroup->holder = 0;
	remove_holder_folders(cgroup);
}

/* ---- the unit ---- */

static void add_properties_v1(struct str *body)
{
	static const char *const accounts[] = { "CPUAccounting", "MemoryAccounting",
						"BlockIOAccounting", "TasksAccounting" };

	for (size_t i = 0; i < COUNT_OF(accounts); i++)
		runtime_cgroup_unit_add_bool(body, accounts[i], true);
}

/* A scope that failed, of which the kernel killed a process, say, is forgotten all the same. */
static int add_properties(struct str *body, const struct runtime_cgroup_unit *unit, pid_t holder,
			  const struct runtime_cgroup_request *request, bool v2, struct err *e)
{
	own_free char *description = mem_format("holm container %s", request->id);
	int r = 0;

	runtime_cgroup_unit_add_text(body, "Description", description);
	if (unit->slice)
		runtime_cgroup_unit_add_text(body, "Slice", unit->slice);
	runtime_cgroup_unit_add_bool(body, "Delegate", true);
	runtime_cgroup_unit_add_bool(body, "DefaultDependencies", false);
	runtime_cgroup_unit_add_text(body, "CollectMode", "inactive-or-failed");
	if (!v2)
		add_properties_v1(body);
	runtime_cgroup_unit_add_pid(body, (unsigned)holder);
	if (request->resources)
		r = runtime_cgroup_unit_add_limits(body, request->resources, v2, e);
	return r < 0 ? r : runtime_cgroup_unit_add_annotations(body, request->annotations, e);
}

static void stop_unit(struct wire_dbus *bus, const char *name)
{
	own_clear(str_clear) struct str stop = { 0 };
	own_clear(str_clear) struct str reset = { 0 };
	struct err ignored;

	wire_dbus_add_string(&stop, name);
	wire_dbus_add_string(&stop, "replace");
	runtime_cgroup_systemd_bus_job(bus, "StopUnit", "ss", &stop, &ignored);
	wire_dbus_add_string(&reset, name);
	runtime_cgroup_systemd_bus_call(bus, "ResetFailedUnit", "s", &reset, &ignored);
}

static int start_unit(struct wire_dbus *bus, const struct runtime_cgroup_unit *unit, pid_t holder,
		      const struct runtime_cgroup_request *request, bool v2, struct err *e)
{
	static const char signature[] = "ssa(sv)a(sa(sv))";
	own_clear(str_clear) struct str body = { 0 };
	own_clear(str_clear) struct str name = { 0 };
	struct err ignored;

	wire_dbus_add_string(&body, unit->name);
	wire_dbus_add_string(&body, "fail");
	size_t properties = wire_dbus_begin_array(&body, 8);
	int r = add_properties(&body, unit, holder, request, v2, e);
	if (r < 0)
		return r;
	wire_dbus_end_array(&body, properties, 8);
	wire_dbus_end_array(&body, wire_dbus_begin_array(&body, 8), 8);
	r = runtime_cgroup_systemd_bus_job(bus, "StartTransientUnit", signature, &body, e);
	if (r == 0 || !str_ends(bus->error_name, ".UnitExists"))
		return r;
	/* what is left of one that failed goes; a living one does not */
	wire_dbus_add_string(&name, unit->name);
	runtime_cgroup_systemd_bus_call(bus, "ResetFailedUnit", "s", &name, &ignored);
	r = runtime_cgroup_systemd_bus_job(bus, "StartTransientUnit", signature, &body, e);
	if (r < 0 && str_ends(bus->error_name, ".UnitExists"))
		e->kind = ERR_EXISTS;
	return r;
}

/* ---- create ---- */

static bool is_user(void)
{
	return geteuid() != 0 || runtime_user_namespace_is_inner();
}

static int choose_subgroup(const char **ret, const struct runtime_cgroup_request *request,
			   struct err *e)
{
	const char *name = request->annotations
				   ? shape_map_get(request->annotations, "run.oci.systemd.subgroup")
				   : NULL;

	*ret = name ? name : SUBGROUP_DEFAULT;
	if (!**ret || path_is_name(*ret))
		return 0;
	return err_set(e, ERR_INVALID, "annotation run.oci.systemd.subgroup: \"%.100s\" is no name",
		       name);
}

/* The unit runs, with the holder in it. */
static int create_below(struct runtime_cgroup *cgroup, const struct runtime_cgroup *host,
			const struct runtime_cgroup_unit *unit,
			const struct runtime_cgroup_request *request, const char *subgroup,
			struct err *e)
{
	own_free char *path = NULL;

	int r = holder_path(&path, cgroup->holder, unit, e);
	if (r < 0)
		return r;
	cgroup->path = *subgroup ? path_join(path, subgroup) : mem_text(path);
	r = move_holder(host, path, cgroup->holder, e);
	return r < 0 ? r : runtime_cgroup_create_prepared(cgroup, request->resources, e);
}

static int create_in_unit(struct runtime_cgroup *cgroup, const struct runtime_cgroup *host,
			  const struct runtime_cgroup_unit *unit,
			  const struct runtime_cgroup_request *request, const char *subgroup,
			  struct err *e)
{
	struct wire_dbus bus = WIRE_DBUS_INIT;
	bool started = false;

	int r = runtime_cgroup_systemd_bus_open(&bus, cgroup->user_unit, e);
	if (r < 0)
		return r;
	cgroup->holder = start_holder();
	if (cgroup->holder < 0)
		r = err_sys(e, "fork");
	if (r == 0)
		r = start_unit(&bus, unit, cgroup->holder, request, runtime_cgroup_is_v2(host), e);
	if (r == 0) {
		r = create_below(cgroup, host, unit, request, subgroup, e);
		started = true;
	}
	if (r < 0)
		runtime_cgroup_settle(cgroup);
	if (r < 0 && started)
		stop_unit(&bus, unit->name);
	wire_dbus_close(&bus);
	return r;
}

int runtime_cgroup_systemd_create_in_parent(struct runtime_cgroup *ret,
					    const struct runtime_cgroup_request *request,
					    struct err *e)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup cgroup = { .user_unit = is_user() };
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	own_clear(runtime_cgroup_unit_clear) struct runtime_cgroup_unit unit = { 0 };
	const char *subgroup = NULL;

	int r = runtime_cgroup_unit_parse(&unit, request->path, request->id, e);
	if (r == 0)
		r = choose_subgroup(&subgroup, request, e);
	if (r == 0)
		r = runtime_cgroup_host_read(&host, e);
	if (r < 0)
		return r;
	cgroup.unit = mem_text(unit.name);
	r = create_in_unit(&cgroup, &host, &unit, request, subgroup, e);
	if (r < 0)
		return r;
	*ret = cgroup;
	cgroup = (struct runtime_cgroup){ 0 };
	return 0;
}

/* ---- afterwards ---- */

int runtime_cgroup_systemd_update(const struct runtime_cgroup *cgroup,
				  const struct oci_resources *resources, struct err *e)
{
	struct wire_dbus bus = WIRE_DBUS_INIT;
	own_clear(str_clear) struct str body = { 0 };

	wire_dbus_add_string(&body, cgroup->unit);
	wire_dbus_add_u32(&body, true); /* until the unit ends */
	size_t properties = wire_dbus_begin_array(&body, 8);
	size_t before = body.length;
	int r = runtime_cgroup_unit_add_limits(&body, resources, runtime_cgroup_is_v2(cgroup), e);
	wire_dbus_end_array(&body, properties, 8);
	if (r < 0 || body.length == before)
		return r;
	r = runtime_cgroup_systemd_bus_open(&bus, cgroup->user_unit, e);
	if (r == 0)
		r = runtime_cgroup_systemd_bus_call(&bus, "SetUnitProperties", "sba(sv)", &body, e);
	wire_dbus_close(&bus);
	return r < 0 ? err_add(e, "limits of unit %s", cgroup->unit) : 0;
}

void runtime_cgroup_systemd_stop(const struct runtime_cgroup *cgroup)
{
	struct wire_dbus bus = WIRE_DBUS_INIT;
	struct err ignored;

	if (runtime_cgroup_systemd_bus_open(&bus, cgroup->user_unit, &ignored) < 0)
		return;
	stop_unit(&bus, cgroup->unit);
	wire_dbus_close(&bus);
}
