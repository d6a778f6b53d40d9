#include "engine/options.h"

#include <string.h>

#include "base/mem.h"

void create_options_clear(struct create_options *o)
{
	struct strv *lists[] = {
		&o->command,
		&o->env,
		&o->env_file,
		&o->label,
		&o->label_file,
		&o->annotation,
		&o->log_opt,
		&o->attach,
		&o->volume,
		&o->mount,
		&o->tmpfs,
		&o->volumes_from,
		&o->blkio_weight_device,
		&o->device_read_bps,
		&o->device_write_bps,
		&o->device_read_iops,
		&o->device_write_iops,
		&o->ulimit,
		&o->cap_add,
		&o->cap_drop,
		&o->security_opt,
		&o->device,
		&o->device_cgroup_rule,
		&o->group_add,
		&o->sysctl,
		&o->network,
		&o->add_host,
		&o->dns,
		&o->dns_search,
		&o->dns_option,
	};

	for (size_t i = 0; i < COUNT_OF(lists); i++)
		strv_clear(lists[i]);
	memset(o, 0, sizeof(*o));
}

void exec_options_clear(struct exec_options *o)
{
	strv_clear(&o->command);
	strv_clear(&o->env);
	strv_clear(&o->env_file);
	memset(o, 0, sizeof(*o));
}
