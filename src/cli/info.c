/* `holm version` and `holm info`. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/number.h"
#include "base/own.h"
#include "base/str.h"
#include "base/user_ids.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "cli/host.h"
#include "cli/info.h"
#include "cli/info_user.h"
#include "cli/print.h"
#include "engine/engine.h"
#include "oci/image.h"
#include "runtime/cgroup.h"
#include "runtime/lsm.h"
#include "storage/index.h"
#include "storage/store.h"

struct info_options {
	char *format;
};

#define OPTIONS struct info_options
static const struct option table[] = {
	{ "format", 'f', OPTION_STRING(format), "FORMAT", "json, or a Go template" },
	{ 0 },
};
#undef OPTIONS

static void add(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, json_object_new_string(text ? text : ""));
}

static void add_number(struct json_object *to, const char *key, int64_t value)
{
	json_object_object_add(to, key, json_object_new_int64(value));
}

static const char *text_of(struct json_object *object, const char *key)
{
	return json_object_get_string(json_object_object_get(object, key));
}

static int64_t number_of(struct json_object *object, const char *key)
{
	return json_object_get_int64(json_object_object_get(object, key));
}

/* ---- version ---- */

static struct json_object *make_version(void)
{
	struct json_object *version = json_object_new_object();
	own_clear(oci_platform_clear) struct oci_platform platform = { 0 };
	struct utsname names;

	uname(&names);
	oci_platform_host(&platform);
	add(version, "Version", HOLM_VERSION);
	add(version, "Os", "linux");
	add(version, "Arch", platform.architecture);
	add(version, "KernelVersion", names.release);
	cli_info_docker_version(version);
	return version;
}

static int run_version(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct info_options *o = options;
	own_json struct json_object *version = make_version();

	(void)cli, (void)args;
	if (!o->format) {
		printf("holm %s\nKernel: %s\nPlatform: %s/%s\n", HOLM_VERSION,
		       text_of(version, "KernelVersion"), text_of(version, "Os"),
		       text_of(version, "Arch"));
		return 0;
	}
	/* scripts written for docker ask for either; holm is both */
	own_json struct json_object *both = json_object_new_object();
	struct json_object *server = make_version();
	cli_info_docker_server(server);
	json_object_object_add(both, "Client", json_object_get(version));
	json_object_object_add(both, "Server", server);
	return cli_format_object(both, o->format, e);
}

/* ---- info ---- */

static int add_containers(struct json_object *to, struct engine *engine, struct err *e)
{
	own_clear(engine_rows_clear) struct engine_rows rows = { 0 };
	const struct list_options all = { .all = true };
	int64_t running = 0, paused = 0;

	int r = engine_list(engine, &all, &rows, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < rows.count; i++) {
		running += rows.items[i].state.status == CONTAINER_RUNNING;
		paused += rows.items[i].state.status == CONTAINER_PAUSED;
	}
	add_number(to, "Containers", (int64_t)rows.count);
	add_number(to, "ContainersRunning", running);
	add_number(to, "ContainersPaused", paused);
	add_number(to, "ContainersStopped", (int64_t)rows.count - running - paused);
	return 0;
}

static int add_images(struct json_object *to, struct engine *engine, struct err *e)
{
	own_clear(storage_index_clear) struct storage_index index = { 0 };
	int r = storage_index_read(&index, engine->store, e);

	if (r == 0)
		add_number(to, "Images", (int64_t)index.entries.count);
	return r;
}

static void add_cgroup(struct json_object *to)
{
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	struct err ignored;

	add(to, "CgroupDriver", "cgroupfs");
	bool known = runtime_cgroup_host_read(&host, &ignored) == 0;
	add(to, "CgroupVersion",
	    !known                  ? "unknown"
	    : host.layout[0] == 'v' ? host.layout + 1
				    : host.layout);
}

static void add_flag(struct json_object *to, const char *key, bool value)
{
	json_object_object_add(to, key, json_object_new_boolean(value));
}

/* What docker tells of the limits that this host can set. */
static void add_limits(struct json_object *to)
{
	static const struct {
		const char *key, *controller;
	} rows[] = {
		{ "MemoryLimit", "memory" }, { "SwapLimit", "memory" }, { "CpuCfsPeriod", "cpu" },
		{ "CpuCfsQuota", "cpu" },    { "CPUShares", "cpu" },    { "CPUSet", "cpuset" },
		{ "PidsLimit", "pids" },
	};
	own_clear(runtime_cgroup_clear) struct runtime_cgroup host = { 0 };
	struct err ignored;

	bool known = runtime_cgroup_host_read(&host, &ignored) == 0;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		add_flag(to, rows[i].key,
			 known && runtime_cgroup_host_has(&host, rows[i].controller));
}

