#include <string.h>
#include <sys/statfs.h>
#include <time.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "cli/host.h"
#include "cli/info.h"
#include "engine/inspect_part.h"
#include "oci/image.h"
#include "runtime/cgroup.h"

static void add_words(struct json_object *to, const char *key, const char *words)
{
	own_clear(strv_clear) struct strv list = { 0 };

	strv_split(&list, words, '|');
	inspect_strings(to, key, &list, false);
}

static void add_true(struct json_object *to, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		inspect_bool(to, keys[i], true);
}

/* Each kind of cgroup that holm needs for it is there. */
static void add_limits(struct json_object *to)
{
	static const struct {
		const char *key, *controller;
	} rows[] = {
		{ "MemoryLimit", "memory" },    { "SwapLimit", "memory" },
		{ "OomKillDisable", "memory" }, { "CpuCfsPeriod", "cpu" },
		{ "CpuCfsQuota", "cpu" },       { "CPUShares", "cpu" },
		{ "CPUSet", "cpuset" },         { "PidsLimit", "pids" },
	};
	static const char *const none[] = { "KernelMemory", "KernelMemoryTCP" };
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	struct err ignored;
	bool known = runtime_cgroup_host_read(&host, &ignored) == 0;

	for (size_t i = 0; i < COUNT_OF(rows); i++)
		inspect_bool(to, rows[i].key,
			     known && runtime_cgroup_host_has(&host, rows[i].controller));
	for (size_t i = 0; i < COUNT_OF(none); i++)
		inspect_bool(to, none[i], false);
}

static void add_plugins(struct json_object *to)
{
	struct json_object *plugins = json_object_new_object();

	add_words(plugins, "Volume", "local");
	add_words(plugins, "Network", "host|null");
	json_object_object_add(plugins, "Authorization", NULL);
	add_words(plugins, "Log", "json-file|local|none");
	json_object_object_add(to, "Plugins", plugins);
}

static void add_registries(struct json_object *to)
{
	struct json_object *config = json_object_new_object(), *index = json_object_new_object();
	struct json_object *hub = json_object_new_object();

	add_words(hub, "Mirrors", "");
	inspect_text(hub, "Name", "docker.io");
	inspect_bool(hub, "Official", true);
	inspect_bool(hub, "Secure", true);
	json_object_object_add(index, "docker.io", hub);
	json_object_object_add(config, "IndexConfigs", index);
	add_words(config, "InsecureRegistryCIDRs", "127.0.0.0/8");
	add_words(config, "Mirrors", "");
	json_object_object_add(to, "RegistryConfig", config);
	inspect_text(to, "IndexServerAddress", "https://index.docker.io/v1/");
}

static void add_commit(struct json_object *to, const char *key)
{
	struct json_object *commit = json_object_new_object();

	inspect_text(commit, "ID", "");
	inspect_text(commit, "Expected", "");
	json_object_object_add(to, key, commit);
}

static void add_runtimes(struct json_object *to)
{
	struct json_object *runtimes = json_object_new_object(), *holm = json_object_new_object();

	inspect_text(holm, "path", "holm-runtime");
	json_object_object_add(runtimes, "holm", holm);
	json_object_object_add(to, "Runtimes", runtimes);
	inspect_text(to, "InitBinary", "holm-init");
	add_commit(to, "ContainerdCommit");
	add_commit(to, "RuncCommit");
	add_commit(to, "InitCommit");
}

static void add_swarm(struct json_object *to)
{
	static const struct inspect_unsaid rows[] = {
		{ "NodeID", INSPECT_TEXT },
		{ "NodeAddr", INSPECT_TEXT },
		{ "ControlAvailable", INSPECT_FALSE },
		{ "Error", INSPECT_TEXT },
		{ "RemoteManagers", INSPECT_NULL },
	};
	struct json_object *swarm = json_object_new_object();

	inspect_unsaid(swarm, rows, COUNT_OF(rows));
	inspect_text(swarm, "LocalNodeState", "inactive");
	json_object_object_add(to, "Swarm", swarm);
}

