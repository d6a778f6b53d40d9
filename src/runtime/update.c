#include "runtime/update.h"

#include "base/err.h"
#include "base/own.h"
#include "runtime/runtime.h"

int runtime_update(struct runtime_container *container, const struct oci_resources *resources,
		   struct err *e)
{
	own_fd int process = runtime_container_open(container);

	if (process < 0)
		return err_set(e, ERR_STATE, "container not running");
	return runtime_cgroup_update(&container->cgroup, resources, e);
}
