/* Layers get names of their own here, whatever the stream calls them: it must not put anything
 * in the place of a layer of an image. layer.json says what they are elsewhere, so that they are
 * known the next time. Files have the ids that they have in the container. */
#include "engine/receive.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/own.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/fault.h"
#include "engine/freeze.h"
#include "engine/held.h"
#include "engine/image.h"
#include "engine/lower.h"
#include "engine/name.h"
#include "engine/process.h"
#include "engine/quota.h"
#include "engine/record.h"
#include "engine/snapshot.h"
#include "engine/start.h"
#include "engine/transfer.h"
#include "engine/userns.h"
#include "image/command.h"
#include "monitor/state.h"
#include "oci/digest.h"
#include "runtime/criu.h"
#include "runtime/user_namespace.h"
#include "storage/frozen.h"
#include "storage/store.h"
#include "storage/volume.h"

/* What a record gets here in addition: ids, a name. */
enum { GROWS_BYTES_MAX = 64 << 10 };

struct receiving {
	struct engine *engine;
	const struct receive_options *options;
	int fd;
	int layers;                 /* the lock */
	struct engine_held target;  /* with refresh: the one that is there */
	struct container container; /* as it was sent, then as it is to be */
	struct snapshots snapshots;
	char *name;
	bool refresh;
	bool live;                     /* it runs, and is to go on here */
	char memory[FROZEN_NAME_SIZE]; /* as a layer that nothing names: criu's images of it */
	struct shape_map known;        /* layers: their names there, and here */
};

static void receiving_clear(struct receiving *r)
{
	if (*r->memory)
		storage_frozen_remove(r->engine->store, r->memory);
	engine_held_clear(&r->target);
	container_clear(&r->container);
	snapshots_clear(&r->snapshots);
	free(r->name);
	shape_map_clear(&r->known);
	own_fd_call(&r->layers);
}

/* ---- the records ---- */

static int add_snapshot(struct receiving *r, struct json_object *object, struct err *e)
{
	struct json_object *name = json_object_object_get(object, "name");
	struct snapshot snapshot = { 0 };

	if (!json_object_is_type(name, json_type_string))
		return err_set(e, ERR_CORRUPT, "a snapshot has no name");
	int result = snapshot_name_check(json_object_get_string(name), e);
	if (result == 0)
		result = shape_read(&snapshot_shape, object, &snapshot, e);
	if (result < 0)
		return result;
	snapshot.name = mem_text(json_object_get_string(name));
	*(struct snapshot *)shape_list_add(&r->snapshots) = snapshot;
	return 0;
}

/* Before it stands still there. */
static int check_live(struct receiving *r, struct json_object *machine, struct err *e)
{
	struct utsname here;

	if (!machine)
		return 0;
	r->live = true;
	uname(&here);
	if (!r->options->answer)
		return err_set(e, ERR_UNSUPPORTED, "one that runs comes by holm move alone");
	if (!str_equal(json_object_get_string(machine), here.machine))
		return err_set(e, ERR_UNSUPPORTED, "it runs on %s, this is %s",
			       json_object_get_string(machine), here.machine);
	if (runtime_user_namespace_is_inner())
		return err_set(e, ERR_UNSUPPORTED, "criu makes no containers of an ordinary user");
	return runtime_criu_check(e);
}

static int read_records(struct receiving *r, struct json_object *header, struct err *e)
{
	struct json_object *list = json_object_object_get(header, "snapshots");
	struct json_object *name = json_object_object_get(header, "name");
	size_t count =
		json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	int result = shape_read(&container_shape, json_object_object_get(header, "container"),
				&r->container, e);
	for (size_t i = 0; result == 0 && i < count; i++)
		result = add_snapshot(r, json_object_array_get_idx(list, i), e);
	if (result < 0)
		return result;
	if (!r->container.id || !r->container.name || !r->container.image.id)
		return err_set(e, ERR_CORRUPT, "its record is not whole");
	const char *sent = json_object_is_type(name, json_type_string)
				   ? json_object_get_string(name)
				   : r->container.name;
	r->name = mem_text(r->options->name ? r->options->name : sent);
	r->refresh = r->options->refresh ||
		     json_object_get_boolean(json_object_object_get(header, "refresh"));
	int named = engine_name_check(r->name, e);
	return named < 0 ? named : check_live(r, json_object_object_get(header, "live"), e);
}

