#include "runtime/cgroup_choose.h"

#include "base/err.h"
#include "base/log.h"
#include "oci/runtime_spec.h"
#include "runtime/cgroup_guest.h"
#include "runtime/cgroup_systemd.h"
#include "runtime/cgroup_user.h"
#include "runtime/rights.h"
#include "runtime/runtime.h"

/* The limit of processes that nobody asked for gives way where the kernel has no such controller
 * for this cgroup, as below a container that was given a part of a tree. */
static int create(struct runtime_cgroup *ret, const struct runtime_cgroup_request *request,
		  bool default_pids, struct err *e)
{
	struct oci_resources rest;
	struct runtime_cgroup_request again = *request;
	struct err without;

	int r = runtime_cgroup_user_create_in_parent(ret, request, default_pids, e);
	if (r == 0 || !default_pids || !request->resources || !request->resources->pids ||
	    e->kind != ERR_UNSUPPORTED)
		return r;
	rest = *request->resources;
	rest.pids = NULL;
	again.resources = &rest;
	if (runtime_cgroup_user_create_in_parent(ret, &again, false, &without) < 0)
		return r;
	log_warning("no limit of processes: %s", e->text);
	return 0;
}

int runtime_cgroup_choose_in_parent(struct runtime_cgroup *ret, const struct oci_spec *spec,
				    const struct runtime_options *options, struct err *e)
{
	const struct runtime_cgroup_request request = {
		.path = spec->linux_.cgroups_path,
		.id = options->id,
		.user_scope = options->user_scope,
		.resources = spec->linux_.resources,
		.annotations = &spec->annotations,
	};

	if (options->no_cgroup)
		return runtime_cgroup_user_none(ret, request.resources, e);
	int r = options->systemd_cgroup
			? runtime_cgroup_systemd_create_in_parent(ret, &request, e)
			: create(ret, &request, runtime_rights_is_default(spec, "pids"), e);
	return r < 0 ? r : runtime_cgroup_guest_add_in_parent(ret, &spec->annotations, e);
}
