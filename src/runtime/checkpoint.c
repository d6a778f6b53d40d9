/* checkpoint.c - runtime_checkpoint(): the arguments of `criu dump`. */
#include "runtime/checkpoint.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/runtime_spec.h"
#include "runtime/checkpoint_layout.h"
#include "runtime/criu.h"
#include "runtime/criu_rpc.h"
#include "runtime/mount_option.h"
#include "runtime/notify.h"
#include "runtime/runtime.h"

enum { PROGRAM_BYTES_MAX = 16 << 20 };

/* ---- what both directions have to agree on ---- */

static void add_bind(struct strv *to, const struct oci_mount *mount, const char *bundle)
{
	own_clear(runtime_mount_options_clear) struct runtime_mount_options options = { 0 };
	own_free char *inside = path_clean(mount->destination);

	runtime_mount_options_parse(&options, &mount->options);
	if (!options.bind && !options.recursive && !str_equal(mount->type, "bind"))
		return;
	own_free char *outside = *mount->source == '/' || !bundle
					 ? mem_text(mount->source)
					 : path_join(bundle, mount->source);
	strv_add(to, "--external");
	strv_addf(to, "mnt[%s]:%s", inside, bundle ? outside : inside);
}

void runtime_checkpoint_binds(struct strv *to, const struct oci_spec *spec, const char *bundle)
{
	for (size_t i = 0; i < spec->mounts.count; i++)
		add_bind(to, &spec->mounts.items[i], bundle);
}

/* ---- dump ---- */

static unsigned mount_of(const char *fdinfo)
{
	own_file FILE *info = fopen(fdinfo, "re");
	own_free char *line = NULL;
	size_t size = 0;
	unsigned mount;

	while (info && getline(&line, &size, info) > 0)
		if (sscanf(line, "mnt_id: %u", &mount) == 1)
			return mount;
	return 0;
}

static void add_outer(struct strv *names, struct strv *to, unsigned mount, const struct stat *st)
{
	strv_addf(names, "file[%x:%lx]", mount, (unsigned long)st->st_ino);
	strv_add(to, "--external");
	strv_add(to, names->items[names->count - 1]);
}

/* Where a stream leads that is not the container's own: "pipe:[17]" as the kernel names it, or
 * "file[MOUNT:INODE]" as criu does, for what lies on a mount that the container does not have. */
static void name_stream(struct strv *names, struct strv *to, pid_t pid, int number)
{
	char path[64], target[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, number);
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	if (*target != '/') {
		strv_add(names, target);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, number);
	unsigned mount = mount_of(path);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, number);
	if (!mount || stat(path, &st) < 0 || runtime_checkpoint_has_mount(pid, mount))
		strv_add(names, target);
	else
		add_outer(names, to, mount, &st);
}

static int copy_program(int images, int program, struct err *e)
{
	own_clear(str_clear) struct str bytes = { 0 };

	int r = fd_read_all(program, PROGRAM_BYTES_MAX, &bytes, e);
	if (r < 0)
		return err_add(e, "the program of the container's first process");
	return fd_write_file_at(images, RUNTIME_CHECKPOINT_PROGRAM, bytes.text, bytes.length, 0755,
				e);
}

/* holm-init: run from a mount that is nowhere. */
static int note_program(struct strv *names, struct strv *to, pid_t pid, int images, struct err *e)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	own_fd int program = open(path, O_RDONLY | O_CLOEXEC);
	if (program < 0 || fstat(program, &st) < 0)
		return err_sys(e, "open the program of the container's first process");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", program);
	unsigned mount = mount_of(path);
	if (!mount || runtime_checkpoint_has_mount(pid, mount))
		return 0;
	add_outer(names, to, mount, &st);
	return copy_program(images, program, e);
}

bool runtime_checkpoint_has_mount(pid_t pid, unsigned id)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	own_file FILE *mounts = fopen(path, "re");
	own_free char *line = NULL;
	size_t size = 0;
	while (mounts && getline(&line, &size, mounts) > 0) {
		unsigned number;
		if (sscanf(line, "%u", &number) == 1 && number == id)
			return true;
	}
	return false;
}

static int note_streams(struct strv *to, pid_t pid, int images, struct err *e)
{
	own_clear(strv_clear) struct strv names = { 0 };
	own_json struct json_object *array = json_object_new_array();

	for (int i = 0; i < 3; i++)
		name_stream(&names, to, pid, i);
	int r = note_program(&names, to, pid, images, e);
	for (size_t i = 0; i < names.count; i++)
		json_object_array_add(array, json_object_new_string(names.items[i]));
	return r < 0 ? r : json_write_at(images, RUNTIME_CHECKPOINT_STREAMS, array, e);
}