static int read_header(struct receiving *r, struct err *e)
{
	own_clear(str_clear) struct str text = { 0 };
	own_json struct json_object *header = NULL;
	char name[TRANSFER_NAME_MAX + 1];

	int kind = transfer_read_begin(r->fd, e);
	if (kind == 0)
		kind = transfer_read_kind(r->fd, name, e);
	if (kind < 0)
		return kind;
	if (kind != TRANSFER_HEADER)
		return err_set(e, ERR_CORRUPT, "it does not begin with its records");
	int result = transfer_read_text(r->fd, TRANSFER_HEADER_MAX, &text, e);
	if (result == 0)
		result = json_parse(&header, text.text ? text.text : "", text.length, "records", e);
	return result < 0 ? result : read_records(r, header, e);
}

static int check_mount(const struct container_mount *mount, struct err *e)
{
	if (!mount->type || !mount->target)
		return err_set(e, ERR_CORRUPT, "a mount is not whole");
	for (size_t i = 0; i < mount->layers.count; i++)
		if (!oci_digest_is_hex(mount->layers.items[i]))
			return err_set(e, ERR_CORRUPT, "a mount is of what is no layer");
	return mount->name ? storage_volume_check_name(mount->name, e) : 0;
}

/* What paths are made of is checked; the rest is as strong as what who sends it may ask for. The
 * folders of a step of a build are no image, and nobody may ask for them. */
static int check_record(const struct container *c, struct err *e)
{
	for (size_t i = 0; i < c->storage.mounts.count; i++) {
		int r = check_mount(&c->storage.mounts.items[i], e);
		if (r < 0)
			return r;
	}
	/* they would go into the spec, org.holm.hooks among them */
	for (size_t i = 0; i < c->annotations.count; i++)
		if (str_starts(c->annotations.items[i].key, "org.holm."))
			return err_set(e, ERR_CORRUPT, "its annotation %.100s is holm's own",
				       c->annotations.items[i].key);
	return c->image.rootfs || c->storage.lower.count || c->storage.upper || c->pod.id
		       ? err_set(e, ERR_UNSUPPORTED, "its files or its pod are on another host")
		       : 0;
}

/* ---- what is there ---- */

/* By whom it can be refreshed it was copied from. */
static int hold_target(struct receiving *r, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];

	if (!engine_find_name(r->engine, r->name, id))
		return 0;
	if (!r->refresh) {
		err_set(e, ERR_EXISTS, "the name '%s' is taken", r->name);
		return err_hint(e, "give another one, or --refresh where that is a copy already");
	}
	int result = engine_held_take(&r->target, r->engine, id, e);
	if (result == 0)
		result = engine_freeze_is_live(&r->target.container, &r->target.state, e);
	if (result < 0)
		return result;
	if (result > 0)
		return err_set(e, ERR_STATE, "container %s is running", r->name);
	if (!str_equal(r->target.container.copied_from, r->container.id))
		return err_set(e, ERR_STATE, "container %s is no copy of what is sent", r->name);
	return 0;
}

static bool has_image(struct receiving *r)
{
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct err missing;

	return engine_image_find(r->engine, r->container.image.id, &image, NULL, &missing) == 0;
}

static void list_layers(const struct receiving *r, struct strv *to)
{
	engine_lower_list_frozen(to, &r->container);
	for (size_t i = 0; i < r->snapshots.count; i++)
		engine_lower_list_frozen(to, &r->snapshots.items[i].container);
}

static int find_layers(struct receiving *r, struct err *e)
{
	own_clear(strv_clear) struct strv layers = { 0 };

	list_layers(r, &layers);
	return storage_frozen_find(&r->known, r->engine->store, &layers, e);
}

static void say(struct json_object *answer)
{
	printf("%s\n", json_text(answer));
	fflush(stdout);
}

static void answer_wishes(struct receiving *r)
{
	own_json struct json_object *answer = json_object_new_object();
	struct json_object *have = json_object_new_array();

	for (size_t i = 0; i < r->known.count; i++)
		json_object_array_add(have, json_object_new_string(r->known.items[i].key));
	json_object_object_add(answer, "image", json_object_new_boolean(!has_image(r)));
	json_object_object_add(answer, "have", have);
	json_object_object_add(answer, "live", json_object_new_boolean(r->live));
	say(answer);
}

static void answer_end(const struct receiving *r)
{
	own_json struct json_object *answer = json_object_new_object();

	json_object_object_add(answer, "id", json_object_new_string(r->container.id));
	json_object_object_add(answer, "name", json_object_new_string(r->container.name));
	json_object_object_add(answer, "running", json_object_new_boolean(r->live));
	say(answer);
}

