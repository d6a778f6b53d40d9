#include "engine/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void free_all(char **const texts[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(*texts[i]);
}

void create_options_clear(struct create_options *o)
{
	char **const texts[] = { &o->image,
				 &o->name,
				 &o->cidfile,
				 &o->entrypoint,
				 &o->hostname,
				 &o->domainname,
				 &o->user,
				 &o->workdir,
				 &o->stop_signal,
				 &o->stop_timeout,
				 &o->pull,
				 &o->platform,
				 &o->restart,
				 &o->log_driver,
				 &o->detach_keys,
				 &o->shm_size,
				 &o->memory,
				 &o->memory_swap,
				 &o->memory_reservation,
				 &o->memory_swappiness,
				 &o->oom_score_adj,
				 &o->cpus,
				 &o->cpu_shares,
				 &o->cpu_period,
				 &o->cpu_quota,
				 &o->cpuset_cpus,
				 &o->cpuset_mems,
				 &o->pids_limit,
				 &o->blkio_weight,
				 &o->cgroup_parent,
				 &o->userns,
				 &o->pid,
				 &o->ipc,
				 &o->uts,
				 &o->cgroupns };
	struct strv *const lists[] = { &o->command,
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
				       &o->dns_option };

	free_all(texts, COUNT_OF(texts));
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		strv_clear(lists[i]);
	memset(o, 0, sizeof(*o));
}

void exec_options_clear(struct exec_options *o)
{
	char **const texts[] = { &o->container, &o->user, &o->workdir, &o->detach_keys };
	struct strv *const lists[] = { &o->command, &o->env, &o->env_file };

	free_all(texts, COUNT_OF(texts));
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		strv_clear(lists[i]);
	memset(o, 0, sizeof(*o));
}