/* The mount is not in the spec of the bundle that the container will be restored from. */
static int note_notify(const struct oci_spec *spec, int images, struct err *e)
{
	bool there = false;

	for (size_t i = 0; i < spec->mounts.count; i++)
		there |= str_equal(spec->mounts.items[i].destination, RUNTIME_NOTIFY_INSIDE);
	if (!there) {
		unlinkat(images, RUNTIME_CHECKPOINT_NOTIFY, 0);
		return 0;
	}
	return fd_write_file_at(images, RUNTIME_CHECKPOINT_NOTIFY, "", 0, 0600, e);
}

bool runtime_checkpoint_has_notify(const struct runtime_criu_options *o)
{
	own_fd int images = open(o->image_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return images >= 0 && faccessat(images, RUNTIME_CHECKPOINT_NOTIFY, F_OK, 0) == 0;
}

/* A network namespace that was joined is not the container's to store. */
static void add_network(struct strv *to, const struct oci_spec *spec)
{
	const struct oci_namespace *network = oci_spec_namespace(spec, "network");
	struct stat st;

	if (!network || str_empty(network->path) || stat(network->path, &st) < 0)
		return;
	strv_add(to, "--external");
	strv_addf(to, "net[%lu]:" RUNTIME_CHECKPOINT_NETWORK, (unsigned long)st.st_ino);
}

/* While criu looks at the processes they must not change. */
static void add_freezer(struct strv *to, const struct runtime_cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->hierarchies.count; i++) {
		const struct runtime_cgroup_hierarchy *h = &cgroup->hierarchies.items[i];
		if (!str_empty(h->controllers) && !strstr(h->controllers, "freezer"))
			continue;
		strv_add(to, "--freeze-cgroup");
		strv_addf(to, "%s%s", h->mount, cgroup->path);
		return;
	}
}

static void add_dump_options(struct strv *to, const struct runtime_criu_options *o)
{
	if (o->leave_running)
		strv_add(to, "--leave-running");
	if (o->parent_path) {
		strv_add(to, "--prev-images-dir");
		strv_add(to, o->parent_path);
	}
	if (o->pre_dump || o->parent_path)
		strv_add(to, "--track-mem");
	if (o->lazy_pages)
		strv_add(to, "--lazy-pages");
	if (o->status_fd) {
		strv_add(to, "--status-fd");
		strv_addf(to, "%lld", (long long)o->status_fd);
	}
	if (!o->page_server)
		return;
	const char *port = strrchr(o->page_server, ':');
	if (!o->lazy_pages) /* with it, criu itself serves pages there, and sends none */
		strv_add(to, "--page-server");
	strv_add(to, "--address");
	own_free char *address = mem_text_n(o->page_server, (size_t)(port - o->page_server));
	strv_add(to, address);
	strv_add(to, "--port");
	strv_add(to, port + 1);
}

static int check(const struct runtime_criu_options *o, struct err *e)
{
	const char *port = o->page_server ? strrchr(o->page_server, ':') : NULL;

	if (o->page_server && (!port || !port[1]))
		return err_set(e, ERR_INVALID, "--page-server %s is not ADDRESS:PORT",
			       o->page_server);
	return 0;
}

int runtime_checkpoint(const struct runtime_container *container, const struct oci_spec *spec,
		       const struct runtime_criu_options *o, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	int r = check(o, e);
	if (r < 0)
		return r;
	own_fd int pidfd = runtime_container_open(container);
	if (pidfd < 0)
		return err_set(e, ERR_STATE, "container not running");
	r = runtime_criu_check(e);
	if (r < 0)
		return r;
	own_fd int images = runtime_criu_open_images(o, e);
	if (images < 0)
		return images;

	runtime_criu_arguments(&arguments, o->pre_dump ? "pre-dump" : "dump", o, spec);
	strv_add(&arguments, "--log-file");
	strv_add(&arguments, RUNTIME_CHECKPOINT_DUMP_LOG);
	strv_add(&arguments, "--tree");
	strv_addf(&arguments, "%lld", (long long)container->pid);
	add_dump_options(&arguments, o);
	add_freezer(&arguments, &container->cgroup);
	add_network(&arguments, spec);
	runtime_checkpoint_binds(&arguments, spec, NULL);
	r = note_streams(&arguments, (pid_t)container->pid, images, e);
	if (r == 0)
		r = note_notify(spec, images, e);
	const struct runtime_criu_call call = { .arguments = &arguments,
						.options = o,
						.log = RUNTIME_CHECKPOINT_DUMP_LOG };
	if (r < 0)
		return r;
	struct runtime_criu_answer ignored;
	bool service = o->service || (spec->process && spec->process->terminal);
	return service ? runtime_criu_rpc_run(&ignored, &call, e) : runtime_criu_run(&call, e);
}