/* ---- the bytes ---- */

static int read_image(struct receiving *r, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };

	if (has_image(r))
		return transfer_read_past(r->fd, e);
	image_command_begin(&arguments, "load", r->engine->store);
	strv_add(&arguments, "--");
	strv_add(&arguments, "-");
	return transfer_read_command(r->fd, &arguments, -1, e);
}

static int read_layer(struct receiving *r, const char *origin, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	const struct storage_frozen_facts facts = { .container = r->container.id,
						    .origin = (char *)origin };
	char here[FROZEN_NAME_SIZE];

	if (!oci_digest_is_hex(origin))
		return err_set(e, ERR_CORRUPT, "a layer has no name");
	if (shape_map_get(&r->known, origin))
		return transfer_read_past(r->fd, e);
	int result = storage_frozen_make(here, r->engine->store, -1, &facts, e);
	if (result < 0)
		return result;
	own_fd int folder = storage_frozen_open(r->engine->store, here, e);
	image_command_begin(&arguments, "unpack-layer", r->engine->store);
	result = folder < 0 ? folder : transfer_read_command(r->fd, &arguments, folder, e);
	if (result < 0) {
		storage_frozen_remove(r->engine->store, here);
		return err_add(e, "layer %.12s", origin);
	}
	shape_map_set(&r->known, origin, here);
	return 0;
}

/* Nobody else is to read what it has in memory. */
static int read_memory(struct receiving *r, struct err *e)
{
	own_clear(strv_clear) struct strv arguments = { 0 };
	const struct storage_frozen_facts facts = { .container = r->container.id };

	if (!r->live || *r->memory)
		return err_set(e, ERR_CORRUPT, "it has memory that nobody announced");
	int result = storage_frozen_make(r->memory, r->engine->store, -1, &facts, e);
	if (result < 0)
		return result;
	own_fd int folder = storage_frozen_open(r->engine->store, r->memory, e);
	if (folder < 0 || fchmod(folder, 0700) < 0)
		return folder < 0 ? folder : err_sys(e, "close the folder of its memory");
	image_command_begin(&arguments, "unpack-layer", r->engine->store);
	result = transfer_read_command(r->fd, &arguments, folder, e);
	return result < 0 ? err_add(e, "its memory") : 0;
}

static int read_sections(struct receiving *r, struct err *e)
{
	char name[TRANSFER_NAME_MAX + 1];

	for (;;) {
		int kind = transfer_read_kind(r->fd, name, e);
		int result = kind < 0 ? kind : 0;
		if (kind == TRANSFER_IMAGE)
			result = read_image(r, e);
		else if (kind == TRANSFER_LAYER)
			result = read_layer(r, name, e);
		else if (kind == TRANSFER_MEMORY)
			result = read_memory(r, e);
		else if (kind >= 0)
			result = transfer_read_past(r->fd, e);
		if (result < 0 || kind == TRANSFER_END)
			return result;
	}
}

/* ---- what it becomes ---- */

/* The names that its layers have here, and the ids that these have on this disk. */
static int localize(struct receiving *r, struct container *c, struct err *e)
{
	own_clear(strv_clear) struct strv layers = { 0 };
	static const struct container none = { 0 };

	engine_lower_list_frozen(&layers, c);
	engine_lower_replace(c, &none);
	for (size_t i = 0; i < layers.count; i++) {
		own_clear(storage_frozen_facts_clear) struct storage_frozen_facts facts = { 0 };
		const char *here = shape_map_get(&r->known, layers.items[i]);
		if (!here)
			return err_set(e, ERR_CORRUPT, "layer %.12s is not in it", layers.items[i]);
		int result = storage_frozen_read(&facts, r->engine->store, here, e);
		if (result < 0)
			return result;
		const struct runtime_idmap ids = { facts.uids, facts.gids };
		engine_lower_push_with(c, here, &ids);
	}
	return 0;
}

