/* Docker's Config and HostConfig of a container (moby: api/types/container). What holm has no
 * option for has Docker's value for "not said". */
#include "engine/inspect_part.h"

#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/spec.h"

static void add_volumes(struct json_object *to, const struct container *c)
{
	struct json_object *volumes = json_object_new_object();

	for (size_t i = 0; i < c->storage.mounts.count; i++)
		if (c->storage.mounts.items[i].anonymous)
			json_object_object_add(volumes, c->storage.mounts.items[i].target,
					       json_object_new_object());
	if (json_object_object_length(volumes) == 0) {
		json_object_put(volumes);
		volumes = NULL;
	}
	json_object_object_add(to, "Volumes", volumes);
}

/* podman's member; Docker has none. */
static void add_secrets(struct json_object *to, const struct container *c)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < c->secrets.count; i++) {
		const struct container_secret *s = &c->secrets.items[i];
		struct json_object *one = json_object_new_object();
		inspect_text(one, "Name", s->name);
		inspect_text(one, "ID", s->id);
		inspect_text(one, "Type", s->env ? "env" : "mount");
		inspect_text(one, "Target", s->target);
		inspect_number(one, "UID", s->uid);
		inspect_number(one, "GID", s->gid);
		inspect_number(one, "Mode", s->env ? 0 : s->mode);
		json_object_array_add(array, one);
	}
	json_object_object_add(to, "Secrets", array);
}

static void add_health(struct json_object *to, const struct container_health *h)
{
	const struct {
		const char *key;
		int64_t value;
	} rows[] = { { "Interval", h->interval_ns },
		     { "Timeout", h->timeout_ns },
		     { "StartPeriod", h->start_period_ns },
		     { "StartInterval", h->start_interval_ns },
		     { "Retries", h->retries } };
	struct json_object *health = json_object_new_object();

	if (h->test.count)
		inspect_strings(health, "Test", &h->test, false);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].value)
			inspect_number(health, rows[i].key, rows[i].value);
	if (json_object_object_length(health))
		json_object_object_add(to, "Healthcheck", health);
	else
		json_object_put(health);
}

struct json_object *inspect_config(const struct container *c)
{
	struct json_object *to = json_object_new_object();
	const struct container_process *p = &c->process;
	char host_name[65];

	spec_host_name(host_name, c);
	inspect_text(to, "Hostname", host_name);
	inspect_text(to, "Domainname", p->domainname);
	inspect_text(to, "User", p->user);
	inspect_bool(to, "AttachStdin", p->attach_stdin);
	inspect_bool(to, "AttachStdout", p->attach_stdout);
	inspect_bool(to, "AttachStderr", p->attach_stderr);
	struct json_object *exposed = inspect_ports_exposed(c);
	if (exposed)
		json_object_object_add(to, "ExposedPorts", exposed);
	inspect_bool(to, "Tty", p->tty);
	inspect_bool(to, "OpenStdin", p->open_stdin);
	inspect_bool(to, "StdinOnce", p->open_stdin && p->attach_stdin);
	inspect_strings(to, "Env", &p->env, false);
	inspect_strings(to, "Cmd", &p->command, true);
	inspect_text(to, "Image", c->image.name);
	add_volumes(to, c);
	inspect_text(to, "WorkingDir", str_equal(p->workdir, "/") ? "" : p->workdir);
	inspect_strings(to, "Entrypoint", &p->entrypoint, true);
	json_object_object_add(to, "OnBuild", NULL);
	inspect_map(to, "Labels", &c->labels);
	if (c->secrets.count)
		add_secrets(to, c);
	if (p->stop_signal)
		inspect_text(to, "StopSignal", p->stop_signal);
	if (p->stop_timeout_s)
		inspect_number(to, "StopTimeout", *p->stop_timeout_s);
	add_health(to, &c->health);
	if (c->process.timeout_s)
		inspect_number(to, "Timeout", c->process.timeout_s);
	return to;
}

/* Only --mount refuses a folder that is not there. */
static bool is_by_mount(const struct container_mount *m)
{
	return str_equal(m->type, "bind") && !m->create_source;
}

static void add_binds(struct json_object *to, const struct container *c)
{
	own_clear(strv_clear) struct strv binds = { 0 };

	for (size_t i = 0; i < c->storage.mounts.count; i++) {
		const struct container_mount *m = &c->storage.mounts.items[i];
		if (m->anonymous || is_by_mount(m) ||
		    (!str_equal(m->type, "bind") && !str_equal(m->type, "volume")))
			continue;
		strv_addf(&binds, "%s:%s%s", m->name ? m->name : m->source, m->target,
			  m->read_only ? ":ro" : "");
	}
	inspect_strings(to, "Binds", &binds, true);
}

