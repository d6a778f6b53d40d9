#include "engine/options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const size_t create_texts[] = {
	offsetof(struct create_options, image),
	offsetof(struct create_options, name),
	offsetof(struct create_options, cidfile),
	offsetof(struct create_options, entrypoint),
	offsetof(struct create_options, hostname),
	offsetof(struct create_options, domainname),
	offsetof(struct create_options, user),
	offsetof(struct create_options, workdir),
	offsetof(struct create_options, stop_signal),
	offsetof(struct create_options, stop_timeout),
	offsetof(struct create_options, pull),
	offsetof(struct create_options, platform),
	offsetof(struct create_options, mirror),
	offsetof(struct create_options, restart),
	offsetof(struct create_options, timeout),
	offsetof(struct create_options, autostart),
	offsetof(struct create_options, autostart_delay),
	offsetof(struct create_options, log_driver),
	offsetof(struct create_options, health_cmd),
	offsetof(struct create_options, health_connect),
	offsetof(struct create_options, health_interval),
	offsetof(struct create_options, health_timeout),
	offsetof(struct create_options, health_retries),
	offsetof(struct create_options, health_start_period),
	offsetof(struct create_options, health_start_interval),
	offsetof(struct create_options, health_on_failure),
	offsetof(struct create_options, detach_keys),
	offsetof(struct create_options, shm_size),
	offsetof(struct create_options, disk),
	offsetof(struct create_options, memory),
	offsetof(struct create_options, memory_swap),
	offsetof(struct create_options, memory_reservation),
	offsetof(struct create_options, memory_swappiness),
	offsetof(struct create_options, oom_score_adj),
	offsetof(struct create_options, cpus),
	offsetof(struct create_options, cpu_shares),
	offsetof(struct create_options, cpu_period),
	offsetof(struct create_options, cpu_quota),
	offsetof(struct create_options, cpuset_cpus),
	offsetof(struct create_options, cpuset_mems),
	offsetof(struct create_options, pids_limit),
	offsetof(struct create_options, blkio_weight),
	offsetof(struct create_options, cgroup_parent),
	offsetof(struct create_options, view),
	offsetof(struct create_options, posture),
	offsetof(struct create_options, children_max),
	offsetof(struct create_options, immutable),
	offsetof(struct create_options, userns),
	offsetof(struct create_options, subuidname),
	offsetof(struct create_options, subgidname),
	offsetof(struct create_options, pid),
	offsetof(struct create_options, ipc),
	offsetof(struct create_options, uts),
	offsetof(struct create_options, cgroupns),
	offsetof(struct create_options, pod),
	offsetof(struct create_options, init_ctr),
	offsetof(struct create_options, ip),
	offsetof(struct create_options, ip6),
	offsetof(struct create_options, mac_address),
	offsetof(struct create_options, publish_mode),
};

static const size_t create_lists[] = {
	offsetof(struct create_options, command),
	offsetof(struct create_options, preserve_fd),
	offsetof(struct create_options, health_argv),
	offsetof(struct create_options, env),
	offsetof(struct create_options, env_file),
	offsetof(struct create_options, label),
	offsetof(struct create_options, label_file),
	offsetof(struct create_options, annotation),
	offsetof(struct create_options, log_opt),
	offsetof(struct create_options, requires),
	offsetof(struct create_options, hook),
	offsetof(struct create_options, attach),
	offsetof(struct create_options, volume),
	offsetof(struct create_options, storage_opt),
	offsetof(struct create_options, mount),
	offsetof(struct create_options, tmpfs),
	offsetof(struct create_options, volumes_from),
	offsetof(struct create_options, secret),
	offsetof(struct create_options, gpus),
	offsetof(struct create_options, share),
	offsetof(struct create_options, uidmap),
	offsetof(struct create_options, gidmap),
	offsetof(struct create_options, blkio_weight_device),
	offsetof(struct create_options, device_read_bps),
	offsetof(struct create_options, device_write_bps),
	offsetof(struct create_options, device_read_iops),
	offsetof(struct create_options, device_write_iops),
	offsetof(struct create_options, ulimit),
	offsetof(struct create_options, cap_add),
	offsetof(struct create_options, cap_drop),
	offsetof(struct create_options, security_opt),
	offsetof(struct create_options, device),
	offsetof(struct create_options, device_cgroup_rule),
	offsetof(struct create_options, group_add),
	offsetof(struct create_options, sysctl),
	offsetof(struct create_options, network),
	offsetof(struct create_options, network_alias),
	offsetof(struct create_options, link),
	offsetof(struct create_options, add_host),
	offsetof(struct create_options, dns),
	offsetof(struct create_options, dns_search),
	offsetof(struct create_options, dns_option),
	offsetof(struct create_options, publish),
	offsetof(struct create_options, expose),
	offsetof(struct create_options, profile),
	offsetof(struct create_options, allow),
	offsetof(struct create_options, rule),
	offsetof(struct create_options, autostart_group),
	offsetof(struct create_options, deny),
};

static const size_t exec_texts[] = {
	offsetof(struct exec_options, container),
	offsetof(struct exec_options, user),
	offsetof(struct exec_options, workdir),
	offsetof(struct exec_options, detach_keys),
};

static const size_t exec_lists[] = {
	offsetof(struct exec_options, command),
	offsetof(struct exec_options, env),
	offsetof(struct exec_options, env_file),
	offsetof(struct exec_options, preserve_fd),
};

static void clear(void *options, const size_t *texts, size_t texts_count, const size_t *lists,
		  size_t lists_count)
{
	for (size_t i = 0; i < texts_count; i++)
		free(*(char **)((char *)options + texts[i]));
	for (size_t i = 0; i < lists_count; i++)
		strv_clear((struct strv *)((char *)options + lists[i]));
}

void create_options_clear(struct create_options *o)
{
	clear(o, create_texts, COUNT_OF(create_texts), create_lists, COUNT_OF(create_lists));
	memset(o, 0, sizeof(*o));
}

void exec_options_clear(struct exec_options *o)
{
	clear(o, exec_texts, COUNT_OF(exec_texts), exec_lists, COUNT_OF(exec_lists));
	memset(o, 0, sizeof(*o));
}