/* The image is what this store knows under its id, not what the stream says of it. */
static int take_image(struct receiving *r, struct container *c, struct err *e)
{
	const struct image_request request = { .name = r->container.image.id,
					       .pull = ENGINE_PULL_NEVER,
					       .quiet = true };
	own_clear(storage_image_clear) struct storage_image image = { 0 };
	struct container_image found = { 0 };

	if (!str_equal(c->image.id, r->container.image.id))
		return err_set(e, ERR_UNSUPPORTED, "a snapshot is of another image");
	int result = engine_image_resolve(r->engine, &request, &found, &image, e);
	if (result < 0)
		return result;
	mem_replace(&found.name, c->image.name);
	shape_clear(&container_image_shape, &c->image);
	c->image = found;
	return 0;
}

/* Secrets are not sent; and who sends a container does not say what root runs here. */
static void drop_what_stays(struct container *c)
{
	struct container empty = { 0 };

	empty.secrets = c->secrets;
	c->secrets.items = NULL;
	c->secrets.count = 0;
	empty.hooks = c->hooks;
	c->hooks.items = NULL;
	c->hooks.count = 0;
	container_clear(&empty);
}

static int settle(struct receiving *r, struct container *c, struct err *e)
{
	int result = check_record(c, e);

	if (result == 0)
		result = localize(r, c, e);
	if (result == 0)
		result = take_image(r, c, e);
	drop_what_stays(c);
	strv_clear(&c->requires);
	for (size_t i = 0; i < c->network.endpoints.count; i++) {
		mem_replace(&c->network.endpoints.items[i].address, NULL);
		mem_replace(&c->network.endpoints.items[i].address6, NULL);
		mem_replace(&c->network.endpoints.items[i].mac, NULL);
	}
	if (c->security.userns && str_starts(c->security.userns, "auto"))
		runtime_idmap_clear(&c->security.ids);
	c->by_run = false;
	c->auto_remove = false;
	return result;
}

/* What is too long to be read again would stop every collection. */
static int check_size(const struct shape *shape, const void *record, struct err *e)
{
	own_json struct json_object *object = shape_write(shape, record);

	return strlen(json_text(object)) < CONTAINER_RECORD_MAX - GROWS_BYTES_MAX
		       ? 0
		       : err_set(e, ERR_CORRUPT, "its records are too long");
}

static int settle_all(struct receiving *r, struct err *e)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < r->snapshots.count; i++) {
		result = settle(r, &r->snapshots.items[i].container, e);
		if (result == 0)
			result = check_size(&snapshot_shape, &r->snapshots.items[i], e);
	}
	if (result == 0)
		result = settle(r, &r->container, e);
	return result < 0 ? result : check_size(&container_shape, &r->container, e);
}

static void warn(const struct container *c)
{
	if (c->secrets.count)
		log_warning("secrets are not sent: '%s' and what else it had is missing here",
			    c->secrets.items[0].name);
	if (c->requires.count)
		log_warning("what it requires is not sent");
	if (c->hooks.count)
		log_warning("its hooks are programs of the other host: name them anew with holm "
			    "set");
}

static int write_snapshots(struct receiving *r, int folder_fd, struct err *e)
{
	own_clear(snapshots_clear) struct snapshots there = { 0 };

	int result = snapshot_list(&there, folder_fd, e);
	for (size_t i = 0; result == 0 && i < r->snapshots.count; i++) {
		bool known = false;
		for (size_t k = 0; k < there.count; k++)
			known |= str_equal(there.items[k].name, r->snapshots.items[i].name);
		if (!known)
			result = snapshot_write(folder_fd, &r->snapshots.items[i], e);
	}
	return result;
}

static int fill_folder(struct receiving *r, int folder_fd, struct err *e)
{
	struct container *c = &r->container;

	int result = record_take_name(r->engine, c, e);
	if (result < 0) {
		mem_replace(&c->name, NULL); /* it is another's */
		return result;
	}
	own_fd int upper = engine_freeze_make_folders(r->engine, c, folder_fd, e);
	result = upper < 0 ? upper : write_snapshots(r, folder_fd, e);
	fault_point("receive.record");
	return result < 0 ? result : record_commit(folder_fd, c, e);
}

static int await_commit(struct receiving *r, struct err *e)
{
	char name[TRANSFER_NAME_MAX + 1];

	int kind = transfer_read_kind(r->fd, name, e);
	if (kind < 0)
		return err_add(e, "it goes on where it came from");
	return kind == TRANSFER_COMMIT
		       ? transfer_read_past(r->fd, e)
		       : err_set(e, ERR_CORRUPT, "what comes last is not that it ends there");
}

/* Until the other side has said that it ends there it goes with this program, however that ends: it
 * must not run twice. */
