/* spec.c - `spec`: a config.json to begin with, the same that runc and crun write. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime_cli/command.h"

struct spec_options {
	char *bundle;
	char *file;
	bool rootless;
};

#define OPTIONS struct spec_options
static const struct option table[] = {
	{ "bundle", 'b', OPTION_STRING(bundle), "DIR", "where to write it (default: here)",
	  "folder:" },
	{ "file", 'f', OPTION_STRING(file), "FILE", "its name, instead of config.json", "file:" },
	{ "rootless", 0, OPTION_FLAG(rootless), NULL, "for an ordinary user" },
	{ 0 },
};
#undef OPTIONS

#define CAPABILITIES "[\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"]"

static const char text[] =
	"{\"ociVersion\": \"" OCI_RUNTIME_SPEC_VERSION "\","
	"\"process\": {\"terminal\": true, \"user\": {\"uid\": 0, \"gid\": 0}, \"args\": [\"sh\"],"
	" \"env\": [\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\","
	"  \"TERM=xterm\"], \"cwd\": \"/\","
	" \"capabilities\": {\"bounding\": " CAPABILITIES ", \"effective\": " CAPABILITIES ","
	"  \"permitted\": " CAPABILITIES "},"
	" \"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 1024}],"
	" \"noNewPrivileges\": true},"
	"\"root\": {\"path\": \"rootfs\", \"readonly\": true},"
	"\"hostname\": \"holm\","
	"\"mounts\": ["
	"{\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\"},"
	"{\"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\","
	" \"options\": [\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"]},"
	"{\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\", \"options\":"
	" [\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\", \"gid=5\"]},"
	"{\"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\", \"options\":"
	" [\"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\"]},"
	"{\"destination\": \"/dev/mqueue\", \"type\": \"mqueue\", \"source\": \"mqueue\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\"]},"
	"{\"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"ro\"]},"
	"{\"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\","
	" \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"relatime\", \"ro\"]}],"
	"\"linux\": {\"resources\": {\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]},"
	"\"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"network\"}, {\"type\": \"ipc\"},"
	" {\"type\": \"uts\"}, {\"type\": \"mount\"}, {\"type\": \"cgroup\"}],"
	"\"maskedPaths\": [\"/proc/acpi\", \"/proc/asound\", \"/proc/kcore\", \"/proc/keys\","
	" \"/proc/latency_stats\", \"/proc/timer_list\", \"/proc/timer_stats\","
	" \"/proc/sched_debug\", \"/sys/firmware\", \"/proc/scsi\","
	" \"/proc/interrupts\", \"/sys/devices/virtual/powercap\"],"
	"\"readonlyPaths\": [\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\","
	" \"/proc/sysrq-trigger\"]}}";

/* ---- what an ordinary user cannot have ---- */

static struct json_object *member(struct json_object *object, const char *name)
{
	return json_object_object_get(object, name);
}

static struct json_object *mapping(unsigned id)
{
	struct json_object *map = json_object_new_object();
	struct json_object *list = json_object_new_array();

	json_object_object_add(map, "containerID", json_object_new_int(0));
	json_object_object_add(map, "hostID", json_object_new_int64(id));
	json_object_object_add(map, "size", json_object_new_int(1));
	json_object_array_add(list, map);
	return list;
}

static void replace_network_namespace(struct json_object *linux_)
{
	struct json_object *namespaces = member(linux_, "namespaces");

	for (size_t i = 0; i < json_object_array_length(namespaces); i++) {
		struct json_object *type = member(json_object_array_get_idx(namespaces, i), "type");
		if (str_equal(json_object_get_string(type), "network"))
			json_object_object_add(json_object_array_get_idx(namespaces, i), "type",
					       json_object_new_string("user"));
	}
}

/* sysfs shows the network namespace that mounts it, and that is the host's now: a bind instead.
 * Group 5 has no mapping. */
static void change_mounts(struct json_object *mounts)
{
	static const char *const options[] = { "rbind", "nosuid", "noexec", "nodev", "ro" };

	for (size_t i = 0; i < json_object_array_length(mounts); i++) {
		struct json_object *mount = json_object_array_get_idx(mounts, i);
		const char *type = json_object_get_string(member(mount, "type"));
		struct json_object *list = member(mount, "options");
		if (str_equal(type, "devpts"))
			json_object_array_del_idx(list, json_object_array_length(list) - 1, 1);
		if (!str_equal(type, "sysfs"))
			continue;
		list = json_object_new_array();
		for (size_t k = 0; k < COUNT_OF(options); k++)
			json_object_array_add(list, json_object_new_string(options[k]));
		json_object_object_add(mount, "type", json_object_new_string("none"));
		json_object_object_add(mount, "source", json_object_new_string("/sys"));
		json_object_object_add(mount, "options", list);
	}
}

static void make_rootless(struct json_object *spec)
{
	struct json_object *linux_ = member(spec, "linux");

	replace_network_namespace(linux_);
	json_object_object_del(linux_, "resources");
	json_object_object_add(linux_, "uidMappings", mapping(geteuid()));
	json_object_object_add(linux_, "gidMappings", mapping(getegid()));
	change_mounts(member(spec, "mounts"));
}

/* ---- writing it ---- */

static int write_new(const struct spec_options *o, const char *content, struct err *e)
{
	const char *name = o->file ? o->file : "config.json";
	const char *folder = o->bundle ? o->bundle : ".";

	own_fd int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open %s", folder);
	own_fd int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return err_set(e, ERR_EXISTS, "file %s exists; remove it first", name);
	if (fd < 0)
		return err_sys(e, "make %s", name);
	int r = fd_write_all(fd, content, strlen(content));
	if (r == 0)
		r = fd_write_all(fd, "\n", 1);
	return r < 0 ? err_number(e, -r, "write %s", name) : 0;
}

static int run(struct runtime_cli *cli, void *options, const struct strv *args, struct err *e)
{
	const struct spec_options *o = options;
	own_json struct json_object *spec = NULL;
	(void)cli;
	(void)args;

	int r = json_parse(&spec, text, strlen(text), "the default", e);
	if (r < 0)
		return r;
	if (o->rootless)
		make_rootless(spec);
	return write_new(o,
			 json_object_to_json_string_ext(
				 spec, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE |
					       JSON_C_TO_STRING_SPACED),
			 e);
}

const struct runtime_cli_command runtime_cli_spec = {
	.name = "spec",
	.arguments = "[OPTIONS]",
	.summary = "write a config.json to begin with",
	.options = table,
	.size = sizeof(struct spec_options),
	.run = run,
};
