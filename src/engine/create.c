#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "base/user_ids.h"
#include "engine/config.h"
#include "engine/copied.h"
#include "engine/create.h"
#include "engine/dns.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/freeze.h"
#include "engine/hooks.h"
#include "engine/image.h"
#include "engine/name.h"
#include "engine/network.h"
#include "engine/pod.h"
#include "engine/quota.h"
#include "engine/record.h"
#include "engine/require.h"
#include "engine/secret.h"
#include "engine/userns.h"
#include "engine/userns_own.h"
#include "engine/verify.h"
#include "engine/volume.h"
#include "image/source.h"
#include "network/namespace.h"
#include "network/uplink.h"
#include "storage/gc.h"
#include "storage/store.h"

extern char **environ;

static enum engine_pull pull_of(const struct create_options *o)
{
	if (str_equal(o->pull, "always"))
		return ENGINE_PULL_ALWAYS;
	return str_equal(o->pull, "never") ? ENGINE_PULL_NEVER : ENGINE_PULL_MISSING;
}

/* "container:web" becomes "container:ID": the name may mean another one tomorrow. */
static int resolve_other(struct engine *engine, char **mode, const char *option, struct err *e)
{
	const char *name = config_container_name(*mode);
	char id[CONTAINER_ID_LENGTH + 1];

	if (!name)
		return 0;
	int r = engine_find(engine, name, id, e);
	if (r < 0)
		return err_add(e, "%s %s", option, *mode);
	own_free char *resolved = mem_format("container:%s", id);
	mem_replace(mode, resolved);
	return 0;
}

static int resolve_others(struct engine *engine, struct container *c, struct err *e)
{
	int r = resolve_other(engine, &c->security.pid, "--pid", e);

	if (r == 0)
		r = resolve_other(engine, &c->security.ipc, "--ipc", e);
	if (r == 0)
		r = resolve_other(engine, &c->security.userns, "--userns", e);
	if (r == 0)
		r = resolve_other(engine, &c->network.mode, "--network", e);
	return r;
}

struct planned {
	const struct create_options *o;
	const struct config_context *context;
};

/* The options by themselves, for an image that wishes for nothing but has a command. */
static int check_options(const void *arg, struct err *e)
{
	const struct planned *planned = arg;
	own_clear(container_clear) struct container ignored = { 0 };
	struct oci_image_process image = { 0 };

	if (!planned->o->entrypoint)
		strv_add(&image.cmd, "sh");
	else if (planned->o->command.count == 0 && !*planned->o->entrypoint)
		return 0; /* the real image decides */
	int r = engine_config_make(&ignored, planned->o, &image, planned->context, e);
	strv_clear(&image.cmd);
	return r;
}

static void context_init(struct config_context *ret, const struct create_options *o,
			 const struct config_ids *ids, const char *folder)
{
	bool bridges = network_namespace_is_ours();
	const char *why;

	*ret = (struct config_context){
		.ids = ids,
		.environment = environ,
		.folder = folder ? folder : "/",
		.cpus = o->cpus ? get_nprocs() : 0,
		.bridges = bridges,
		.uplink = bridges || !user_ids_are_mapped() ? NULL : network_uplink_choose(&why),
	};
}

int engine_create_check(const struct create_options *o, struct err *e)
{
	own_clear(engine_userns_own_clear) struct config_ids ids = { 0 };
	own_free char *folder = getcwd(NULL, 0);
	struct config_context context;
	const struct planned planned = { o, &context };

	int r = engine_userns_own(&ids, o, e);
	if (r < 0)
		return r;
	context_init(&context, o, &ids, folder);
	return check_options(&planned, e);
}

static void take_base(struct container *c, const struct create_base *base)
{
	strv_add_all(&c->storage.lower, base->lower);
	c->storage.upper = mem_text(base->upper);
	if (base->env_files)
		shape_map_set(&c->annotations, "org.holm.env.files", base->env_files);
}

static int check_name(const char *name, struct err *e)
{
	int r = name ? engine_name_check(name, e) : 0;

	return r < 0 ? err_add(e, "--name") : 0;
}

/* Everything that can be said before anything is written. */
static int plan(struct engine *engine, const struct create_options *o, struct container *c,
		struct err *e)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	own_free char *folder = getcwd(NULL, 0);
	bool system = o->system || str_equal(o->systemd, "always");
	own_free char *name = image_source_for(o->image, system);
	own_clear(engine_userns_own_clear) struct config_ids ids = { 0 };
	struct config_context context;
	const struct planned planned = { o, &context };
	const struct image_request request = {
		.name = name,
		.pull = pull_of(o),
		.platform = o->platform,
		.mirror = o->mirror,
		.quiet = o->quiet,
		.check = check_options,
		.arg = &planned,
	};

	int r = check_name(o->name, e);
	if (r == 0)
		r = engine_userns_own(&ids, o, e);
	if (r < 0)
		return r;
	context_init(&context, o, &ids, folder);
	if (o->base)
		c->image.name = mem_text(o->base->name);
	else
		r = engine_image_resolve(engine, &request, &c->image, &image, e);
	if (r == 0)
		r = engine_config_make(c, o, o->base ? o->base->process : &image.config.config,
				       &context, e);
	if (r == 0 && o->base)
		take_base(c, o->base);
	if (r == 0)
		r = resolve_others(engine, c, e);
	if (r == 0)
		r = engine_require_resolve(engine, c, e);
	if (r == 0)
		r = engine_dns_resolve_links(engine, c, e);
	if (r == 0)
		r = engine_network_resolve(engine, c, e);
	if (r == 0)
		r = engine_volume_resolve(engine, c, o->quiet, e);
	if (r == 0)
		r = engine_secret_resolve(engine, c, e);
	return r == 0 ? engine_hooks_check(engine, c, e) : r;
}