static int go_on(struct receiving *r, int folder, struct err *e)
{
	const struct monitor_stop at_once = { .signal = SIGKILL };
	struct engine_session session = { .client = MONITOR_CLIENT_NONE };
	struct err ignored;
	own_free char *images = mem_format("%s/layers/%s/fs", r->engine->store->root, r->memory);
	const struct start_options o = { .attach = true,
					 .watch = true,
					 .bound = true,
					 .on_trial = true,
					 .no_stdout = true,
					 .no_stderr = true,
					 .images = images };

	int result = engine_start_locked(r->engine, &r->container, folder, &o, &session, e);
	if (result < 0)
		return result;
	answer_end(r);
	fault_point("receive.running");
	result = await_commit(r, e);
	if (result == 0)
		result = monitor_client_attach(&session.client, 0, e);
	if (result == 0)
		result = engine_process_tell(r->engine, &r->container, e);
	if (result == 0)
		result = monitor_exit_record_reserve_at(folder, e);
	if (result < 0)
		monitor_client_stop(&session.client, &at_once, NULL, &ignored);
	engine_session_close(&session);
	return result;
}

static int make(struct receiving *r, struct err *e)
{
	char id[CONTAINER_ID_LENGTH + 1];
	struct container *c = &r->container;
	int lock;

	mem_replace(&c->copied_from, c->id);
	engine_id_generate(id);
	mem_replace(&c->id, id);
	mem_replace(&c->name, r->name);
	c->created_ns = moment_now_ns();
	int result = engine_userns_resolve(&lock, r->engine, c, e);
	if (result < 0)
		return result;
	own_fd int ids = lock;
	(void)ids;
	result = engine_quota_choose(r->engine, c, e);
	if (result < 0)
		return result;
	own_fd int folder = record_begin(r->engine, c->id, e);
	if (folder < 0)
		return folder;
	result = fill_folder(r, folder, e);
	if (result < 0)
		record_abandon(r->engine, c);
	return result < 0 || !r->live ? result : go_on(r, folder, e);
}

/* As a restore: its own upper folder becomes a layer, which nothing names then. */
static int refresh(struct receiving *r, struct err *e)
{
	struct container *c = &r->container, *old = &r->target.container;
	struct container own = { 0 };

	int result = engine_freeze_still(r->engine, old, r->target.folder, e);
	if (result < 0)
		return result;
	mem_replace(&c->copied_from, c->id);
	mem_replace(&c->id, old->id);
	mem_replace(&c->name, old->name);
	c->created_ns = old->created_ns;
	c->storage.size = old->storage.size;
	mem_replace(&c->storage.quota, old->storage.quota);
	own.security.ids = c->security.ids;
	c->security.ids = old->security.ids;
	old->security.ids = own.security.ids;
	result = write_snapshots(r, r->target.folder, e);
	if (result == 0)
		result = record_commit(r->target.folder, c, e);
	return result < 0 ? result : engine_freeze_renew_upper(r->engine, c, r->target.folder, e);
}

static int receive(struct receiving *r, struct err *e)
{
	int result = read_header(r, e);
	if (result == 0)
		result = hold_target(r, e);
	if (result < 0)
		return result;
	if (r->layers < 0 && r->target.layers < 0)
		r->layers = store_lock_layers_shared(r->engine->store, e);
	if (r->layers < 0 && r->target.layers < 0)
		return r->layers;
	result = find_layers(r, e);
	if (result < 0)
		return result;
	if (r->options->answer)
		answer_wishes(r);
	result = read_sections(r, e);
	if (result < 0)
		return result;
	warn(&r->container);
	result = settle_all(r, e);
	if (result < 0)
		return result;
	return r->target.folder >= 0 ? refresh(r, e) : make(r, e);
}

int engine_receive(struct engine *engine, int fd, const struct receive_options *o,
		   struct container *ret, struct err *e)
{
	struct receiving r = {
		.engine = engine,
		.options = o,
		.fd = fd,
		.layers = -1,
		.target = ENGINE_HELD_NONE,
	};

	int result = receive(&r, e);
	if (result == 0) {
		engine_event_container(engine, &r.container, "receive", NULL);
		if (o->answer && !r.live)
			answer_end(&r);
		*ret = r.container;
		r.container = (struct container){ 0 };
	}
	bool replaced = r.target.folder >= 0;
	receiving_clear(&r);
	/* what came in vain, and what a refresh let go */
	if (result < 0 || replaced)
		engine_snapshot_collect(engine);
	return result;
}
