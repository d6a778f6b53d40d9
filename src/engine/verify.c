#include "engine/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/hooks.h"
#include "engine/namespace.h"
#include "engine/network.h"
#include "engine/ports_plan.h"
#include "engine/spec.h"
#include "engine/tree.h"
#include "engine/volume.h"
#include "engine/whole.h"
#include "monitor/journal.h"
#include "network/lease.h"
#include "network/record.h"
#include "network/reserve.h"
#include "runtime/capability.h"
#include "runtime/cgroup.h"
#include "runtime/lsm.h"
#include "runtime/user_namespace.h"
#include "storage/layer.h"
#include "storage/store.h"
#include "storage/volume.h"

struct verify {
	struct engine *engine;
	const struct container *c;
	bool live;
	bool whole;
	engine_report *report;
	void *arg;
	int found;
};

/* Of what returned an error; does nothing for success. */
static void tell(struct verify *v, int r, const struct err *e)
{
	if (r >= 0)
		return;
	v->found++;
	v->report(v->arg, v->c->name, e);
}

/* ---- files ---- */

static void check_whole(struct verify *v)
{
	own_clear(strv_clear) struct strv lacks = { 0 };
	struct err e;

	engine_whole_lacks(&lacks, v->engine, v->c);
	v->whole = !lacks.count;
	for (size_t i = 0; i < lacks.count; i++)
		tell(v, err_set(&e, ERR_CORRUPT, "%s", lacks.items[i]), &e);
}

static int check_volume(struct engine *engine, const struct container_mount *mount, struct err *e)
{
	own_clear(storage_volume_clear) struct storage_volume volume = { 0 };

	if (!mount->name)
		return 0;
	int r = storage_volume_read(&volume, engine->store, mount->name, e);
	return r < 0 && e->kind != ERR_NOT_FOUND ? err_add(e, "volume %s", mount->name) : 0;
}

static int check_image(struct engine *engine, const struct container_mount *mount, struct err *e)
{
	for (size_t i = 0; i < mount->layers.count; i++)
		if (!storage_layer_exists(engine->store, mount->layers.items[i]))
			return err_set(e, ERR_CORRUPT,
				       "mount %s: layer %.12s of image %s is missing",
				       mount->target, mount->layers.items[i], mount->source);
	return 0;
}

static void check_mounts(struct verify *v)
{
	struct err e;

	for (size_t i = 0; i < v->c->storage.mounts.count; i++) {
		const struct container_mount *mount = &v->c->storage.mounts.items[i];
		int r = 0;
		if (str_equal(mount->type, "bind"))
			r = engine_volume_check_source(mount, &e);
		else if (str_equal(mount->type, "volume"))
			r = check_volume(v->engine, mount, &e);
		else if (str_equal(mount->type, "image"))
			r = check_image(v->engine, mount, &e);
		tell(v, r, &e);
	}
}

/* Decision 0054: the system's mounts meet no link. */
static void check_places(struct verify *v)
{
	static const char *const places[] = { "proc", "sys", "dev", "run", "tmp" };
	enum { OF_ALL = 3 };
	own_clear(engine_tree_close) struct engine_tree tree = ENGINE_TREE_NONE;
	size_t count = container_is_system(v->c) ? COUNT_OF(places) : OF_ALL;
	struct stat st;
	struct err e;

	if (v->live || !v->whole)
		return;
	int r = engine_tree_open(v->engine, v->c->id, ENGINE_TREE_ALONE, &tree, &e);
	tell(v, r, &e);
	for (size_t i = 0; r == 0 && i < count; i++) {
		own_free char *target = mem_format("/%s", places[i]);
		own_fd int fd = path_try_open(tree.root_fd, places[i], O_PATH | O_NOFOLLOW, 0);
		if (fd < 0 || fstat(fd, &st) < 0 || S_ISDIR(st.st_mode) ||
		    spec_mounts_asked_for(v->c, target))
			continue;
		tell(v, err_set(&e, ERR_INVALID, "/%s is not a folder in the image", places[i]),
		     &e);
	}
}