/* Returns the folder, locked. */
static int write_record(struct engine *engine, const struct create_options *o, struct container *c,
			struct err *e)
{
	c->name = mem_text(o->name);
	own_fd int folder = record_begin(engine, c->id, e);
	if (folder < 0)
		return folder;

	int r = record_take_name(engine, c, e);
	if (r < 0) {
		mem_replace(&c->name, NULL); /* it is another's */
	} else {
		fault_point("create.name");
		own_fd int upper = engine_freeze_make_folders(engine, c, folder, e);
		r = upper < 0 ? upper : engine_copied_fill(engine, c, upper, e);
		if (r == 0)
			r = engine_require_mark(engine, c, e);
		if (r == 0)
			r = engine_secret_take(engine, c, folder, e);
		if (r == 0)
			r = record_commit(folder, c, e);
	}
	if (r == 0)
		r = engine_volume_make(engine, c, e);
	if (r < 0)
		record_abandon(engine, c);
	return r < 0 ? r : take_fd(&folder);
}

/* What is locked is so until the record names the ids. */
static int write_with_ids(struct engine *engine, const struct create_options *o,
			  struct container *c, struct err *e)
{
	int lock;

	int r = engine_userns_resolve(&lock, engine, c, e);
	if (r < 0)
		return r;
	own_fd int locked = lock;
	(void)locked;
	engine_copied_choose(engine, c);
	r = engine_quota_choose(engine, c, e);
	return r < 0 ? r : write_record(engine, o, c, e);
}

/* The file must be new: two containers in one would lose the first id. */
static int write_cidfile(const char *path, const char *id, struct err *e)
{
	own_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST)
		return err_set(e, ERR_EXISTS, "--cidfile %s: the file is there already", path);
	if (fd < 0)
		return err_sys(e, "--cidfile %s", path);
	int r = fd_write_all(fd, id, CONTAINER_ID_LENGTH);
	return r < 0 ? err_number(e, -r, "--cidfile %s", path) : 0;
}

static int check_cidfile(const struct create_options *o, struct err *e)
{
	if (o->cidfile && access(o->cidfile, F_OK) == 0)
		return err_set(e, ERR_EXISTS, "--cidfile %s: the file is there already",
			       o->cidfile);
	return 0;
}

/* run is told so by the start that follows. */
static int verify(struct engine *engine, const struct create_options *o, const struct container *c,
		  struct err *e)
{
	struct container named = *c; /* borrows all */

	named.name = o->name ? o->name : c->id;
	return c->by_run ? 0 : engine_verify_record(engine, &named, e);
}

static int create(struct engine *engine, const struct create_options *o, struct container *c,
		  struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];
	int r = check_cidfile(o, e);
	if (r < 0)
		return r;

	/* until the record names the layers, so that the garbage collector spares them */
	own_fd int layers = store_lock_layers_shared(engine->store, e);
	if (layers < 0)
		return layers;
	r = plan(engine, o, c, e);
	if (r < 0)
		return r;
	log_debug("image %s is %s, %zu layers", c->image.name,
		  c->image.id ? c->image.id : "a folder", c->image.layers.count);
	/* a pod stays as long as somebody is about to be one of it */
	int pod_lock;
	r = engine_pod_join(&pod_lock, engine, o, c, e);
	if (r < 0)
		return r;
	own_fd int pod = pod_lock;
	(void)pod;
	engine_id_generate(id);
	c->id = mem_text(id);
	c->created_ns = moment_now_ns();
	if (o->is_pod)
		engine_pod_make(c, o);
	r = verify(engine, o, c, e);
	if (r < 0)
		return r;
	own_fd int folder = write_with_ids(engine, o, c, e);
	if (folder < 0)
		return folder;
	if (o->cidfile) {
		r = write_cidfile(o->cidfile, c->id, e);
		if (r < 0)
			record_abandon(engine, c);
	}
	if (r < 0)
		return r;
	log_debug("container %s is recorded in %s/containers/%s", c->name, engine->store->root,
		  c->id);
	engine_event_container(engine, c, "create", NULL);
	return take_fd(&folder);
}

int engine_create_locked(struct engine *engine, const struct create_options *o, bool by_run,
			 struct container *ret, struct err *e)
{
	struct container c = { .by_run = by_run };
	struct gc_result freed;
	struct err ignored;
	int folder = create(engine, o, &c, e);

	if (folder < 0) {
		/* holm-image could not clear up behind a bad image while the layers were locked */
		if (e->kind == ERR_CORRUPT || e->kind == ERR_NO_SPACE)
			storage_gc(engine->store, false, false, &freed, &ignored);
		container_clear(&c);
		return folder;
	}
	*ret = c;
	return folder;
}

int engine_create(struct engine *engine, const struct create_options *o, struct container *ret,
		  struct err *e)
{
	own_fd int folder = engine_create_locked(engine, o, false, ret, e);

	return folder < 0 ? folder : 0;
}
