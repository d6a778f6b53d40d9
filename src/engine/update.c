#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/hooks.h"
#include "engine/process.h"
#include "engine/quota.h"
#include "engine/record.h"
#include "engine/spec.h"
#include "engine/verify.h"

#define SWAP(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) _t = (a);                                                            \
		(a) = (b);                                                                         \
		(b) = _t;                                                                          \
	} while (0)

/* The spec in the run folder, from which the monitor starts it again. */
static int change_spec(struct engine *engine, const struct container *c, struct err *e)
{
	own_clear(oci_spec_clear) struct oci_spec spec = { 0 };
	own_clear(oci_spec_clear) struct oci_spec fresh = { 0 };

	own_fd int run_fd =
		openat(engine->run_fd, c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (run_fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open the run folder");
	int r = oci_spec_read_at(&spec, run_fd, "config.json", e);
	if (r < 0)
		return r;
	fresh.process = mem_new_struct(struct oci_process);
	r = spec_limits(&fresh, c, e);
	if (r < 0)
		return r;
	if (!spec.linux_.resources)
		spec.linux_.resources = mem_new_struct(struct oci_resources);
	struct oci_resources *to = spec.linux_.resources, *from = fresh.linux_.resources;
	SWAP(to->memory, from->memory);
	SWAP(to->cpu, from->cpu);
	SWAP(to->pids, from->pids);
	SWAP(to->block_io, from->block_io);
	if (spec.process)
		SWAP(spec.process->rlimits, fresh.process->rlimits);
	return oci_spec_write_at(&spec, run_fd, "config.json", e);
}

static bool same_rules(const struct container_limits *a, const struct container_limits *b)
{
	if (a->rules.count != b->rules.count)
		return false;
	for (size_t i = 0; i < a->rules.count; i++) {
		const struct container_rule *one = &a->rules.items[i], *other = &b->rules.items[i];
		if (!str_equal(one->resource, other->resource) ||
		    !str_equal(one->action, other->action) || one->amount != other->amount)
			return false;
	}
	return true;
}

static int change_live(struct engine *engine, const struct container *before,
		       const struct container *c, struct err *e)
{
	struct oci_resources resources = { 0 };
	struct monitor_client client = MONITOR_CLIENT_NONE;

	int r = spec_limits_change(&resources, &before->limits, &c->limits, e);
	own_json struct json_object *object = shape_write(&oci_resources_shape, &resources);
	shape_clear(&oci_resources_shape, &resources);
	if (r < 0 ||
	    (json_object_object_length(object) == 0 && same_rules(&before->limits, &c->limits)))
		return r;
	r = engine_process_connect(engine, c->id, &client, e);
	if (r == 0)
		r = monitor_client_update(&client, json_text(object), e);
	monitor_client_close(&client);
	return r;
}

/* What runs gets the new limits; one that ends meanwhile has them at its next start. */
static int apply(struct engine *engine, const struct container *before, const struct container *c,
		 int folder_fd, struct err *e)
{
	struct container_state state;
	struct err unread;

	int r = change_spec(engine, c, e);
	if (r == 0)
		r = engine_process_tell(engine, c, e);
	if (r < 0)
		return r;
	r = engine_state_read_locked(engine, c->id, folder_fd, &state, e);
	if (r < 0 || !container_state_live(&state))
		return r;
	r = change_live(engine, before, c, e);
	if (r < 0 && engine_state_read_locked(engine, c->id, folder_fd, &state, &unread) == 0 &&
	    !container_state_live(&state))
		return 0;
	return r;
}

static int update_locked(struct engine *engine, const struct container *before,
			 const struct container *c, int folder_fd, struct err *e)
{
	struct err undone;

	int r = engine_verify_limits(c, e);
	if (r == 0)
		r = record_commit(folder_fd, c, e);
	if (r < 0)
		return r;
	fault_point("update.record");
	r = apply(engine, before, c, folder_fd, e);
	if (r == 0) {
		engine_event_container(engine, c, "update", NULL);
		return 0;
	}
	record_commit(folder_fd, before, &undone);
	change_spec(engine, before, &undone);
	engine_process_tell(engine, before, &undone);
	return r;
}

/* By itself, and first: it may freeze what is there, and then the record is another. */
static int change_disk(struct engine *engine, const char *id, int folder_fd, const char *text,
		       struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };
	struct container_state state;
	int64_t bytes;

	int r = config_storage_size(&bytes, text, e);
	if (r == 0)
		r = engine_state_read_locked(engine, id, folder_fd, &state, e);
	if (r == 0)
		r = record_read(engine, id, &c, e);
	if (r == 0)
		r = engine_quota_change(engine, &c, &state, folder_fd, bytes, e);
	return r < 0 ? err_add(e, "disk") : 0;
}

/* Nothing is changed by options of which one is wrong. */
static int check(struct engine *engine, const char *id, const struct create_options *o,
		 const struct config_context *context, struct err *e)
{
	own_clear(container_clear) struct container c = { 0 };

	int r = record_read(engine, id, &c, e);
	if (r == 0)
		r = config_change_limits(&c, o, context, e);
	return r < 0 ? r : config_change_restart(&c, o, e);
}

int engine_update(struct engine *engine, const char *name, const struct create_options *o,
		  struct err *e)
{
	own_clear(container_clear) struct container before = { 0 };
	own_clear(container_clear) struct container c = { 0 };
	const struct config_context context = { .cpus = o->cpus ? get_nprocs() : 0 };
	char id[CONTAINER_ID_LENGTH + 1];

	int r = engine_find(engine, name, id, e);
	if (r < 0)
		return r;
	own_fd int folder = record_lock(engine, id, true, e);
	if (folder < 0)
		return folder;
	r = o->disk ? check(engine, id, o, &context, e) : 0;
	if (r == 0 && o->disk)
		r = change_disk(engine, id, folder, o->disk, e);
	if (r == 0)
		r = record_read(engine, id, &before, e);
	if (r == 0)
		r = record_read(engine, id, &c, e);
	if (r == 0)
		r = config_change_limits(&c, o, &context, e);
	if (r == 0)
		r = config_change_restart(&c, o, e);
	if (r == 0)
		r = config_hooks(&c, o, e);
	if (r == 0 && o->hook.count)
		r = engine_hooks_check(engine, &c, e);
	return r < 0 ? r : update_locked(engine, &before, &c, folder, e);
}
