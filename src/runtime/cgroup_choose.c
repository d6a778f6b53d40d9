#include "runtime/cgroup_choose.h"

#include "oci/runtime_spec.h"
#include "runtime/cgroup_guest.h"
#include "runtime/cgroup_systemd.h"
#include "runtime/cgroup_user.h"
#include "runtime/rights.h"
#include "runtime/runtime.h"

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
			: runtime_cgroup_user_create_in_parent(
				  ret, &request, runtime_rights_is_default(spec, "pids"), e);
	return r < 0 ? r : runtime_cgroup_guest_add_in_parent(ret, &spec->annotations, e);
}