static void add_mounts(struct json_object *to, const struct container *c)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < c->storage.mounts.count; i++) {
		const struct container_mount *m = &c->storage.mounts.items[i];
		if (!is_by_mount(m))
			continue;
		struct json_object *one = json_object_new_object();
		inspect_text(one, "Type", m->type);
		inspect_text(one, "Source", m->source);
		inspect_text(one, "Target", m->target);
		if (m->read_only)
			inspect_bool(one, "ReadOnly", true);
		json_object_array_add(array, one);
	}
	if (json_object_array_length(array))
		json_object_object_add(to, "Mounts", array);
	else
		json_object_put(array);
}

static void add_tmpfs(struct json_object *to, const struct container *c)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < c->storage.mounts.count; i++) {
		const struct container_mount *m = &c->storage.mounts.items[i];
		if (!str_equal(m->type, "tmpfs"))
			continue;
		own_free char *options = strv_join(&m->options, ",");
		inspect_text(object, m->target, options);
	}
	json_object_object_add(to, "Tmpfs", object);
}

static void add_log(struct json_object *to, const struct container *c)
{
	struct json_object *log = json_object_new_object();

	inspect_text(log, "Type", c->log.driver);
	inspect_map(log, "Config", &c->log.options);
	json_object_object_add(to, "LogConfig", log);
}

static void add_restart(struct json_object *to, const struct container *c)
{
	struct json_object *restart = json_object_new_object();

	inspect_text(restart, "Name", c->restart.policy);
	inspect_number(restart, "MaximumRetryCount", c->restart.max_retries);
	json_object_object_add(to, "RestartPolicy", restart);
}

static void add_device_limits(struct json_object *to, const char *key,
			      const struct container_device_limits *list, const char *value)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->count; i++) {
		struct json_object *one = json_object_new_object();
		inspect_text(one, "Path", list->items[i].path);
		inspect_number(one, value, (int64_t)list->items[i].rate);
		json_object_array_add(array, one);
	}
	json_object_object_add(to, key, array);
}

static void add_ulimits(struct json_object *to, const struct container_limits *l)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < l->ulimits.count; i++) {
		struct json_object *one = json_object_new_object();
		inspect_text(one, "Name", l->ulimits.items[i].name);
		inspect_number(one, "Hard", l->ulimits.items[i].hard);
		inspect_number(one, "Soft", l->ulimits.items[i].soft);
		json_object_array_add(array, one);
	}
	json_object_object_add(to, "Ulimits", array);
}

static void add_limits(struct json_object *to, const struct container *c)
{
	const struct container_limits *l = &c->limits;

	inspect_number(to, "CpuShares", (int64_t)l->cpu_shares);
	inspect_number(to, "Memory", l->memory);
	inspect_number(to, "NanoCpus", l->nanocpus);
	inspect_text(to, "CgroupParent", l->cgroup_parent);
	inspect_number(to, "BlkioWeight", (int64_t)l->blkio_weight);
	add_device_limits(to, "BlkioWeightDevice", &l->blkio_weight_device, "Weight");
	add_device_limits(to, "BlkioDeviceReadBps", &l->read_bps, "Rate");
	add_device_limits(to, "BlkioDeviceWriteBps", &l->write_bps, "Rate");
	add_device_limits(to, "BlkioDeviceReadIOps", &l->read_iops, "Rate");
	add_device_limits(to, "BlkioDeviceWriteIOps", &l->write_iops, "Rate");
	inspect_number(to, "CpuPeriod", (int64_t)l->cpu_period);
	inspect_number(to, "CpuQuota", l->cpu_quota);
	inspect_text(to, "CpusetCpus", l->cpuset_cpus);
	inspect_text(to, "CpusetMems", l->cpuset_mems);
	inspect_number(to, "MemoryReservation", l->memory_reservation);
	inspect_number(to, "MemorySwap", l->memory_swap);
	if (l->memory_swappiness)
		inspect_number(to, "MemorySwappiness", *l->memory_swappiness);
	else
		json_object_object_add(to, "MemorySwappiness", NULL);
	inspect_bool(to, "OomKillDisable", l->oom_kill_disable);
	inspect_number(to, "OomScoreAdj", l->oom_score_adj);
	inspect_number(to, "PidsLimit", l->pids);
	add_ulimits(to, l);
}

static void add_devices(struct json_object *to, const struct container_security *s)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < s->devices.count; i++) {
		struct json_object *one = json_object_new_object();
		inspect_text(one, "PathOnHost", s->devices.items[i].host);
		inspect_text(one, "PathInContainer", s->devices.items[i].target);
		inspect_text(one, "CgroupPermissions", s->devices.items[i].permissions);
		json_object_array_add(array, one);
	}
	json_object_object_add(to, "Devices", array);
	inspect_strings(to, "DeviceCgroupRules", &s->device_rules, true);
}