static void check_secrets(struct verify *v)
{
	struct err e;

	for (size_t i = 0; i < v->c->secrets.count; i++) {
		const struct container_secret *secret = &v->c->secrets.items[i];
		own_free char *path = mem_format("%s/secrets/%s", v->c->id, secret->id);
		if (faccessat(v->engine->containers_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			tell(v, err_sys(&e, "the bytes of secret %s", secret->name), &e);
	}
}

/* ---- devices, each by itself ---- */

static void check_device(struct verify *v, const struct container *one)
{
	own_clear(spec_context_clear) struct spec_context context = { .store = v->engine->store };
	struct err e;

	tell(v, spec_devices_read(&context, one, &e), &e);
}

static void check_devices(struct verify *v)
{
	const struct container_security *s = &v->c->security;
	struct container one = { .security.gpus = s->gpus };

	if (s->gpus.count)
		check_device(v, &one);
	one.security.gpus = (struct strv){ 0 };
	one.security.devices.count = 1;
	for (size_t i = 0; i < s->devices.count; i++) {
		one.security.devices.items = &s->devices.items[i];
		check_device(v, &one);
	}
}

/* ---- other containers ---- */

static void check_joined(struct verify *v, char **mode, char *of_container, struct container *none)
{
	own_clear(spec_context_clear) struct spec_context context = { 0 };
	char *kept = *mode;
	struct err e;

	*mode = of_container;
	tell(v, engine_namespace_resolve(v->engine, none, &context, &e), &e);
	*mode = kept;
}

/* Whose namespaces it joins, one after the other. */
static void check_namespaces(struct verify *v)
{
	const struct container_security *s = &v->c->security;
	char *private = (char *)"private";
	struct container none = {
		.security = { .pid = private, .ipc = private, .uts = private, .userns = private },
		.network.mode = private
	};

	check_joined(v, &none.security.pid, s->pid, &none);
	check_joined(v, &none.security.ipc, s->ipc, &none);
	check_joined(v, &none.security.uts, s->uts, &none);
	check_joined(v, &none.security.userns, s->userns, &none);
	check_joined(v, &none.network.mode, v->c->network.mode, &none);
}

static void check_required(struct verify *v)
{
	char id[CONTAINER_ID_LENGTH + 1];
	struct err e;

	for (size_t i = 0; i < v->c->requires.count; i++)
		if (engine_find(v->engine, v->c->requires.items[i], id, &e) < 0)
			tell(v, err_add(&e, "what it requires"), &e);
	if (v->c->pod.id && engine_find(v->engine, v->c->pod.id, id, &e) < 0)
		tell(v, err_add(&e, "its pod"), &e);
}

/* ---- networks ---- */

struct leased {
	struct verify *v;
	const struct container_endpoint *endpoint;
};

static void check_lease(void *arg, const char *address, const char *id)
{
	struct leased *l = arg;
	bool wanted = str_equal(address, l->endpoint->address) ||
		      str_equal(address, l->endpoint->address6);
	struct err e;

	if (!wanted || str_equal(id, l->v->c->id) || !engine_network_is_live(l->v->engine, id))
		return;
	tell(l->v,
	     err_set(&e, ERR_EXISTS, "network %s: the address %s is container %.12s's",
		     l->endpoint->network, address, id),
	     &e);
}

static int check_parent(const struct network *network, struct err *e)
{
	const char *parent = shape_map_get(&network->options, "parent");

	if (!parent || if_nametoindex(parent))
		return 0;
	return err_set(e, ERR_NOT_FOUND, "network %s: the host has no device %s", network->name,
		       parent);
}

static void check_networks(struct verify *v)
{
	struct err e;

	for (size_t i = 0; i < v->c->network.endpoints.count; i++) {
		own_clear(network_record_clear) struct network network = { 0 };
		struct leased leased = { v, &v->c->network.endpoints.items[i] };
		const char *name = leased.endpoint->network;
		int r = network_record_read(&network, v->engine->store, name, &e);
		if (r < 0 && e.kind == ERR_NOT_FOUND && str_equal(name, NETWORK_DEFAULT))
			continue; /* it is made by whom it is first wanted */
		if (r == 0 && !runtime_user_namespace_is_inner())
			r = check_parent(&network, &e);
		if (r == 0 && !v->live)
			r = network_lease_list(v->engine->store, name, check_lease, &leased, &e);
		tell(v, r, &e);
	}
}

/* By taking each for a moment. Those of an ordinary user are another program's to have. */
static void check_ports(struct verify *v)
{
	own_clear(network_reserve_close) struct network_reserve reserve = NETWORK_RESERVE_INIT;
	const struct engine_places none = { 0 };
	struct container one = { .id = v->c->id, .name = v->c->name };
	struct err e;

	if (v->live || runtime_user_namespace_is_inner() || !v->c->network.endpoints.count)
		return;
	int r = network_reserve_open(&reserve, &e);
	tell(v, r, &e);
	one.network.ports.count = 1;
	for (size_t i = 0; r == 0 && i < v->c->network.ports.count; i++) {
		own_clear(engine_ports_clear) struct engine_port_list ports = { 0 };
		one.network.ports.items = &v->c->network.ports.items[i];
		tell(v, ports_plan_make(&ports, &reserve, v->engine, &one, &none, &e), &e);
	}
}

/* ---- the kernel and the caller's rights ---- */

static int check_namespace(const struct oci_namespace *namespace, struct err *e)
{
	const char *type = str_equal(namespace->type, "mount")     ? "mnt"
			   : str_equal(namespace->type, "network") ? "net"
								   : namespace->type;
	own_free char *path = mem_format("/proc/self/ns/%s", type);

	if (access(path, F_OK) == 0)
		return 0;
	return err_set(e, ERR_UNSUPPORTED, "this kernel has no %s namespaces", namespace->type);
}

static int make_spec(struct oci_spec *spec, struct engine *engine, const struct container *c,
		     struct err *e)
{
	own_clear(spec_context_clear) struct spec_context context = { .store = engine->store };

	context.own_capabilities = runtime_capability_own();
	context.ordinary_user = runtime_user_namespace_is_inner();
	return engine_spec_make(spec, c, &context, e);
}

/* An ordinary user's are clamped to what was delegated. */
static int check_resources(const struct oci_spec *spec, struct err *e)
{
	if (!spec->linux_.resources || runtime_user_namespace_is_inner())
		return 0;
	return runtime_cgroup_check(spec->linux_.resources, e);
}

int engine_verify_record(struct engine *engine, const struct container *c, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	int r = make_spec(&spec, engine, c, e);

	for (size_t i = 0; r == 0 && i < spec.linux_.namespaces.count; i++)
		r = check_namespace(&spec.linux_.namespaces.items[i], e);
	return r < 0 ? r : check_resources(&spec, e);
}

int engine_verify_limits(const struct container *c, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };

	spec.process = mem_new_struct(struct oci_process);
	int r = spec_limits(&spec, c, e);
	return r < 0 ? r : check_resources(&spec, e);
}

static void check_kernel(struct verify *v)
{
	const char *profile = v->c->security.apparmor;
	struct err e;

	tell(v, engine_verify_record(v->engine, v->c, &e), &e);
	tell(v, runtime_lsm_check_in_parent(&profile, v->c->security.label, &e), &e);
}

static void check_hooks(struct verify *v)
{
	struct err e;

	tell(v, engine_hooks_check(v->engine, v->c, &e), &e);
}

static void check_log(struct verify *v)
{
	struct err e;

	if (!str_equal(v->c->log.driver, "journald"))
		return;
	own_fd int fd = monitor_journal_open(&e);
	tell(v, fd, &e);
}

/* ---- all of it ---- */

static void (*const checks[])(struct verify *v) = {
	check_whole,   check_mounts,     check_places,   check_secrets,
	check_devices, check_namespaces, check_required, check_networks,
	check_ports,   check_kernel,     check_hooks,    check_log,
};

int engine_verify(struct engine *engine, const char *name, engine_report *report, void *arg,
		  struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	struct container_state state;
	struct verify v = { .engine = engine, .c = &c, .report = report, .arg = arg };

	int r = engine_load(engine, name, &c, &state, e);
	if (r < 0)
		return r;
	v.live = container_state_live(&state);
	for (size_t i = 0; i < COUNT_OF(checks); i++)
		checks[i](&v);
	return v.found;
}