/* What is the same for every holm, under docker's names. */
static void add_constants(struct json_object *to)
{
	struct json_object *swarm = json_object_new_object(), *runtimes = json_object_new_object();
	struct json_object *runtime = json_object_new_object();

	add(swarm, "LocalNodeState", "inactive");
	json_object_object_add(to, "Swarm", swarm);
	add(runtime, "path", "holm-runtime");
	json_object_object_add(runtimes, "holm", runtime);
	json_object_object_add(to, "Runtimes", runtimes);
	add(to, "LoggingDriver", "json-file");
	add(to, "InitBinary", "holm-init");
	add(to, "IndexServerAddress", "https://index.docker.io/v1/");
	add_flag(to, "LiveRestoreEnabled", true); /* there is no daemon to go away */
	add_flag(to, "ExperimentalBuild", false);
	json_object_object_add(to, "Labels", json_object_new_array());
	json_object_object_add(to, "Warnings", NULL);
}

static void add_security(struct json_object *to)
{
	struct json_object *list = json_object_new_array();

	json_object_array_add(list, json_object_new_string("name=seccomp,profile=builtin"));
	if (runtime_lsm_has_apparmor())
		json_object_array_add(list, json_object_new_string("name=apparmor"));
	if (runtime_lsm_has_selinux())
		json_object_array_add(list, json_object_new_string("name=selinux"));
	if (user_ids_are_mapped()) /* docker's word */
		json_object_array_add(list, json_object_new_string("name=rootless"));
	json_object_array_add(list, json_object_new_string("name=cgroupns"));
	json_object_object_add(to, "SecurityOptions", list);
}

static void add_host(struct json_object *to)
{
	own_free char *system = cli_host_os_release("PRETTY_NAME");
	own_free char *version = cli_host_os_release("VERSION_ID");
	char now[MOMENT_TEXT_SIZE];
	struct utsname names;

	uname(&names);
	add(to, "KernelVersion", names.release);
	add(to, "OperatingSystem", system ? system : "Linux");
	add(to, "OSVersion", version);
	add(to, "OSType", "linux");
	moment_format(now, moment_now_ns());
	add(to, "SystemTime", now);
	add(to, "Architecture", names.machine);
	add_number(to, "NCPU", sysconf(_SC_NPROCESSORS_ONLN));
	add_number(to, "MemTotal", (int64_t)cli_host_memory());
	add(to, "Name", names.nodename);
}

static int make_info(struct json_object *to, struct engine *engine, struct err *e)
{
	int r = add_containers(to, engine, e);
	if (r == 0)
		r = add_images(to, engine, e);
	if (r < 0)
		return r;
	add(to, "ServerVersion", HOLM_VERSION);
	add(to, "Driver", "overlay2");
	add(to, "DefaultRuntime", "holm");
	add_cgroup(to);
	add_limits(to);
	add_constants(to);
	add_security(to);
	add_host(to);
	add(to, "DockerRootDir", engine->store->root);
	add(to, "RunDir", engine->store->run);
	cli_info_docker(to);
	cli_info_user(to, engine);
	return 0;
}

static void print_field(struct json_object *info, const char *label, const char *key)
{
	printf("%s: ", label);
	cli_print_clean(stdout, text_of(info, key));
	putchar('\n');
}

static void print_info(struct json_object *info)
{
	char memory[16];

	number_format_bytes(memory, (uint64_t)number_of(info, "MemTotal"));
	print_field(info, "Version", "ServerVersion");
	print_field(info, "Containers", "Containers");
	print_field(info, "  running", "ContainersRunning");
	print_field(info, "  paused", "ContainersPaused");
	print_field(info, "  stopped", "ContainersStopped");
	print_field(info, "Images", "Images");
	print_field(info, "Root folder", "DockerRootDir");
	print_field(info, "Run folder", "RunDir");
	print_field(info, "Storage driver", "Driver");
	print_field(info, "Cgroup version", "CgroupVersion");
	print_field(info, "Cgroup driver", "CgroupDriver");
	print_field(info, "Security options", "SecurityOptions");
	print_field(info, "Host name", "Name");
	print_field(info, "Operating system", "OperatingSystem");
	print_field(info, "Kernel", "KernelVersion");
	print_field(info, "Architecture", "Architecture");
	print_field(info, "CPUs", "NCPU");
	cli_info_user_print(info);
	printf("Memory: %s\n\n'holm doctor' tells what this host lacks.\n", memory);
}

static int run_info(struct cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct info_options *o = options;
	own_json struct json_object *info = json_object_new_object();
	struct engine *engine;

	(void)args;
	int r = cli_command_engine(cli, &engine, e);
	if (r == 0)
		r = make_info(info, engine, e);
	if (r < 0)
		return r;
	if (o->format)
		return cli_format_object(info, o->format, e);
	print_info(info);
	return 0;
}

const struct cli_command cli_info_version = {
	.names = "version",
	.section = "Holm",
	.arguments = "[OPTIONS]",
	.summary = "Show the version",
	.options = table,
	.size = sizeof(struct info_options),
	.run = run_version,
};

const struct cli_command cli_info = {
	.names = "info|system info",
	.section = "Holm",
	.arguments = "[OPTIONS]",
	.summary = "Show what holm has here, and on what host",
	.options = table,
	.size = sizeof(struct info_options),
	.run = run_info,
};
