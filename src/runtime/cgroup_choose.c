#include "runtime/cgroup_choose.h"

#include "oci/runtime_spec.h"
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
		.resources = spec->linux_.resources,
		.annotations = &spec->annotations,
	};

	if (options->no_cgroup)
		return runtime_cgroup_user_none(ret, request.resources, e);
	if (options->systemd_cgroup)
		return runtime_cgroup_systemd_create_in_parent(ret, &request, e);
	return runtime_cgroup_user_create_in_parent(ret, &request,
						    runtime_rights_is_default(spec, "pids"), e);
}
