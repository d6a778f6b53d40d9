#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/process.h"
#include "runtime/runtime.h"

const struct shape runtime_container_shape = {
	sizeof(struct runtime_container),
	(const struct shape_field[]){
		{ "id", SHAPE_STRING, offsetof(struct runtime_container, id) },
		{ "bootId", SHAPE_STRING, offsetof(struct runtime_container, boot_id) },
		{ "pid", SHAPE_INT, offsetof(struct runtime_container, pid) },
		{ "pidStart", SHAPE_UINT, offsetof(struct runtime_container, pid_start) },
		{ "namespaces", SHAPE_STRINGS, offsetof(struct runtime_container, namespaces) },
		{ "cgroup", SHAPE_OBJECT, offsetof(struct runtime_container, cgroup),
		  &runtime_cgroup_shape },
		{ 0 },
	},
};

void runtime_container_clear(struct runtime_container *container)
{
	shape_clear(&runtime_container_shape, container);
}

/* Pids and cgroups of another boot mean nothing. */
bool runtime_container_is_of_this_boot(const struct runtime_container *container)
{
	char boot_id[37];
	struct err ignored;

	return container->boot_id && process_boot_id(boot_id, &ignored) == 0 &&
	       strcmp(boot_id, container->boot_id) == 0;
}

int runtime_container_open(const struct runtime_container *container)
{
	if (!runtime_container_is_of_this_boot(container))
		return -ESRCH;
	return process_open((pid_t)container->pid, container->pid_start);
}