/* Docker says nothing where it is as by default. */
static const char *unless(const char *mode, const char *usual)
{
	return str_equal(mode, usual) ? "" : mode;
}

static void add_security(struct json_object *to, const struct container *c)
{
	const struct container_security *s = &c->security;
	own_clear(strv_clear) struct strv masked = { 0 }, read_only = { 0 };

	spec_masks(&masked, &read_only, s);
	inspect_bool(to, "Privileged", s->privileged);
	inspect_strings(to, "CapAdd", &s->cap_add, true);
	inspect_strings(to, "CapDrop", &s->cap_drop, true);
	inspect_strings(to, "SecurityOpt", &s->options, true);
	inspect_strings(to, "GroupAdd", &c->process.groups, true);
	inspect_text(to, "CgroupnsMode", s->cgroupns);
	inspect_text(to, "IpcMode", s->ipc);
	inspect_text(to, "PidMode", unless(s->pid, "private"));
	inspect_text(to, "UTSMode", unless(s->uts, "private"));
	inspect_text(to, "UsernsMode", unless(s->userns, "host"));
	json_object_object_add(to, "IDMappings", inspect_ids(&s->ids));
	add_devices(to, s);
	inspect_map(to, "Sysctls", &s->sysctls);
	inspect_strings(to, "MaskedPaths", &masked, false);
	inspect_strings(to, "ReadonlyPaths", &read_only, false);
}

/* As docker takes it back: in bytes. */
static void add_storage_opt(struct json_object *to, const struct container *c)
{
	struct json_object *options = json_object_new_object();
	own_free char *size = mem_format("%lld", (long long)c->storage.size);

	if (c->storage.size)
		inspect_text(options, "size", size);
	json_object_object_add(to, "StorageOpt", c->storage.size ? options : NULL);
	if (!c->storage.size)
		json_object_put(options);
}

static void add_unsaid(struct json_object *to)
{
	static const struct inspect_unsaid rows[] = {
		{ "Cgroup", INSPECT_TEXT },
		{ "Links", INSPECT_NULL },
		{ "Isolation", INSPECT_TEXT },
		{ "CpuRealtimePeriod", INSPECT_NUMBER },
		{ "CpuRealtimeRuntime", INSPECT_NUMBER },
		{ "DeviceRequests", INSPECT_NULL },
		{ "KernelMemory", INSPECT_NUMBER },
		{ "KernelMemoryTCP", INSPECT_NUMBER },
		{ "CpuCount", INSPECT_NUMBER },
		{ "CpuPercent", INSPECT_NUMBER },
		{ "IOMaximumIOps", INSPECT_NUMBER },
		{ "IOMaximumBandwidth", INSPECT_NUMBER },
	};
	struct json_object *size = json_object_new_array();

	inspect_unsaid(to, rows, COUNT_OF(rows));
	json_object_array_add(size, json_object_new_int(0));
	json_object_array_add(size, json_object_new_int(0));
	json_object_object_add(to, "ConsoleSize", size);
}

struct json_object *inspect_host_config(const struct container *c)
{
	struct json_object *to = json_object_new_object();

	add_binds(to, c);
	add_mounts(to, c);
	add_unsaid(to);
	inspect_text(to, "ContainerIDFile", "");
	add_log(to, c);
	inspect_text(to, "NetworkMode", c->network.mode);
	json_object_object_add(to, "PortBindings", inspect_ports_asked(c));
	add_restart(to, c);
	inspect_bool(to, "AutoRemove", c->auto_remove);
	inspect_text(to, "VolumeDriver", "");
	inspect_strings(to, "VolumesFrom", &c->storage.volumes_from, true);
	inspect_strings(to, "Dns", &c->network.dns, false);
	inspect_strings(to, "DnsOptions", &c->network.dns_option, false);
	inspect_strings(to, "DnsSearch", &c->network.dns_search, false);
	inspect_strings(to, "ExtraHosts", &c->network.add_host, true);
	inspect_bool(to, "PublishAllPorts", c->network.publish_all);
	inspect_bool(to, "ReadonlyRootfs", c->storage.read_only);
	inspect_number(to, "ShmSize", c->storage.shm_bytes);
	add_storage_opt(to, c);
	add_tmpfs(to, c);
	inspect_text(to, "Runtime", "holm");
	inspect_bool(to, "Init", c->process.init);
	inspect_map(to, "Annotations", &c->annotations);
	add_security(to, c);
	add_limits(to, c);
	return to;
}