static const struct inspect_unsaid client[] = {
	{ "ApiVersion", INSPECT_TEXT },
	{ "GitCommit", INSPECT_TEXT },
	{ "GoVersion", INSPECT_TEXT },
	{ "BuildTime", INSPECT_TEXT },
};

static void add_client(struct json_object *to)
{
	own_clear(oci_platform_clear) struct oci_platform platform = { 0 };
	struct json_object *one = json_object_new_object();

	oci_platform_host(&platform);
	inspect_bool(one, "Debug", false);
	inspect_text(one, "Version", HOLM_VERSION);
	inspect_text(one, "DefaultAPIVersion", "");
	inspect_text(one, "Context", "default");
	inspect_text(one, "Os", "linux");
	inspect_text(one, "Arch", platform.architecture);
	inspect_unsaid(one, client, COUNT_OF(client));
	add_words(one, "Plugins", "");
	json_object_object_add(one, "Warnings", NULL);
	json_object_object_add(to, "ClientInfo", one);
}

static void add_host(struct json_object *to)
{
	own_free char *version = cli_host_os_release("VERSION_ID");
	own_free char *forwarding = cli_host_line("/proc/sys/net/ipv4/ip_forward");
	own_free char *machine = cli_host_line("/etc/machine-id");

	inspect_text(to, "ID", machine);
	inspect_text(to, "OSVersion", version);
	inspect_bool(to, "IPv4Forwarding", str_equal(forwarding, "1"));
	inspect_moment(to, "SystemTime", moment_now_ns());
}

void cli_info_docker(struct json_object *info)
{
	static const struct inspect_unsaid rows[] = {
		{ "Debug", INSPECT_FALSE },           { "NFd", INSPECT_NUMBER },
		{ "NGoroutines", INSPECT_NUMBER },    { "NEventsListener", INSPECT_NUMBER },
		{ "GenericResources", INSPECT_NULL }, { "HttpProxy", INSPECT_TEXT },
		{ "HttpsProxy", INSPECT_TEXT },       { "NoProxy", INSPECT_TEXT },
		{ "Labels", INSPECT_LIST },           { "ExperimentalBuild", INSPECT_FALSE },
		{ "Isolation", INSPECT_TEXT },        { "CDISpecDirs", INSPECT_NULL },
		{ "Warnings", INSPECT_NULL },         { "DriverStatus", INSPECT_LIST },
	};
	static const char *const yes[] = { "LiveRestoreEnabled" };

	inspect_unsaid(info, rows, COUNT_OF(rows));
	add_true(info, yes, COUNT_OF(yes));
	inspect_text(info, "LoggingDriver", "json-file");
	add_limits(info);
	add_plugins(info);
	add_registries(info);
	add_runtimes(info);
	add_swarm(info);
	add_client(info);
	add_host(info);
}

void cli_info_docker_version(struct json_object *version)
{
	inspect_unsaid(version, client, COUNT_OF(client));
	inspect_text(version, "DefaultAPIVersion", "");
	inspect_text(version, "Context", "default");
}

void cli_info_docker_server(struct json_object *version)
{
	struct json_object *platform = json_object_new_object(), *all = json_object_new_array();
	struct json_object *engine = json_object_new_object(), *details = json_object_new_object();

	inspect_text(platform, "Name", "");
	json_object_object_add(version, "Platform", platform);
	inspect_text(version, "MinAPIVersion", "");
	json_object_object_foreach (version, key, value)
		if (json_object_is_type(value, json_type_string) && strcmp(key, "Version") != 0 &&
		    strcmp(key, "Context") != 0 && strcmp(key, "DefaultAPIVersion") != 0)
			json_object_object_add(details, key, json_object_get(value));
	inspect_text(details, "Experimental", "false");
	inspect_text(engine, "Name", "Engine");
	inspect_text(engine, "Version", HOLM_VERSION);
	json_object_object_add(engine, "Details", details);
	json_object_array_add(all, engine);
	json_object_object_add(version, "Components", all);
}
