#include "runtime/pause.h"

#include "base/err.h"
#include "base/own.h"
#include "runtime/runtime.h"

/* Engines look for these words of runc's. */
static int check(const struct runtime_container *container, bool frozen, struct err *e)
{
	own_fd int process = runtime_container_open(container);

	if (process < 0)
		return err_set(e, ERR_STATE, "container not running");
	if (runtime_cgroup_is_frozen(&container->cgroup) == frozen)
		return 0;
	return err_set(e, ERR_STATE, frozen ? "container not paused" : "container is paused");
}

int runtime_pause(const struct runtime_container *container, struct err *e)
{
	int r = check(container, false, e);

	return r < 0 ? r : runtime_cgroup_freeze(&container->cgroup, true, e);
}

int runtime_resume(const struct runtime_container *container, struct err *e)
{
	int r = check(container, true, e);

	return r < 0 ? r : runtime_cgroup_freeze(&container->cgroup, false, e);
}
