#include "runtime/cgroup_user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "runtime/cgroup.h"
#include "runtime/cgroup_layout.h"
#include "runtime/cgroup_membership.h"
#include "runtime/cgroup_systemd.h"
#include "runtime/user_namespace.h"

static bool is_restricted(void)
{
	return !runtime_user_namespace_may_do_without() || runtime_user_namespace_is_inner();
}

/* "/user.slice" of "/user.slice/a.scope" */
static char *folder_above(void)
{
	struct err ignored;
	char *path = NULL;

	if (runtime_cgroup_membership_read(&path, 0, RUNTIME_CGROUP_MEMBERSHIP_V2, &ignored) < 0)
		return NULL;
	*strrchr(path, '/') = '\0';
	return path;
}

char *runtime_cgroup_user_path(const char *id)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	own_free char *above = NULL;
	struct err ignored;

	/* in the root itself, as with runc: to make a folder above and to take it away again takes
	 * as long as the cgroup does */
	if (!is_restricted())
		return mem_format(RUNTIME_CGROUP_PARENT "-%s", id);
	if (runtime_cgroup_host_read(&host, &ignored) == 0 && runtime_cgroup_is_v2(&host))
		above = folder_above();
	return above ? mem_format("%s/holm-%s", above, id)
		     : mem_format(RUNTIME_CGROUP_PARENT "/%s", id);
}

static bool is_refusal(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS;
}

/* As in a container that sees none. */
static bool has_no_cgroups(void)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	struct err ignored;

	return runtime_cgroup_host_read(&host, &ignored) == 0 && str_equal(host.layout, "none");
}

/* Does somebody miss something if there are no limits? */
static bool are_wanted(const struct oci_resources *resources, bool default_pids)
{
	struct oci_resources wanted;

	if (!resources)
		return false;
	wanted = *resources;
	if (default_pids)
		wanted.pids = NULL;
	return runtime_cgroup_asks_for_limits(&wanted);
}

/* ---- by the user's systemd ---- */

/* systemd marks what it has given away, and nobody else makes cgroups below what is still its own
 * (systemd's CGROUP_DELEGATION.md; systemd 250). */
static bool is_given_away(const struct runtime_cgroup *host, const char *path)
{
	own_free char *folder = mem_format("%s%s", host->hierarchies.items[0].mount, path);
	char value[4];

	*strrchr(folder, '/') = '\0';
	return getxattr(folder, "user.delegate", value, sizeof(value)) == 1 && *value == '1';
}

static bool has_systemd(void)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	own_free char *socket = str_empty(run) ? NULL : path_join(run, "systemd/private");

	return getenv("DBUS_SESSION_BUS_ADDRESS") || (socket && access(socket, F_OK) == 0);
}

static bool wants_systemd(const struct runtime_cgroup_request *request, const char *path)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	struct err ignored;

	return request->user_scope && str_empty(request->path) && is_restricted() &&
	       has_systemd() && runtime_cgroup_host_read(&host, &ignored) == 0 &&
	       runtime_cgroup_is_v2(&host) && !is_given_away(&host, path);
}

/* 1: it has no systemd that answers. */
static int create_by_systemd(struct runtime_cgroup *ret,
			     const struct runtime_cgroup_request *request, bool default_pids,
			     struct err *e)
{
	int r = runtime_cgroup_systemd_create_in_parent(ret, request, e);

	if (r == 0)
		return 0;
	if (e->kind == ERR_UNREACHABLE || !are_wanted(request->resources, default_pids)) {
		log_debug("no scope of the user's systemd: %s", e->text);
		return 1;
	}
	e->hint[0] = '\0'; /* what mends it is another thing than without systemd */
	if (e->kind == ERR_UNSUPPORTED || e->kind == ERR_PERMISSION)
		err_hint(e, "systemd passes users what user@.service names: systemctl edit "
			    "user@.service, [Service] Delegate=cpu cpuset io memory pids");
	return r;
}

/* Where holm makes the cgroup of a container: the folder, or that above where it is not there. */
static char *folder_of(const struct runtime_cgroup *host, const char *path)
{
	own_free char *own = mem_format("%s%s", host->hierarchies.items[0].mount, path);
	char *end = strrchr(own, '/');

	*end = '\0';
	if (access(own, F_OK) < 0 && (end = strrchr(own, '/')))
		*end = '\0';
	return take_ptr(&own);
}

static int explain(const char *path, struct err *e)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	own_free char *where = NULL;
	struct err ignored;

	if (runtime_cgroup_host_read(&host, &ignored) == 0 && host.hierarchies.count)
		where = folder_of(&host, path);
	return err_hint(e,
			"limits for a container of an ordinary user take a systemd of the user's "
			"(a login, or loginctl enable-linger), or a cgroup that was given to it: "
			"systemd-run --user --scope -p Delegate=yes ..., or chown %s%s",
			where ? where : "one",
			where && !runtime_cgroup_is_v2(&host) ? " and those beside it" : "");
}

int runtime_cgroup_user_create_in_parent(struct runtime_cgroup *ret,
					 const struct runtime_cgroup_request *request,
					 bool default_pids, struct err *e)
{
	own_free char *chosen = str_empty(request->path) ? runtime_cgroup_user_path(request->id)
							 : mem_text(request->path);

	int r = wants_systemd(request, chosen) ? create_by_systemd(ret, request, default_pids, e)
					       : 1;
	if (r <= 0)
		return r;
	r = runtime_cgroup_create_in_parent(ret, chosen, request->resources, e);
	if (r == 0 || !is_restricted() || (!is_refusal(r) && !has_no_cgroups()))
		return r;
	if (are_wanted(request->resources, default_pids))
		return explain(chosen, e);
	log_debug("no cgroup of its own: %s", e->text);
	ret->layout = mem_text("none");
	ret->path = take_ptr(&chosen);
	return 0;
}

int runtime_cgroup_user_none(struct runtime_cgroup *ret, const struct oci_resources *resources,
			     struct err *e)
{
	if (runtime_cgroup_asks_for_limits(resources))
		return err_set(e, ERR_INVALID,
			       "linux.resources sets limits, and cgroups are "
			       "disabled");
	ret->layout = mem_text("none");
	ret->path = mem_text("/");
	return 0;
}

bool runtime_cgroup_user_may(char **ret_where)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	own_free char *path = runtime_cgroup_user_path("new");
	struct err ignored;

	if (runtime_cgroup_host_read(&host, &ignored) < 0 || host.hierarchies.count == 0)
		return false;
	if (runtime_cgroup_is_v2(&host) && has_systemd() && !is_given_away(&host, path)) {
		*ret_where = mem_text("by your systemd");
		return true;
	}
	*ret_where = folder_of(&host, path);
	return access(*ret_where, W_OK) == 0;
}
